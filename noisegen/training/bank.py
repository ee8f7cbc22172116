"""The bank of training episodes: camera settings with reference sets and targets apart from them.

Measuring a reference set takes longer than a training step on it, so sets are drawn and measured
once, stored in compact shards, and recombined with targets while training. A reference and its
target never show the same place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from noisegen.errors import BadReferenceError
from noisegen.files import to_float
from noisegen.model.conditioning import Statistics
from noisegen.model.denoiser import Denoiser
from noisegen.model.encoder import ReferenceWindows
from noisegen.noise.arrays import Bytes, Rng
from noisegen.noise.record import Recording
from noisegen.noise.windows import Windows, join
from noisegen.profiles.fit import measure_whole
from noisegen.profiles.tensors import statistics_tensors
from noisegen.references.lone import lone_windows
from noisegen.references.misplaced import paired_windows

TARGET = 128
"""Side of a target crop, in pixels."""

KEPT_WINDOWS = 48
"""Windows of a reference set that the bank keeps for the encoder; statistics see all."""

SHOWN_WINDOWS = 16
"""Windows of those, drawn anew each time, that the encoder sees in one training step."""

RECORDED = Recording.even(3, 1 / 255)
"""How the training pictures hold their noise: in 8 bits."""

STATISTICS = tuple(f.name for f in fields(Statistics))


@dataclass(frozen=True)
class ReferenceSet:
    """One set of references, measured.

    Attributes:
        windows: N×2×3×32×32 float16: residual and clean.
        statistics: of all the set's windows, a batch of one.
        estimated: the clean was estimated.
    """

    windows: NDArray[np.float16]
    statistics: Statistics
    estimated: bool


@dataclass(frozen=True)
class Setting:
    """One camera setting: reference sets, and targets M×2×3×128×128 (noisy, clean)."""

    references: list[ReferenceSet]
    targets: Bytes


References = tuple[ReferenceWindows, Statistics]
"""Windows and statistics of some reference sets."""


@dataclass(frozen=True)
class Batch:
    """One training batch: B reference sets, each with T targets.

    Attributes:
        windows: of the B sets.
        statistics: of the B sets.
        noisy: (B·T)×3×crop×crop in [0, 1].
        clean: the same of the clean.
        other: each setting's other reference set, where it was asked for.
    """

    windows: ReferenceWindows
    statistics: Statistics
    noisy: torch.Tensor
    clean: torch.Tensor
    other: References | None = None


def measure_references(parts: Sequence[Windows], gray: bool) -> ReferenceSet:
    """Joins windows, measures all of them, keeps a subset for the encoder."""
    windows = join(parts)
    if gray:
        residual, clean = windows.residual[:, :1], windows.clean[:, :1]
        recording = windows.recording.first()
        windows = replace(windows, residual=residual, clean=clean, recording=recording)
    statistics = statistics_tensors(measure_whole(windows))
    kept = windows.take(KEPT_WINDOWS)
    stacked = np.stack([kept.residual, kept.clean], 1).astype(np.float16)
    stacked = np.broadcast_to(stacked, (len(kept), 2, 3, *stacked.shape[-2:])) if gray else stacked
    return ReferenceSet(np.ascontiguousarray(stacked), statistics, windows.estimated)


def reference_windows(noisy: Bytes, clean: Bytes, denoiser: Denoiser | None, limit: int) -> Windows:
    """Windows of one reference crop, H×W×C uint8.

    Args:
        noisy: the crop.
        clean: its clean.
        denoiser: that estimates the clean instead, where noise can be seen; None for the clean.
        limit: windows at most.
    """
    picture = to_float(noisy, 255)
    if denoiser is not None:
        with suppress(BadReferenceError):
            return lone_windows(picture, RECORDED, denoiser).take(limit)
    return paired_windows(picture, to_float(clean, 255), RECORDED).take(limit)


def stack_targets(pairs: Iterable[tuple[Bytes, Bytes]]) -> Bytes:
    """Stacks pairs of H×W×C crops as M×2×3×128×128, gray repeated."""
    rgb = [np.broadcast_to(crop, (*crop.shape[:2], 3)) for pair in pairs for crop in pair]
    stacked = np.stack(rgb).reshape(-1, 2, *rgb[0].shape)
    return np.ascontiguousarray(stacked.transpose(0, 1, 4, 2, 3))


class Shard:
    """Settings of one source as flat arrays, in one file."""

    def __init__(self, arrays: dict[str, NDArray[np.generic]]) -> None:
        self._arrays = arrays

    @classmethod
    def pack(cls, settings: Sequence[Setting]) -> Shard:
        """Flattens settings into arrays."""
        sets = [reference for setting in settings for reference in setting.references]
        arrays: dict[str, NDArray[np.generic]] = {
            "targets": np.concatenate([setting.targets for setting in settings]),
            "target_offsets": _offsets(len(setting.targets) for setting in settings),
            "reference_offsets": _offsets(len(setting.references) for setting in settings),
            "windows": np.concatenate([reference.windows for reference in sets]),
            "window_offsets": _offsets(len(reference.windows) for reference in sets),
            "estimated": np.array([reference.estimated for reference in sets]),
        }
        for name in STATISTICS:
            values = [getattr(reference.statistics, name).numpy() for reference in sets]
            arrays[name] = np.concatenate(values)
        return cls(arrays)

    def save(self, path: Path) -> None:
        """Writes the file, whole or not at all."""
        # Hidden: a killed job's part must not pass for a shard of the kind.
        temporary = path.with_name(f".{path.name}")
        np.savez(temporary, **self._arrays)  # type: ignore[arg-type]  # numpy's stub lacks this
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> Shard:
        """Reads what :meth:`save` wrote; no pickle."""
        with np.load(path, allow_pickle=False) as file:
            return cls({name: file[name] for name in file.files})

    def __len__(self) -> int:
        return len(self._arrays["target_offsets"]) - 1

    def reference(self, setting: int, rng: Rng) -> tuple[NDArray[np.generic], bool, Statistics]:
        """A random reference set of a setting: some of its windows, flag, measures."""
        a = self._arrays
        reference = int(rng.integers(*_span(a["reference_offsets"], setting)))
        start, end = _span(a["window_offsets"], reference)
        shown = start + rng.permutation(end - start)[:SHOWN_WINDOWS]
        statistics = Statistics(
            *(torch.from_numpy(a[name][reference : reference + 1].copy()) for name in STATISTICS)
        )
        return a["windows"][shown], bool(a["estimated"][reference]), statistics

    def pairs(self, count: int, rng: Rng) -> list[tuple[Bytes, Bytes]]:
        """Random targets, noisy and clean, H×W×3."""
        targets = self._arrays["targets"]
        chosen = rng.permutation(len(targets))[:count]
        pictures = targets[chosen].transpose(0, 1, 3, 4, 2).astype(np.uint8)
        return [(noisy, clean) for noisy, clean in pictures]

    def episode(
        self, setting: int, targets: int, crop: int, rng: Rng
    ) -> tuple[NDArray[np.generic], bool, Statistics, NDArray[np.generic]]:
        """A random reference set of a setting and random targets: windows, flag, measures, crops.

        Returns:
            N×2×3×32×32 float16, estimated, statistics (batch of one), T×2×3×crop×crop uint8.
        """
        shown = self.reference(setting, rng)
        first, last = _span(self._arrays["target_offsets"], setting)
        chosen = first + rng.permutation(last - first)[np.arange(targets) % (last - first)]
        y, x = (int(rng.integers((TARGET - crop) // 8 + 1)) * 8 for _ in range(2))
        return *shown, self._arrays["targets"][chosen, ..., y : y + crop, x : x + crop]


def _offsets(lengths: Iterable[int]) -> NDArray[np.int64]:
    return np.cumsum([0, *lengths]).astype(np.int64)


def _span(offsets: NDArray[np.generic], index: int) -> tuple[int, int]:
    return int(offsets[index]), int(offsets[index + 1])


@dataclass(frozen=True)
class Source:
    """A share of every batch: shards that are sampled alike."""

    name: str
    share: float
    shards: tuple[Shard, ...]

    def pairs(self, count: int, rng: Rng) -> list[tuple[Bytes, Bytes]]:
        """About ``count`` random targets, noisy and clean, evenly over the shards."""
        each = -(-count // len(self.shards))
        return [pair for shard in self.shards for pair in shard.pairs(each, rng)][:count]


def batches(
    sources: Sequence[Source], sets: int, targets: int, crop: int, rng: Rng, two: bool = False
) -> Iterator[Batch]:
    """Draws batches without end.

    Args:
        sources: of the episodes, with their shares.
        sets: reference sets a batch.
        targets: crops a reference set.
        crop: their side, in pixels.
        rng: what decides it all.
        two: with another reference set of each setting.
    """
    shares = np.array([source.share for source in sources])
    shares = shares / shares.sum()
    while True:
        episodes, others = [], []
        for choice in rng.choice(len(sources), size=sets, p=shares):
            shards = sources[choice].shards
            sizes = np.array([len(shard) for shard in shards])
            shard = shards[int(rng.choice(len(shards), p=sizes / sizes.sum()))]
            setting = int(rng.integers(len(shard)))
            episodes.append(shard.episode(setting, targets, crop, rng))
            if two:
                others.append(shard.reference(setting, rng))
        crops = np.concatenate([crops for *_, crops in episodes])
        noisy, clean = (torch.from_numpy(crops).float() / 255).unbind(1)
        shown = _stack_references([episode[:3] for episode in episodes])
        yield Batch(*shown, noisy, clean, _stack_references(others) if two else None)


def _stack_references(
    references: Sequence[tuple[NDArray[np.generic], bool, Statistics]],
) -> References:
    """Pads the windows to the longest set."""
    longest = max(len(windows) for windows, *_ in references)
    windows = torch.zeros(len(references), longest, 2, 3, *references[0][0].shape[-2:])
    valid = torch.zeros(len(references), longest, dtype=torch.bool)
    for row, (values, *_) in enumerate(references):
        windows[row, : len(values)] = torch.from_numpy(values).float()
        valid[row, : len(values)] = True
    flags = torch.tensor([float(estimated) for _, estimated, _ in references])
    return (
        ReferenceWindows(windows[:, :, 0], windows[:, :, 1], valid, flags),
        Statistics.stack([statistics for *_, statistics in references]),
    )


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Moves a batch to a device."""

    def moved(shown: References) -> References:
        windows, statistics = shown
        tensors = (value.to(device) for value in vars(windows).values())
        return ReferenceWindows(*tensors), statistics.to(device)

    shown = moved((batch.windows, batch.statistics))
    other = moved(batch.other) if batch.other else None
    return Batch(*shown, batch.noisy.to(device), batch.clean.to(device), other)
