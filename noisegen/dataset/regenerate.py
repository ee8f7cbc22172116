"""A dataset made again from its recipe and profiles, and compared with what the manifest says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from noisegen.dataset.cleans import find_cleans
from noisegen.dataset.export import require_packages
from noisegen.dataset.folder import METADATA, Folder, check_output
from noisegen.dataset.make import Plan, Workshop, check_engine, plan_run
from noisegen.dataset.manifest import PairLine, read_lines
from noisegen.dataset.plan import DatasetOptions, MachineOptions, RunOptions, Skipped
from noisegen.dataset.recipe import load_profiles, make_recipe, read_recipe
from noisegen.dataset.survey import first_of
from noisegen.dataset.verify import Fault
from noisegen.errors import OutputError, UsageError, WeightsError
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

    def faults(self, skipped: Sequence[Skipped]) -> tuple[Fault, ...]:
        """What is missing, changed or different, against the manifest.

        Args:
            skipped: cleans that could not be used.

        Raises:
            ManifestError: the new manifest is damaged.
        """
        unfit = {_key(one): one.reason for one in skipped}
        return tuple(_faults(self.manifest or [], self.plan.run.folder, unfit))


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
    if Folder(out).metadata.exists():
        # Its pairs would be kept, whatever became of the cleans and of noisegen since.
        way_out = "name a new folder, or check it with noisegen verify"
        raise OutputError(f"{out}: is finished, so that nothing would be made again; {way_out}")
    beside = recipe.with_name(f"{METADATA}.jsonl")
    manifest = list(read_lines(beside)) if beside.exists() else None
    profiles = load_profiles(former, recipe.parent)
    name, loaded = _weights_of(former.weights[1], weights)
    today = make_recipe(former.options, profiles, loaded, kind)
    check_output(out)
    if manifest is None:
        found = find_cleans(clean, out)
    else:
        named = {line.seed_key: _output(line, former.options) for line in manifest}
        found = find_cleans(clean, out, named)
        skipped = tuple(one for one in found.skipped if _key(one) in named)
        found = replace(found, skipped=skipped, others=())
    # Its profiles as the recipe has them, so that both recipes are the same bytes.
    again = replace(today, profiles=former.profiles, drawn=former.drawn)
    plan = plan_run(again, profiles, found, Folder(out), Workshop(run, loaded, name))
    if not plan.surveyed.files:
        unfit, none = plan.run.skipped, f"--clean {clean}: holds none of the dataset's clean images"
        raise UsageError(first_of(unfit) if unfit else none)
    return Again(plan, recipe, manifest)


def _key(skipped: Skipped) -> str:
    return unicodedata.normalize("NFC", skipped.file)


def _output(line: PairLine, options: DatasetOptions) -> PurePosixPath:
    """The output of a clean file that :meth:`DatasetOptions.numbered` made a pair's path of."""
    path = PurePosixPath(line.relative)
    crop = "" if options.patch is None else r"_p\d+"
    variant = "" if options.variants == 1 else r"_v\d+"
    stem = re.sub(f"{crop}{variant}$", "", path.stem) or path.stem
    return path.with_name(f"{stem}{path.suffix}")


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


def _faults(former: Sequence[PairLine], new: Folder, unfit: Mapping[str, str]) -> Iterator[Fault]:
    """Compare a dataset with the manifest that it should have, pair by pair."""
    made = {line.noisy_file_name: line for line in read_lines(new.metadata)}
    for line in dict.fromkeys(former):
        again = made.pop(line.noisy_file_name, None)
        if again is None:
            reason = unfit.get(line.seed_key, "its clean is missing")
            yield Fault(line.noisy_file_name, f"was not made again: {reason}")
        elif again.clean_sha256 != line.clean_sha256:
            yield Fault(line.clean_file_name, "its clean file has changed")
        elif again.noisy_sha256 != line.noisy_sha256:
            yield Fault(line.noisy_file_name, "came out otherwise")
        elif differing := again.differences(line):
            told = f"the manifest tells another {', '.join(differing)}"
            yield Fault(line.noisy_file_name, f"is the same, but {told}")
    for name in made:
        yield Fault(name, "is new: the manifest does not name it")
