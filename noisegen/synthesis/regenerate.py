"""A dataset made again from its recipe and profiles, and compared with what the manifest says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from noisegen.errors import ImageError
from noisegen.images import read_picture
from noisegen.synthesis.folder import METADATA, Folder
from noisegen.synthesis.manifest import PairLine, read_lines
from noisegen.synthesis.verify import Fault

LARGEST_STEP = 1
"""Most steps of 8 bits that a sample may differ by elsewhere."""

LARGEST_SHARE = 1e-3
"""Share of samples that may differ by a step (design.md, *What always holds*)."""


@dataclass(frozen=True)
class Comparison:
    """A dataset made again against its manifest.

    Attributes:
        pairs: that were compared.
        within: of them, pairs that differ by no more than another machine may.
        faults: what is missing, changed or different.
    """

    pairs: int
    within: int
    faults: tuple[Fault, ...]


def manifest_beside(recipe: Path) -> list[PairLine] | None:
    """The manifest in a recipe's folder; None where the recipe stands alone.

    Raises:
        ManifestError: it is damaged.
    """
    path = recipe.with_name(f"{METADATA}.jsonl")
    return list(read_lines(path)) if path.exists() else None


def compare(
    former: Sequence[PairLine], old: Path, new: Path, tolerance: bool = False
) -> Comparison:
    """Compares a dataset of folders with the manifest that it should have.

    Args:
        former: that manifest.
        old: folder of the former dataset; its noisy pictures are read where the tolerance needs
            them.
        new: folder of the dataset made again.
        tolerance: accept what another machine or version may differ by.

    Raises:
        ManifestError: the new manifest is damaged.
    """
    made = {line.noisy_file_name: line for line in read_lines(Folder(new).metadata)}
    faults, within = [], 0
    for line in former:
        again = made.pop(line.noisy_file_name, None)
        if again is None:
            faults.append(Fault(line.noisy_file_name, "was not made again: its clean is missing"))
        elif again.clean_sha256 != line.clean_sha256:
            faults.append(Fault(line.clean_file_name, "its clean file has changed"))
        elif again.noisy_sha256 != line.noisy_sha256:
            reason = "came out otherwise"
            if tolerance:
                beyond = _beyond_tolerance(old / line.noisy_file_name, new / line.noisy_file_name)
                within += beyond is None
                reason = beyond or ""
            if reason:
                faults.append(Fault(line.noisy_file_name, reason))
    faults += [Fault(name, "is new: the manifest does not name it") for name in made]
    return Comparison(len(former), within, tuple(faults))


def _beyond_tolerance(old: Path, new: Path) -> str | None:
    """How far two pictures are apart, if more than machines may differ."""
    try:
        before, after = read_picture(old), read_picture(new)
    except ImageError as error:
        return f"came out otherwise, and cannot be compared: {error.reason}"
    if before.pixels.shape != after.pixels.shape or before.dtype != after.dtype:
        return "came out in another size or type"
    a, b = before.pixels.astype(np.int64), after.pixels.astype(np.int64)
    apart = np.abs(a - b)
    # Of deep pictures the last level is rounded another way anywhere, and a step is one of what
    # they use: the white level of 12 bits in 16 is not the type's.
    deep = before.dtype != np.uint8
    step = max(1.0, max(a.max(), b.max()) / 255) if deep else 1.0
    share = float((apart > (1 if deep else 0)).mean())
    if apart.max() <= LARGEST_STEP * step and share <= LARGEST_SHARE:
        return None
    steps = apart.max() / step
    return f"came out otherwise: by up to {steps:.0f} steps of 8 bits, on {100 * share:.2f} %"
