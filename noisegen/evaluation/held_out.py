"""Held-out simulated cameras: the ``simulated`` validation split (design.md, *Measuring*)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from noisegen.evaluation.kept_back import KEPT_BACK
from noisegen.evaluation.protocol import (
    CROP,
    PROTOCOL_SEED,
    Case,
    Cases,
    Target,
    held_out_pictures,
    middle_crop,
    splits,
)
from noisegen.evaluation.side_by_side import noise_of
from noisegen.references.check import Reference
from noisegen.training.simulator import CameraSetting, draw_setting, input_side, simulate

Bytes = NDArray[np.uint8]

SETTINGS = 24
SIGMAS = (5 / 255, 50 / 255)
"""A setting counts where the noise of its targets has a σ in this range, all processing done."""

GRID = 16
"""Sides of simulated pictures are multiples of this."""


def all_splits(crops: int) -> dict[str, Cases]:
    """Name → validation split, simulated cameras and kept-back data among them.

    Args:
        crops: targets a PolyU scene.
    """
    return {**splits(crops), "simulated": simulated_cases, **KEPT_BACK}


def simulated_cases(data: Path) -> Iterator[Case]:
    """Another scene under the same draw of the camera as reference, 256² of two more as targets.

    Settings and noise come from the protocol's seed, which no training uses; the pictures are
    those that training never sees. Each target has a second shot by the same camera for the
    floor, with the same fixed pattern.

    Args:
        data: the data folder.
    """
    pictures = held_out_pictures(data)
    return islice(_loud_enough(pictures), SETTINGS)


def _loud_enough(pictures: Sequence[Bytes]) -> Iterator[Case]:
    """Cases without end, of drawn settings whose noise is neither too quiet nor too loud.

    Settings that shrink a picture to less than a target are left out too.
    """
    shortest = min(min(picture.shape[:2]) for picture in pictures)
    rng = np.random.default_rng([PROTOCOL_SEED, *b"simulated"])
    kept = 0
    for draw in count():
        setting, generator = draw_setting(rng), torch.Generator().manual_seed(PROTOCOL_SEED + draw)
        if input_side([setting], CROP) > shortest:
            continue
        order = [(kept + step) % len(pictures) for step in range(3)]
        name = f"simulated-{kept:02d}"
        targets = tuple(
            _target(name, f"kodak-{place}", pictures[place], setting, generator)
            for place in order[1:]
        )
        noise = np.concatenate([noise_of(t.noisy, t.clean) for t in targets])
        if SIGMAS[0] <= noise.std() <= SIGMAS[1]:
            whole = pictures[order[0]]
            noisy, clean = _shoot(whole, setting, generator, _largest_side(setting, whole))
            yield Case(name, (Reference(name, noisy, clean),), targets)
            kept += 1


def _target(
    name: str, scene: str, picture: Bytes, setting: CameraSetting, generator: torch.Generator
) -> Target:
    noisy, clean = _shoot(picture, setting, generator, CROP)
    again, _ = _shoot(picture, setting, generator, CROP)
    return Target(f"{name}/{scene}", scene, noisy, clean, again)


def _shoot(
    picture: Bytes, setting: CameraSetting, generator: torch.Generator, side: int
) -> tuple[Bytes, Bytes]:
    """Noisy and clean of the middle of a picture, side×side×3."""
    part = middle_crop(picture, input_side([setting], side))
    planes = torch.from_numpy(np.ascontiguousarray(part.transpose(2, 0, 1))).float() / 255
    noisy, clean = (
        x[0, 0].permute(1, 2, 0).contiguous().numpy()
        for x in simulate(planes[None, None], [setting], generator, side)
    )
    return noisy, clean


def _largest_side(setting: CameraSetting, picture: Bytes) -> int:
    """Side of the largest result that a picture gives after the camera's downscaling."""
    shortest = min(picture.shape[:2])
    sides = range(shortest // GRID * GRID, 0, -GRID)
    return next(side for side in sides if input_side([setting], side) <= shortest)
