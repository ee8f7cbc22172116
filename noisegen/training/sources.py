"""What fills the bank: real pairs, simulated cameras and classical noise."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from noisegen.evaluation.realdata import (
    HELD_OUT_CLEAN,
    W2S_TRAIN_FIELDS,
    Pair,
    is_registered,
    polyu_pair,
    polyu_scenes,
    undo_shift,
    w2s_pair,
)
from noisegen.images import read_picture
from noisegen.training import classical_noise, simulator
from noisegen.training.bank import (
    TARGET,
    ReferenceSet,
    Setting,
    Shard,
    measure_references,
    reference_windows,
    stack_targets,
)

log = logging.getLogger(__name__)

Bytes = NDArray[np.uint8]
Rng = np.random.Generator

BLIND_SHARE = 0.25
"""Share of reference sets whose clean is estimated."""


@dataclass(frozen=True)
class BankSize:
    """How many episodes of each kind the bank holds."""

    polyu_references: int = 16
    polyu_targets: int = 48
    w2s_references: int = 60
    w2s_targets: int = 400
    simulated_settings: int = 2400
    classical_settings: int = 1000
    settings_per_shard: int = 100


def fill_bank(data: Path, bank: Path, size: BankSize, seed: int) -> None:
    """Writes every shard that the bank does not hold yet; each has a seed of its own."""
    bank.mkdir(parents=True, exist_ok=True)
    for name, make in _jobs(data, size):
        path = bank / f"{name}.npz"
        if path.exists():
            continue
        key = [seed, *name.encode()]
        settings = [s for s in make(np.random.default_rng(key)) if len(s.targets)]
        if settings:
            Shard.pack(settings).save(path)
        log.info("bank: %s holds %d settings", name, len(settings))


def _jobs(data: Path, size: BankSize) -> Iterator[tuple[str, Callable[[Rng], Iterator[Setting]]]]:
    for channel in range(3):
        yield f"w2s-ch{channel}", partial(_w2s_settings, data, channel, size)
    for scene in polyu_scenes(data, "train"):
        yield f"polyu-{scene}", partial(_polyu_settings, data, scene, size)
    each = size.settings_per_shard
    clean: list[Bytes] = []
    kinds = (
        ("simulated", size.simulated_settings, _simulated_setting),
        ("classical", size.classical_settings, _classical_setting),
    )
    for kind, total, make in kinds:
        for start in range(0, total, each):
            if not clean:
                clean.extend(clean_pictures(data))
            count = min(each, total - start)
            yield (
                f"{kind}-{start:05d}",
                partial(_several, make, count, clean),
            )


def _several(
    make: Callable[[list[Bytes], Rng], Setting], count: int, clean: list[Bytes], rng: Rng
) -> Iterator[Setting]:
    for _ in range(count):
        yield make(clean, rng)


def clean_pictures(data: Path, held_out: bool = False) -> list[Bytes]:
    """Clean photographs, H×W×3 uint8: BSDS at half size (JPEG), Kodak and McMaster as they are.

    Args:
        data: the data folder.
        held_out: the pictures kept for validation instead of those for training.
    """
    pictures = []
    for folder in ("kodak24", "mcmaster"):
        paths = sorted(p for p in (data / "clean" / folder).iterdir() if p.is_file())
        kept = paths[-HELD_OUT_CLEAN:] if held_out else paths[:-HELD_OUT_CLEAN]
        pictures += [read_picture(path).pixels.astype(np.uint8) for path in kept]
    if not held_out:
        for path in sorted((data / "clean" / "bsds500").rglob("*.jpg")):
            pictures.append(_halve(read_picture(path).pixels.astype(np.uint8)))
    return pictures


def _halve(picture: Bytes) -> Bytes:
    x = torch.from_numpy(picture).permute(2, 0, 1).unsqueeze(0).float()
    small = F.avg_pool2d(x, 2)[0].permute(1, 2, 0).round().numpy()
    return small.astype(np.uint8)


def _crop(picture: Bytes, height: int, width: int, rng: Rng, grid: int = 8) -> tuple[slice, slice]:
    """A random place on the grid, as slices; the whole side where it is shorter."""
    height, width = min(height, picture.shape[0]), min(width, picture.shape[1])
    y = int(rng.integers((picture.shape[0] - height) // grid + 1)) * grid
    x = int(rng.integers((picture.shape[1] - width) // grid + 1)) * grid
    return slice(y, y + height), slice(x, x + width)


def _targets(pair: Pair, count: int, rng: Rng) -> list[tuple[Bytes, Bytes]]:
    """Registered target crops of a picture."""
    crops = []
    for _ in range(4 * count):
        place = _crop(pair.noisy, TARGET, TARGET, rng, grid=16)
        noisy, clean = pair.noisy[place], pair.clean[place]
        if is_registered(noisy, clean):
            crops.append((noisy, clean))
        if len(crops) == count:
            break
    return crops


def _reference_set(pairs: list[Pair], rng: Rng, gray: bool) -> ReferenceSet:
    """One to four crops of random size, paired or blind."""
    blind = rng.random() < BLIND_SHARE
    parts = []
    for _ in range(int(rng.choice([1, 2, 3, 4], p=[0.55, 0.2, 0.15, 0.1]))):
        pair = pairs[int(rng.integers(len(pairs)))]
        side = int(2 ** rng.uniform(7, 10.5))
        place = _crop(pair.noisy, side, side, rng)
        parts.append(reference_windows(pair.noisy[place], pair.clean[place], blind, 1024))
    return measure_references(parts, gray)


def _polyu_settings(data: Path, scene: str, size: BankSize, rng: Rng) -> Iterator[Setting]:
    """Two settings a scene: each half of the picture is once reference, once target."""
    pair = polyu_pair(data, scene)
    clean = undo_shift(pair.noisy, pair.clean)
    middle = pair.noisy.shape[1] // 32 * 16
    halves = [
        Pair(scene, scene, pair.noisy[:, part], clean[:, part])
        for part in (slice(0, middle), slice(middle, None))
    ]
    for reference, target in (halves, halves[::-1]):
        crops = _targets(target, size.polyu_targets, rng)
        if crops:
            count = size.polyu_references
            sets = [_reference_set([reference], rng, gray=False) for _ in range(count)]
            yield Setting(sets, stack_targets(crops))


def _w2s_settings(data: Path, channel: int, size: BankSize, rng: Rng) -> Iterator[Setting]:
    """Odd fields are references for even ones and the other way round."""
    pairs = [w2s_pair(data, field, channel) for field in W2S_TRAIN_FIELDS]
    for parity in (0, 1):
        references, targets = pairs[parity::2], pairs[1 - parity :: 2]
        sets = [_reference_set(references, rng, gray=True) for _ in range(size.w2s_references)]
        crops = []
        for _ in range(size.w2s_targets):
            pair = targets[int(rng.integers(len(targets)))]
            place = _crop(pair.noisy, TARGET, TARGET, rng)
            shape = (TARGET, TARGET, 3)
            crops.append(
                (
                    np.broadcast_to(pair.noisy[place], shape),
                    np.broadcast_to(pair.clean[place], shape),
                )
            )
        yield Setting(sets, stack_targets(crops))


def _simulated_setting(clean: list[Bytes], rng: Rng) -> Setting:
    """Two reference sets of one to three crops, four targets, all of different scenes."""
    setting = simulator.draw_setting(rng)
    side = int(np.ceil((TARGET + 16) / setting.resize / 2)) * 2
    fitting = [picture for picture in clean if min(picture.shape[:2]) >= side]

    def shoot(count: int) -> list[tuple[Bytes, Bytes]]:
        scenes = [fitting[int(rng.integers(len(fitting)))] for _ in range(count)]
        crops = [scene[_crop(scene, side, side, rng, grid=2)] for scene in scenes]
        stack = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255
        noisy, pure = simulator.simulate(stack, setting, int(rng.integers(2**31)))
        return [
            (n.permute(1, 2, 0).numpy(), p.permute(1, 2, 0).numpy())
            for n, p in zip(noisy, pure, strict=True)
        ]

    targets = [(n[:TARGET, :TARGET], p[:TARGET, :TARGET]) for n, p in shoot(4)]
    return Setting(_drawn_references(shoot, rng, gray=False), stack_targets(targets))


def _classical_setting(clean: list[Bytes], rng: Rng) -> Setting:
    """The same with textbook noise."""
    setting = classical_noise.draw_setting(rng)

    def shoot(count: int) -> list[tuple[Bytes, Bytes]]:
        pairs = []
        for _ in range(count):
            scene = clean[int(rng.integers(len(clean)))]
            picture = scene[_crop(scene, TARGET, TARGET, rng)]
            if setting.gray:
                gray = picture.astype(np.float32).mean(-1, keepdims=True)
                picture = np.broadcast_to(np.rint(gray).astype(np.uint8), picture.shape)
            pairs.append((classical_noise.add_noise(picture, setting, rng), picture))
        return pairs

    return Setting(_drawn_references(shoot, rng, setting.gray), stack_targets(shoot(4)))


def _drawn_references(
    shoot: Callable[[int], list[tuple[Bytes, Bytes]]], rng: Rng, gray: bool
) -> list[ReferenceSet]:
    sets = []
    for _ in range(2):
        blind = rng.random() < BLIND_SHARE
        pairs = shoot(int(rng.choice([1, 2, 4, 8], p=[0.25, 0.25, 0.25, 0.25])))
        parts = [reference_windows(noisy, pure, blind, 1024) for noisy, pure in pairs]
        sets.append(measure_references(parts, gray))
    return sets
