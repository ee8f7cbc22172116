"""Real pairs of a camera → settings of the bank, cleaned of what is not noise.

Drift moves from the residual into the clean. Targets whose residual follows the clean's gradient
are left out; where that leaves too few, the clean is moved by the sub-pixel shift that explains
the residual best. References stay as they are, as far as users' references do: only gross damage
of theirs is repaired.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from noisegen.errors import UsageError
from noisegen.files import read_picture
from noisegen.model.denoiser import Denoiser
from noisegen.noise.arrays import Bytes, Rng
from noisegen.references.discover import find_pictures
from noisegen.training.bank import (
    TARGET,
    ReferenceSet,
    Setting,
    measure_references,
    reference_windows,
    stack_targets,
)
from noisegen.training.crops import random_place
from noisegen.training.realdata import (
    W2S_TRAIN_FIELDS,
    Pair,
    drift_free,
    is_registered,
    polyu_pair,
    undo_shift,
    w2s_pair,
)

BLIND_SHARE = 0.25
"""Share of reference sets whose clean is estimated."""

TARGETS_A_PICTURE = 48
REFERENCE_SETS = 14
"""Reference sets of each setting, measured once."""

LARGEST_REFERENCE = 10.3
"""Side of the largest reference crop, as a power of 2: 1260 px."""


Group = tuple[Pair, ...]
"""Pictures of one camera at one setting, all gray or all RGB."""


@dataclass
class Report:
    """Count of what became of a group's target crops.

    Attributes:
        kept: registered as they were.
        shifted: registered after their clean was moved.
        dropped: following the clean's gradient.
    """

    kept: int = 0
    shifted: int = 0
    dropped: int = 0

    def __str__(self) -> str:
        return (
            f"{self.kept} target crops kept, {self.shifted} more after undoing a sub-pixel shift, "
            f"{self.dropped} left out: their residual follows the clean's gradient"
        )


def polyu_group(data: Path, scene: str) -> Group:
    """One PolyU scene."""
    return (polyu_pair(data, scene),)


def w2s_group(data: Path, channel: int) -> Group:
    """W2S's training fields in one channel."""
    return tuple(w2s_pair(data, field, channel) for field in W2S_TRAIN_FIELDS)


def user_groups(noisy: Path, clean: Path) -> dict[str, Group]:
    """Reads a user's folders of 8-bit pairs with equal relative paths, by their shards' names.

    Each subfolder is one setting.

    Raises:
        UsageError: a picture has no counterpart, another shape, or another type than 8 bits; or a
            folder mixes gray and RGB or holds too small a picture.
    """
    folders: dict[Path, list[Pair]] = {}
    for path in find_pictures([str(noisy)], "--pairs"):
        relative = path.relative_to(noisy)
        if not (clean / relative).is_file():
            raise UsageError(f"{path}: has no clean {clean / relative}; pairs share their names")
        shot, pure = (read_picture(file).pixels for file in (path, clean / relative))
        if shot.dtype != np.uint8 or shot.shape != pure.shape or pure.dtype != np.uint8:
            raise UsageError(f"{path}: not of the size and the 8 bits of its clean; convert both")
        folders.setdefault(relative.parent, []).append(drift_free(relative.stem, shot, pure))
    found = {}
    for folder, pairs in sorted(folders.items()):
        if len({pair.noisy.shape[-1] for pair in pairs}) > 1:
            raise UsageError(f"{noisy / folder}: gray beside RGB; give each a folder of its own")
        least = (TARGET, TARGET if len(pairs) > 1 else 2 * TARGET)
        if any(side < least[i] for pair in pairs for i, side in enumerate(pair.noisy.shape[:2])):
            size = "{}×{} pixels high and wide".format(*least)
            raise UsageError(f"{noisy / folder}: holds a picture that is smaller than {size}")
        found[f"own-{'-'.join(folder.parts) or noisy.resolve().name}"] = tuple(pairs)
    return found


def settings_of(group: Group, rng: Rng, report: Report, denoiser: Denoiser) -> Iterator[Setting]:
    """Makes two settings of a group: each half of its pictures is once reference, once target."""
    halves = _halves(group)
    for references, targets in (halves, halves[::-1]):
        each = max(4, TARGETS_A_PICTURE * 8 // (len(targets) + 7))
        crops = [crop for pair in targets for crop in registered_crops(pair, each, rng, report)]
        if crops:
            gray = references[0].noisy.shape[-1] == 1
            sets = [_reference_set(references, rng, denoiser, gray) for _ in range(REFERENCE_SETS)]
            yield Setting(sets, stack_targets(crops))


def _halves(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Splits a group: every other picture; of one picture, its left and right half."""
    if len(pairs) > 1:
        return list(pairs[::2]), list(pairs[1::2])
    pair = pairs[0]
    middle = pair.noisy.shape[1] // 32 * 16
    left, right = (
        [Pair(pair.name, pair.noisy[:, part], pair.clean[:, part])]
        for part in (slice(0, middle), slice(middle, None))
    )
    return left, right


def registered_crops(pair: Pair, count: int, rng: Rng, report: Report) -> list[tuple[Bytes, Bytes]]:
    """Registered target crops of a picture."""
    crops, refused = _registered(pair.noisy, pair.clean, count, rng)
    report.kept += len(crops)
    report.dropped += refused
    if len(crops) < count // 2:
        clean = undo_shift(pair.noisy, pair.clean)
        moved, _ = _registered(pair.noisy, clean, count - len(crops), rng)
        report.shifted += len(moved)
        crops += moved
    return crops


def _registered(
    noisy: Bytes, clean: Bytes, count: int, rng: Rng
) -> tuple[list[tuple[Bytes, Bytes]], int]:
    """Registered crops, and how many were refused on the way."""
    crops: list[tuple[Bytes, Bytes]] = []
    for attempt in range(4 * count):
        place = random_place(noisy.shape[:2], TARGET, rng, grid=16)
        if is_registered(noisy[place], clean[place]):
            crops.append((noisy[place], clean[place]))
        if len(crops) == count:
            return crops, attempt + 1 - count
    return crops, 4 * count - len(crops)


def _reference_set(pairs: Sequence[Pair], rng: Rng, denoiser: Denoiser, gray: bool) -> ReferenceSet:
    """One to four crops of random size, paired or blind."""
    estimates = denoiser if rng.random() < BLIND_SHARE else None
    parts = []
    for _ in range(int(rng.choice([1, 2, 3, 4], p=[0.55, 0.2, 0.15, 0.1]))):
        pair = pairs[int(rng.integers(len(pairs)))]
        side = int(2 ** rng.uniform(7, LARGEST_REFERENCE))
        place = random_place(pair.noisy.shape[:2], side, rng, grid=8)
        parts.append(reference_windows(pair.noisy[place], pair.clean[place], estimates, 1024))
    return measure_references(parts, gray)
