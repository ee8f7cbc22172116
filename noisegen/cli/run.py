"""Making a planned dataset: what is said before, progress, signals, and what is said at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from noisegen.cli.output import Output
from noisegen.dataset.plan import Skipped

if TYPE_CHECKING:
    from noisegen.dataset.make import Plan


@dataclass(frozen=True)
class Written:
    """How a run went.

    Attributes:
        pairs: that the dataset, or its shard, holds.
        kept: of them, those of earlier runs.
        pixels: of their noisy pictures.
        gone: pairs that were taken away, for their cleans are gone.
        complete: whether all was there before, and nothing else.
        skipped: clean files that were left out.
    """

    pairs: int
    kept: int
    pixels: int
    gone: int
    complete: bool
    skipped: tuple[Skipped, ...]


def say_what_is_planned(plan: Plan, output: Output) -> None:
    """Says what is passed over, at what levels the cleans are taken, and what is doubtful."""
    if plan.elsewhere:
        output.warn(
            f"the dataset was begun elsewhere ({'; '.join(plan.elsewhere)}): a few pixels may "
            "differ by one step from those of one machine"
        )
    if plan.passed_over:
        counts = ", ".join(
            f"{count} {ending or 'without'}" for ending, count in plan.passed_over.items()
        )
        output.note(f"passed over files with endings that are no picture's here: {counts}")
    say_levels(plan, output)


def say_levels(plan: Plan, output: Output) -> None:
    """Says at what levels the cleans are taken, and what is doubtful."""
    for note in plan.levels.notes:
        output.note(note)
    for doubt in plan.levels.doubts:
        output.warn(doubt)


def level_words(plan: Plan) -> dict[str, list[str]]:
    """What :func:`say_levels` says, as JSON values."""
    levels = plan.levels
    return {"white_levels": list(levels.notes), "white_level_warnings": list(levels.doubts)}


def write(plan: Plan, output: Output) -> Written:
    """Makes the dataset; warns of every file that was skipped."""
    from noisegen.dataset.threads import stop_on_signals

    run = plan.run
    complete = run.folder.metadata.exists() and not run.overwrite
    pairs, kept, pixels = 0, 0, 0
    skipped, gone = list(run.skipped), list[int]()
    with stop_on_signals() as asked, output.progress(len(run.items)) as advance:
        for done in plan.make(asked, gone.append):
            pairs, pixels = pairs + done.pairs, pixels + done.pixels
            kept += done.pairs if done.kept else 0
            advance(1, 0 if done.kept else done.pixels)
            if done.skipped is not None:
                skipped.append(done.skipped)
    # Each variant of a file may fail for the one reason.
    complete = complete and kept == pairs and not sum(gone)
    written = Written(pairs, kept, pixels, sum(gone), complete, tuple(dict.fromkeys(skipped)))
    for one in written.skipped:
        output.warn(f"skipped {one}")
    return written


def described(plan: Plan, written: Written) -> tuple[str, dict[str, Any]]:
    """The result, for people and as JSON values."""
    out, profiles = plan.run.folder.root, plan.run.profiles
    data: dict[str, Any] = {
        "out": str(out),
        "pairs": written.pairs,
        "kept": written.kept,
        "taken_away": written.gone,
        "megapixels": written.pixels / 1e6,
        "profiles": [profile.name for profile in profiles],
        "warnings": [warning for profile in profiles for warning in profile.warnings],
        "skipped": [str(one) for one in written.skipped],
    }
    left = f", skipped {len(written.skipped)} images" if written.skipped else ""
    before = f", {written.kept} of them made before" if written.kept else ""
    gone = f", took away {written.gone} of cleans that are gone" if written.gone else ""
    lead = f"nothing to do: {written.pairs}" if written.complete else f"wrote {written.pairs}"
    return f"{lead} pairs ({written.pixels / 1e6:.1f} Mpx) to {out}/{before}{gone}{left}", data
