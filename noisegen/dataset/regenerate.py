"""A dataset made again from its recipe and profiles, and compared with what the manifest says."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from noisegen.dataset.cleans import find_cleans
from noisegen.dataset.export import require_packages
from noisegen.dataset.folder import METADATA, Folder, check_output
from noisegen.dataset.make import Plan, Workshop, check_engine, plan_run
from noisegen.dataset.manifest import PairLine, read_lines
from noisegen.dataset.plan import Layout, MachineOptions, RunOptions
from noisegen.dataset.recipe import load_profiles, make_recipe, read_recipe
from noisegen.dataset.stored import stored_name, stored_pairs
from noisegen.dataset.tolerance import beyond_tolerance
from noisegen.dataset.verify import Fault
from noisegen.errors import UsageError, WeightsError
from noisegen.model.weights import Weights, load_weights

SHIPPED = ("base", "sim")
"""Weights that a recipe's hash is looked for among."""


@dataclass(frozen=True)
class Again:
    """A dataset that is ready to be made again.

    Attributes:
        plan: of its making.
        recipe: file of its recipe.
        manifest: what it should come to; None where the recipe stands alone.
    """

    plan: Plan
    recipe: Path
    manifest: list[PairLine] | None

    def compared(self, tolerance: bool = False) -> Comparison:
        """What was made against the manifest; see :func:`compare`."""
        out, layout = self.plan.run.folder.root, self.plan.run.recipe.options.layout
        return compare(self.manifest or [], self.recipe.parent, out, layout, tolerance)


def plan_again(
    recipe: Path, clean: Path, out: Path, weights: str | None, machine: MachineOptions
) -> Again:
    """Checks all that can be known before a dataset is made again.

    Args:
        recipe: its ``noisegen.json``, with ``profiles/`` beside it.
        clean: the clean pictures that it was made of, and perhaps others.
        out: folder for it.
        weights: their file, where they are none of the shipped.
        machine: what it is made with.

    Raises:
        NoisegenError: it cannot be made again; nothing was written.
    """
    run = RunOptions(**vars(machine))
    kind = check_engine(run)
    former = read_recipe(recipe)
    require_packages(former.options.layout)
    if out.resolve() == recipe.parent.resolve():
        raise UsageError(f"--out {out}: is the dataset itself; name another folder")
    beside = recipe.with_name(f"{METADATA}.jsonl")
    manifest = list(read_lines(beside)) if beside.exists() else None
    profiles = load_profiles(former, recipe.parent)
    name, loaded = _weights_of(former.weights[1], weights)
    today = make_recipe(former.options, profiles, loaded, kind)
    check_output(out)
    found = find_cleans(clean, out)
    if manifest is not None:
        named = {line.seed_key for line in manifest}
        files = tuple(file for file in found.files if file.key in named)
        found = replace(found, files=files, skipped=())
    # Its profiles as the recipe has them, so that both recipes are the same bytes.
    again = replace(today, profiles=former.profiles, drawn=former.drawn)
    plan = plan_run(again, profiles, found, Folder(out), Workshop(run, loaded, name))
    if not plan.surveyed.files:
        raise UsageError(f"--clean {clean}: holds none of the dataset's clean images")
    return Again(plan, recipe, manifest)


def _weights_of(sha256: str, given: str | None) -> tuple[str, Weights]:
    """Name and weights of a hash: the given ones, or one of the shipped.

    Raises:
        WeightsError: they are others, or none of the shipped.
    """
    for name in [given] if given else SHIPPED:
        loaded = load_weights(name)
        if loaded.sha256 == sha256:
            return name, loaded
    if given:
        raise WeightsError(f"--weights {given}: not those that the dataset was made with")
    raise WeightsError(
        f"the dataset was made with weights of hash {sha256[:16]}…, which are not shipped with "
        "this noisegen; name their file with --weights, or install the version that made it"
    )


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
