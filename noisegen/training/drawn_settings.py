"""Drawn settings of the bank: simulated cameras and textbook noise over clean pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from noisegen.files import read_picture
from noisegen.model.denoiser import Denoiser
from noisegen.noise.arrays import Bytes, Rng
from noisegen.references.pixel_blocks import pooled
from noisegen.simulator import draw_setting, input_side, simulate
from noisegen.simulator.dead_leaves import draw_picture
from noisegen.training import classical_noise
from noisegen.training.bank import (
    TARGET,
    ReferenceSet,
    Setting,
    measure_references,
    reference_windows,
    stack_targets,
)
from noisegen.training.crops import random_place
from noisegen.training.real_pairs import BLIND_SHARE
from noisegen.training.realdata import HELD_OUT_CLEAN

Pairs = list[tuple[Bytes, Bytes]]

TARGETS = 4
"""Target crops of a drawn setting."""

SHOTS = 12
"""Reference crops of a drawn setting, of 128² each; a set takes one to all of them."""

TOGETHER = 10
"""Camera settings simulated at once."""


def dead_leaves(count: int, side: int, seed: int) -> list[Bytes]:
    """Draws procedural pictures, bound by no licence."""
    return [draw_picture(np.random.default_rng([seed, i]), side, side) for i in range(count)]


def photographs(data: Path) -> list[Bytes]:
    """Clean photographs: Kodak and McMaster less those held out; BSDS (JPEG) at half size."""
    pictures = []
    for folder in ("kodak24", "mcmaster"):
        paths = sorted(p for p in (data / "clean" / folder).iterdir() if p.is_file())
        pictures += [read_picture(p).pixels.astype(np.uint8) for p in paths[:-HELD_OUT_CLEAN]]
    for path in sorted((data / "clean" / "bsds500").rglob("*.jpg")):
        half = pooled(read_picture(path).pixels.transpose(2, 0, 1).astype(np.float32), 2)
        pictures.append(np.rint(half).astype(np.uint8).transpose(1, 2, 0))
    return pictures


def simulated_settings(
    clean: Sequence[Bytes], count: int, rng: Rng, denoiser: Denoiser
) -> Iterator[Setting]:
    """Camera settings, each with reference sets and targets of different scenes."""
    for start in range(0, count, TOGETHER):
        settings = [draw_setting(rng) for _ in range(min(TOGETHER, count - start))]
        side = input_side(settings, TARGET)
        fitting = [picture for picture in clean if min(picture.shape[:2]) >= side]
        scenes = [
            fitting[int(rng.integers(len(fitting)))] for _ in range((TARGETS + SHOTS) * TOGETHER)
        ]
        crops = [scene[random_place(scene.shape[:2], side, rng, grid=2)] for scene in scenes]
        stack = torch.from_numpy(np.stack(crops[: len(settings) * (TARGETS + SHOTS)]))
        stack = stack.permute(0, 3, 1, 2).float() / 255
        stack = stack.view(len(settings), TARGETS + SHOTS, *stack.shape[1:])
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        noisy, pure = simulate(stack, settings, generator, TARGET)
        for shots in zip(_pictures(noisy), _pictures(pure), strict=True):
            yield _drawn_setting(list(zip(*shots, strict=True)), rng, denoiser, gray=False)


def _pictures(batch: torch.Tensor) -> NDArray[np.uint8]:
    """Turns planes, B×S×3×H×W, into pictures, B×S×H×W×3."""
    return batch.permute(0, 1, 3, 4, 2).contiguous().numpy()


def classical_settings(
    clean: Sequence[Bytes], count: int, rng: Rng, denoiser: Denoiser
) -> Iterator[Setting]:
    """Settings of textbook noise, each with reference sets and targets of different scenes."""
    for _ in range(count):
        setting = classical_noise.draw_setting(rng)
        shots = []
        for _ in range(TARGETS + SHOTS):
            scene = clean[int(rng.integers(len(clean)))]
            picture = scene[random_place(scene.shape[:2], TARGET, rng, grid=8)]
            shots.append(classical_noise.shoot(picture, setting, rng))
        yield _drawn_setting(shots, rng, denoiser, setting.gray)


def _drawn_setting(shots: Pairs, rng: Rng, denoiser: Denoiser, gray: bool) -> Setting:
    """Makes a setting of shots: first targets, then two random subsets as references."""
    targets, others = shots[:TARGETS], shots[TARGETS:]
    return Setting(
        [_drawn_set(others, rng, denoiser, gray) for _ in range(2)], stack_targets(targets)
    )


def _drawn_set(shots: Pairs, rng: Rng, denoiser: Denoiser, gray: bool) -> ReferenceSet:
    estimates = denoiser if rng.random() < BLIND_SHARE else None
    count = int(rng.choice([1, 2, 4, 8, SHOTS]))
    chosen = [shots[index] for index in rng.permutation(len(shots))[:count]]
    parts = [reference_windows(noisy, pure, estimates, 1024) for noisy, pure in chosen]
    return measure_references(parts, gray)


Drawer = Callable[[Sequence[Bytes], int, Rng, Denoiser], Iterator[Setting]]
