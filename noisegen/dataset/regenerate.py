"""A dataset made again from its recipe and profiles, and compared with what the manifest says."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from noisegen.dataset.folder import METADATA, Folder
from noisegen.dataset.manifest import PairLine, read_lines
from noisegen.dataset.plan import Layout
from noisegen.dataset.stored import stored_name, stored_pairs
from noisegen.dataset.tolerance import beyond_tolerance
from noisegen.dataset.verify import Fault


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
    former: Sequence[PairLine], old: Path, new: Path, layout: Layout, tolerance: bool = False
) -> Comparison:
    """Compares a dataset with the manifest that it should have.

    Args:
        former: that manifest.
        old: folder of the former dataset; its noisy pictures are read where the tolerance needs
            them.
        new: folder of the dataset made again.
        layout: of both.
        tolerance: accept what another machine or version may differ by.

    Raises:
        ManifestError: the new manifest is damaged.
        LayoutError: an archive is damaged, or not there.
    """
    made = {line.noisy_file_name: line for line in read_lines(Folder(new).metadata)}
    faults, otherwise = [], []
    for line in former:
        again = made.pop(line.noisy_file_name, None)
        if again is None:
            faults.append(Fault(line.noisy_file_name, "was not made again: its clean is missing"))
        elif again.clean_sha256 != line.clean_sha256:
            faults.append(Fault(line.clean_file_name, "its clean file has changed"))
        elif again.noisy_sha256 != line.noisy_sha256:
            otherwise.append(line)
    within = 0
    if tolerance and otherwise:
        for line, reason in _judged(otherwise, old, new, layout):
            within += reason is None
            if reason is not None:
                faults.append(Fault(line.noisy_file_name, reason))
    else:
        faults += [Fault(line.noisy_file_name, "came out otherwise") for line in otherwise]
    faults += [Fault(name, "is new: the manifest does not name it") for name in made]
    return Comparison(len(former), within, tuple(faults))


def _judged(
    lines: Sequence[PairLine], old: Path, new: Path, layout: Layout
) -> Iterator[tuple[PairLine, str | None]]:
    """Each line with how far its two noisy pictures are apart, if further than they may be."""
    missing = {stored_name(line, layout): line for line in lines}
    with tempfile.TemporaryDirectory() as folder:
        for name, before, after in _side_by_side(lines, old, new, layout, Path(folder)):
            yield missing.pop(name), beyond_tolerance(before, after)
    for line in missing.values():
        yield line, "came out otherwise, and the former one is not there to compare with"


def _side_by_side(
    lines: Sequence[PairLine], old: Path, new: Path, layout: Layout, scratch: Path
) -> Iterator[tuple[str, Path, Path]]:
    """Stored name and both noisy files of each pair that both datasets hold.

    Archives are read once, together. They hold their pairs in one order, unless one was made in
    shards: what has no partner yet is kept in the scratch folder.
    """
    wanted = {stored_name(line, layout) for line in lines}
    stored = []
    for out, name in ((old, "old"), (new, "new")):
        (scratch / name).mkdir()
        stored.append(stored_pairs(out, layout, lines, scratch / name))
    waiting: list[dict[str, Path]] = [{}, {}]
    for number, both in enumerate(zip_longest(*stored)):
        for side, pair in enumerate(both):
            if pair is None or pair.relative not in wanted:
                continue
            noisy = pair.noisy
            if scratch in noisy.parents:
                noisy = noisy.rename(scratch / f"{side}-{number}")
            waiting[side][pair.relative] = noisy
        for name in waiting[0].keys() & waiting[1].keys():
            before, after = waiting[0].pop(name), waiting[1].pop(name)
            yield name, before, after
            for path in (before, after):
                if scratch in path.parents:
                    path.unlink()
