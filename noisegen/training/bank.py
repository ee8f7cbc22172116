"""The bank of training episodes: camera settings with reference sets and targets apart from them.

Measuring a reference set takes longer than a training step on it, so sets are drawn and measured
once, stored in compact shards, and recombined with targets while training. A reference and its
target never show the same place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from noisegen.errors import BadReferenceError
from noisegen.images import to_float
from noisegen.model.conditioning import Statistics
from noisegen.model.encoder import ReferenceWindows
from noisegen.references.estimate import blind_windows
from noisegen.references.statistics import measure
from noisegen.references.tensors import statistics_tensors
from noisegen.references.windows import Windows, join, paired_windows

Bytes = NDArray[np.uint8]
Rng = np.random.Generator

TARGET = 128
"""Side of a target crop, in pixels."""

KEPT_WINDOWS = 48
"""Windows of a reference set that the bank keeps for the encoder; statistics see all."""

SHOWN_WINDOWS = 16
"""Windows of those, drawn anew each time, that the encoder sees in one training step."""

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


@dataclass(frozen=True)
class Batch:
    """One training batch: B reference sets, each with T targets.

    Attributes:
        windows: of the B sets.
        statistics: of the B sets.
        noisy: (B·T)×3×crop×crop in [0, 1].
        clean: the same of the clean.
    """

    windows: ReferenceWindows
    statistics: Statistics
    noisy: torch.Tensor
    clean: torch.Tensor


def measure_references(parts: Sequence[Windows], gray: bool) -> ReferenceSet:
    """Joins windows, measures all of them, keeps a subset for the encoder."""
    windows = join(parts)
    if gray:
        windows = Windows(windows.residual[:, :1], windows.clean[:, :1], windows.estimated)
    statistics = statistics_tensors(measure(windows))
    kept = windows.take(KEPT_WINDOWS)
    stacked = np.stack([kept.residual, kept.clean], 1).astype(np.float16)
    stacked = np.broadcast_to(stacked, (len(kept), 2, 3, *stacked.shape[-2:])) if gray else stacked
    return ReferenceSet(np.ascontiguousarray(stacked), statistics, windows.estimated)


def reference_windows(noisy: Bytes, clean: Bytes, blind: bool, limit: int) -> Windows:
    """Windows of one reference crop, H×W×C uint8; blindly if asked and if its noise can be seen."""
    picture = to_float(noisy, 255)
    if blind:
        with suppress(BadReferenceError):
            return blind_windows(picture, "training reference").take(limit)
    return paired_windows(picture, to_float(clean, 255)).take(limit)


def stack_targets(pairs: Iterable[tuple[Bytes, Bytes]]) -> Bytes:
    """Pairs of H×W×C crops → M×2×3×128×128."""
    stacked = [np.stack([noisy, clean]).transpose(0, 3, 1, 2) for noisy, clean in pairs]
    return np.ascontiguousarray(np.stack(stacked))


class Shard:
    """Settings of one source as flat arrays, in one file."""

    def __init__(self, arrays: dict[str, NDArray[np.generic]]) -> None:
        self._arrays = arrays

    @classmethod
    def pack(cls, settings: Sequence[Setting]) -> Shard:
        """Flattens settings."""
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
        temporary = path.with_suffix(".part.npz")
        np.savez(temporary, **self._arrays)  # type: ignore[arg-type]  # numpy's stub lacks this
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> Shard:
        """Reads what :meth:`save` wrote; no pickle."""
        with np.load(path, allow_pickle=False) as file:
            return cls({name: file[name] for name in file.files})

    def __len__(self) -> int:
        return len(self._arrays["target_offsets"]) - 1

    def episode(
        self, setting: int, targets: int, crop: int, rng: Rng
    ) -> tuple[NDArray[np.generic], bool, Statistics, NDArray[np.generic]]:
        """A random reference set of a setting and random targets: windows, flag, measures, crops.

        Returns:
            N×2×3×32×32 float16, estimated, statistics (batch of one), T×2×3×crop×crop uint8.
        """
        a = self._arrays
        reference = int(rng.integers(*_span(a["reference_offsets"], setting)))
        start, end = _span(a["window_offsets"], reference)
        shown = start + rng.permutation(end - start)[:SHOWN_WINDOWS]
        statistics = Statistics(
            *(torch.from_numpy(a[name][reference : reference + 1].copy()) for name in STATISTICS)
        )
        first, last = _span(a["target_offsets"], setting)
        chosen = first + rng.permutation(last - first)[np.arange(targets) % (last - first)]
        return (
            a["windows"][shown],
            bool(a["estimated"][reference]),
            statistics,
            a["targets"][(chosen, slice(None), slice(None), *_place(crop, rng))],
        )


def _place(crop: int, rng: Rng) -> tuple[slice, slice]:
    """A random crop of the targets on the 8×8 grid."""
    y, x = (int(rng.integers((TARGET - crop) // 8 + 1)) * 8 for _ in range(2))
    return slice(y, y + crop), slice(x, x + crop)


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


def batches(
    sources: Sequence[Source], sets: int, targets: int, crop: int, rng: Rng
) -> Iterator[Batch]:
    """Endless batches of ``sets`` reference sets with ``targets`` crops of ``crop`` px each."""
    shares = np.array([source.share for source in sources])
    shares = shares / shares.sum()
    while True:
        episodes = []
        for choice in rng.choice(len(sources), size=sets, p=shares):
            shards = sources[choice].shards
            sizes = np.array([len(shard) for shard in shards])
            shard = shards[int(rng.choice(len(shards), p=sizes / sizes.sum()))]
            episodes.append(shard.episode(int(rng.integers(len(shard))), targets, crop, rng))
        yield collate(episodes)


def collate(
    episodes: Sequence[tuple[NDArray[np.generic], bool, Statistics, NDArray[np.generic]]],
) -> Batch:
    """Pads the windows and stacks the rest."""
    longest = max(len(windows) for windows, *_ in episodes)
    windows = torch.zeros(len(episodes), longest, 2, 3, *episodes[0][0].shape[-2:])
    valid = torch.zeros(len(episodes), longest, dtype=torch.bool)
    for row, (values, *_) in enumerate(episodes):
        windows[row, : len(values)] = torch.from_numpy(values).float()
        valid[row, : len(values)] = True
    flags = torch.tensor([float(estimated) for _, estimated, *_ in episodes])
    crops = torch.from_numpy(np.concatenate([crops for *_, crops in episodes])).float() / 255
    return Batch(
        ReferenceWindows(windows[:, :, 0], windows[:, :, 1], valid, flags),
        Statistics.stack([statistics for _, _, statistics, _ in episodes]),
        noisy=crops[:, 0],
        clean=crops[:, 1],
    )
