"""Running what writes a dataset: progress, signals, and what to say at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from noisegen.cli.output import Output
from noisegen.dataset.plan import Skipped

if TYPE_CHECKING:
    from noisegen.dataset.run import Engine, Run
    from noisegen.dataset.survey import Survey
    from noisegen.references.profile import NoiseProfile


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


def write(output: Output, run: Run, engine: Engine) -> Written:
    """Writes the dataset; warns of every file that was skipped."""
    from noisegen.dataset.run import write_dataset
    from noisegen.dataset.stopping import stop_on_signals

    complete = run.folder.metadata.exists() and not run.overwrite
    pairs, kept, pixels = 0, 0, 0
    skipped, gone = list(run.skipped), list[int]()
    with stop_on_signals() as asked, output.progress(len(run.items)) as advance:
        for done in write_dataset(run, engine, asked, gone.append):
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


def note_levels(
    surveyed: Survey,
    profiles: Sequence[NoiseProfile],
    white_level: float | None,
    output: Output,
) -> dict[str, list[str]]:
    """Says at what levels the cleans are taken, and what is doubtful; the same as JSON values."""
    from noisegen.dataset.clean_levels import look_at_levels

    taken = look_at_levels(surveyed, profiles, white_level)
    for note in taken.notes:
        output.note(note)
    for doubt in taken.doubts:
        output.warn(doubt)
    return {"white_levels": list(taken.notes), "white_level_warnings": list(taken.doubts)}


def described(run: Run, written: Written) -> tuple[str, dict[str, Any]]:
    """The result, for people and as JSON values."""
    out = run.folder.root
    data: dict[str, Any] = {
        "out": str(out),
        "pairs": written.pairs,
        "kept": written.kept,
        "taken_away": written.gone,
        "megapixels": written.pixels / 1e6,
        "profiles": [profile.name for profile in run.profiles],
        "warnings": [warning for profile in run.profiles for warning in profile.warnings],
        "skipped": [str(one) for one in written.skipped],
    }
    left = f", skipped {len(written.skipped)} images" if written.skipped else ""
    before = f", {written.kept} of them made before" if written.kept else ""
    gone = f", took away {written.gone} of cleans that are gone" if written.gone else ""
    lead = f"nothing to do: {written.pairs}" if written.complete else f"wrote {written.pairs}"
    return f"{lead} pairs ({written.pixels / 1e6:.1f} Mpx) to {out}/{before}{gone}{left}", data
