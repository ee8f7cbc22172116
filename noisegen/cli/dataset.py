"""The commands that make, pack, check and remake datasets."""

from __future__ import annotations

from typing import Any

import typer

from noisegen.cli.commands import Export, Merge, Regenerate, Synth, Verify
from noisegen.cli.output import Output
from noisegen.cli.profile_words import note_measured
from noisegen.dataset.export import export_dataset
from noisegen.dataset.make import Plan, plan_dataset
from noisegen.dataset.merge import merge_shards
from noisegen.dataset.noise import find_noise
from noisegen.dataset.plan import Skipped
from noisegen.dataset.regenerate import plan_again
from noisegen.dataset.threads import stop_on_signals
from noisegen.dataset.verify import Fault, read_manifest
from noisegen.dataset.verify import verify as check
from noisegen.errors import counted
from noisegen.references.matching import sides_by_marker


def synth(asked: Synth, output: Output) -> None:
    """Makes a dataset, or says what it would cost."""
    noise = find_noise(asked.noise, asked.dataset)
    for note in noise.notes:
        output.note(note)
    plan = plan_dataset(asked.clean, asked.out, noise, asked.weights, asked.dataset, asked.run)
    for profile in plan.measured:
        if profile.kind != "drawn":
            note_measured(profile, output)
    _say_what_is_planned(plan, output)
    told = {
        "remarks": list(plan.surveyed.remarks),
        "white_levels": list(plan.levels.notes),
        "white_level_warnings": list(plan.levels.doubts),
    }
    if asked.dry_run:
        shown, data = _cost(plan)
        output.result(shown, data | told)
        output.end(plan.run.skipped, "would skip")
    else:
        shown, data, skipped = _made(plan, output)
        output.result(shown, data | told)
        output.end(skipped)


def _say_what_is_planned(plan: Plan, output: Output) -> None:
    """Says what is passed over, at what levels the cleans are taken, and what is doubtful."""
    if plan.elsewhere:
        output.warn(
            f"the dataset was begun elsewhere ({'; '.join(plan.elsewhere)}): a few pixels may "
            "differ by one step from those of one machine"
        )
    noisies, pure = sides_by_marker([file.path for file in plan.surveyed.files])
    if noisies and pure:
        named = pure[0].name if pure[0].name != noisies[0].name else f"{pure[0].parent.name}/*"
        output.warn(
            f"{counted(len(noisies), 'picture')} among the cleans, as {noisies[0].name}, have "
            f"noise by their names or folders, and get more: name the cleans alone, as --clean "
            f"'DIR/*/{named}'"
        )
    if plan.passed_over:
        passed = plan.passed_over.items()
        counts = ", ".join(f"{count} {ending or 'without'}" for ending, count in passed)
        output.note(f"passed over files with endings that are no picture's here: {counts}")
    for remark in plan.surveyed.remarks:
        output.note(remark)
    _say_levels(plan, output)


def _say_levels(plan: Plan, output: Output) -> None:
    for note in plan.levels.notes:
        output.note(note)
    for doubt in plan.levels.doubts:
        output.warn(doubt)


def _cost(plan: Plan) -> tuple[str, dict[str, Any]]:
    """What the dataset would cost, for people and as JSON values."""
    cost, out = plan.cost(), plan.run.folder.root
    images = len({item.file.key for item in plan.run.items})
    begun = plan.run.folder.recipe.exists() and not plan.run.overwrite
    seconds = cost.seconds
    time = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    shown = (
        f"would write {counted(cost.pairs, 'pair')} of {counted(images, 'image')} "
        f"({cost.pixels / 1e6:.1f} Mpx) to {out}/: about {time} and {cost.megabytes:.0f} MB"
    )
    shown += "; what is there already is kept" if begun else ""
    return shown, {
        "dry_run": True,
        "out": str(out),
        "images": images,
        "pairs": cost.pairs,
        "megapixels": cost.pixels / 1e6,
        "seconds": seconds,
        "megabytes": cost.megabytes,
        "skipped": [str(one) for one in plan.run.skipped],
    }


def _made(plan: Plan, output: Output) -> tuple[str, dict[str, Any], list[Skipped]]:
    """Makes a dataset: the result for people and as JSON values, and what was skipped."""
    run, profiles = plan.run, plan.run.profiles
    complete = (run.folder.joined or run.folder).metadata.exists() and not run.overwrite
    pairs, kept, pixels, gone, skipped = 0, 0, 0, list[int](), list(run.skipped)
    with stop_on_signals() as asked, output.progress(len(run.items)) as advance:
        for done in plan.make(asked, gone.append):
            pairs, pixels = pairs + done.pairs, pixels + done.pixels
            kept += done.pairs if done.kept else 0
            advance(1, 0 if done.kept else done.pixels)
            if done.skipped is not None:
                skipped.append(done.skipped)
    # Each variant of a file may fail for the one reason.
    skipped = list(dict.fromkeys(skipped))
    data = {
        "out": str(run.folder.root),
        "pairs": pairs,
        "kept": kept,
        "taken_away": sum(gone),
        "megapixels": pixels / 1e6,
        "profiles": [profile.name for profile in profiles],
        "warnings": [warning for profile in profiles for warning in profile.warnings],
        "skipped": [str(one) for one in skipped],
    }
    lead = "nothing to do:" if complete and kept == pairs and not sum(gone) else "wrote"
    shown = f"{lead} {counted(pairs, 'pair')} ({pixels / 1e6:.1f} Mpx) to {run.folder.root}/"
    shown += f", {kept} of them made before" if kept else ""
    shown += f", took away {sum(gone)} of cleans that are gone" if sum(gone) else ""
    shown += f", skipped {counted(len(skipped), 'image')}" if skipped else ""
    return shown, data, skipped


def regenerate(asked: Regenerate, output: Output) -> None:
    """Makes a dataset again and compares it with its manifest."""
    again = plan_again(asked.recipe, asked.clean, asked.out, asked.weights, asked.machine)
    _say_levels(again.plan, output)
    shown, data, skipped = _made(again.plan, output)
    if again.manifest is None:
        where = asked.recipe.parent
        output.note(f"{where} has no metadata.jsonl, so there was nothing to compare with")
        output.result(shown, data)
    else:
        faults, pairs = again.faults(skipped), len(again.manifest)
        differ = "differs" if len(faults) == 1 else "differ"
        words = f"{len(faults)} {differ}" if faults else "all equal"
        output.result(
            f"{shown}; {counted(pairs, 'pair')} compared, {words}",
            data | {"compared": pairs, "faults": [vars(fault) for fault in faults]},
        )
        _end_with_faults(asked.out, faults, output)
    output.end(skipped)


def merge(asked: Merge, output: Output) -> None:
    """Joins a dataset's shards."""
    pairs = merge_shards(asked.out)
    data = {"out": str(asked.out), "pairs": pairs}
    output.result(f"{asked.out}: {counted(pairs, 'pair')}", data)


def export(asked: Export, output: Output) -> None:
    """Packs a finished dataset."""
    pairs, layout = export_dataset(asked.out, asked.layout), asked.layout.value
    data = {"out": str(asked.out), "pairs": pairs, "layout": layout}
    output.result(f"{asked.out}: {counted(pairs, 'pair')} as {layout}", data)


def verify(asked: Verify, output: Output) -> None:
    """Checks a dataset against its manifest."""
    out, faults = asked.out, list[Fault]()
    pairs = len(read_manifest(out)[1])
    with output.progress(pairs) as advance:
        for checked in check(out, asked.fast, asked.workers):
            faults += checked.faults
            advance(1 if checked.pixels else 0, checked.pixels)
    how = "by size" if asked.fast else "by pixels"
    words = counted(len(faults), "fault") if faults else "all as the manifest says"
    data = {"out": str(out), "pairs": pairs, "faults": [vars(fault) for fault in faults]}
    output.result(f"{out}: {counted(pairs, 'pair')} checked {how}, {words}", data)
    _end_with_faults(out, faults, output)


def _end_with_faults(out: object, faults: Any, output: Output) -> None:  # noqa: ANN401
    for fault in faults:
        output.warn(f"{out}/{fault}")
    if faults:
        raise typer.Exit(1)
