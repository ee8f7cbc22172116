"""``noisegen evaluate --real DIR --synth DIR``: pairs in folders, compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from noisegen.cli.evaluate_splits import METRICS
from noisegen.cli.noise import NoiseOptions, find_noise
from noisegen.cli.output import PARTLY, Output
from noisegen.cli.tables import on_terminal, set_table
from noisegen.errors import OutputError, UsageError

if TYPE_CHECKING:
    from rich.table import Table as Shown

    from noisegen.evaluation.folder_scores import Baseline, FolderScores
    from noisegen.evaluation.row_tally import RowScores
    from noisegen.evaluation.set_metrics import SetScores

CSV_FILES = ("scores.csv", "intensity.csv")

NARROW = 8
"""Letters that a figure needs: six stand beside each other on a terminal of 80."""


@dataclass(frozen=True)
class FolderOptions:
    """Options of a comparison of two folders."""

    real: str | None
    synth: str | None
    ref: Sequence[str] | None
    ref_clean: Sequence[str] | None
    profile: Sequence[Path] | None
    kld: Sequence[str]
    csv: Path | None
    white_level: float | None
    set_metrics: bool
    weights: str
    device: str


def evaluate_folders(wanted: FolderOptions, output: Output) -> None:
    """Compares, prints, writes the CSV files; exits with 3 where pairs were left out.

    Raises:
        NoisegenError: what was given cannot be compared.
    """
    from noisegen.evaluation.folder_scores import FolderComparison
    from noisegen.evaluation.pair_files import found_pairs

    if wanted.real is None or wanted.synth is None:
        raise UsageError("--real and --synth go together; name a folder of pairs with each")
    _check(wanted)
    with found_pairs(wanted.real, "--real") as real, found_pairs(wanted.synth, "--synth") as synth:
        comparison = FolderComparison(
            real, synth, _baselines(wanted, output), wanted.kld, wanted.white_level
        )
        if wanted.white_level is None and comparison.kind.dtype != "uint8":
            output.note(
                f"white level {comparison.white_level:g}, found from the pictures; --white-level "
                "overrides it"
            )
        with output.progress(comparison.steps) as advance:
            for pixels in comparison.run():
                advance(1, pixels)
        scores = comparison.scores()
    sets = _measured(scores, wanted.device, output) if wanted.set_metrics else {}
    _report(wanted, scores, sets, comparison.left_out, output)


def _check(wanted: FolderOptions) -> None:
    from noisegen.evaluation.noise_summary import VARIANTS

    if wanted.ref_clean and not wanted.ref:
        raise UsageError("--ref-clean belongs to --ref; name the noisy shot too")
    if wanted.ref and wanted.profile:
        raise UsageError("--ref and --profile: give one, of the real pictures' camera")
    if wanted.white_level is not None and not 0 < wanted.white_level < math.inf:
        raise UsageError(f"--white-level {wanted.white_level:g}: give a number above 0, as 4095")
    for name in wanted.kld:
        if name not in VARIANTS:
            raise UsageError(f"--kld {name}: unknown; choose of {', '.join(VARIANTS)}")
    if wanted.csv is not None:
        if wanted.csv.exists() and not wanted.csv.is_dir():
            raise UsageError(f"--csv {wanted.csv}: is a file; name a folder")
        taken = [name for name in CSV_FILES if (wanted.csv / name).exists()]
        if taken:
            raise OutputError(f"{wanted.csv / taken[0]}: is there already; name another folder")


def _baselines(wanted: FolderOptions, output: Output) -> list[Baseline]:
    """Lines of the references; none where none are given."""
    from noisegen.evaluation.folder_scores import baseline_rows
    from noisegen.model.device import select_device
    from noisegen.model.weights import load_weights

    if not (wanted.ref or wanted.profile):
        return []
    options = NoiseOptions(
        ref=wanted.ref,
        ref_clean=wanted.ref_clean,
        ref_burst=None,
        no_repair=False,
        profile=wanted.profile,
        blend=None,
        white_level=wanted.white_level,
    )
    weights = load_weights(wanted.weights)
    profiles = find_noise(options, output).profiles(weights, None)
    if len(profiles) > 1:
        raise UsageError("--profile: give one, that of the real pictures' camera")
    return baseline_rows(profiles[0], weights, str(select_device(wanted.device)))


def _measured(scores: FolderScores, device: str, output: Output) -> dict[str, SetScores]:
    from noisegen.evaluation.set_metrics import LEAST_SIDE, measure_sets
    from noisegen.model.device import select_device

    kept = [comparison for row in scores.rows for comparison in row.kept]
    large = [c for c in kept if min(c.target.clean.shape[:2]) >= LEAST_SIDE]
    if len({comparison.target.scene for comparison in large}) < 2:
        output.warn(
            "--set-metrics: takes two pictures or more, by one they would be learned by heart, of "
            f"{LEAST_SIDE}×{LEAST_SIDE} at least; left out"
        )
        return {}
    output.note("MMD, told apart and denoising gap: about a minute a row on one core")
    return dict(measure_sets(large, str(select_device(device))))


def _report(
    wanted: FolderOptions,
    scores: FolderScores,
    sets: dict[str, SetScores],
    left_out: int,
    output: Output,
) -> None:
    from rich.console import Group

    from noisegen.dataset.folder import make_folder
    from noisegen.evaluation.score_tables import as_json, intensity_csv, scores_csv
    from noisegen.files import write_atomically

    for reason in scores.skipped:
        output.warn(f"skipped {reason}")
    if left_out:
        output.warn(f"{left_out} pairs of one side have no pair of that name on the other")
    if wanted.csv is not None:
        make_folder(wanted.csv)
        files = zip(CSV_FILES, (scores_csv(scores), intensity_csv(scores)), strict=True)
        for name, data in files:
            write_atomically(wanted.csv / name, data)
        output.note(f"wrote {wanted.csv}/{' and '.join(CSV_FILES)}")
    tables: list[Shown | str] = [_how(scores)]
    if scores.paired:
        tables.append(_scores_table("picture by picture, mean (median)", scores, together=False))
    tables.append(_scores_table("all pictures together", scores, together=True))
    if wanted.kld:
        tables.append(_klds_table(scores, wanted.kld))
    tables.append(_intensity_table(scores))
    if sets:
        tables.append(set_table("patches and denoisers", sets))
    values = as_json(scores, sets) | {"real": wanted.real, "synth": wanted.synth}
    output.result(Group(*tables), values)
    if scores.skipped:
        raise typer.Exit(PARTLY)


def _how(scores: FolderScores) -> str:
    real, synth = scores.pictures
    if scores.paired:
        return f"{real} pictures that both sides show, {scores.kind}: compared one by one"
    return (
        f"{real} real and {synth} synthetic pictures, {scores.kind}, that show different things: "
        "their noise is compared all together, and what differs between the pictures counts too"
    )


def _scores_table(title: str, scores: FolderScores, together: bool) -> Shown:
    from noisegen.evaluation.row_tally import ALL
    from noisegen.evaluation.score_tables import channel_names, metrics_of
    from noisegen.evaluation.tables import Table

    ours, *others = scores.rows
    metrics = [m for m in METRICS if m in (ours.together[ALL] if together else metrics_of(ours))]
    headings = [m if together else m.replace("correlation", "corre-\nlation") for m in metrics]
    channels = channel_names(scores)[1:]
    named = [
        (ours.name, ours, ALL),
        *((f"  {channel}", ours, channel) for channel in channels if len(channels) > 1),
        *((row.name, row, ALL) for row in others),
    ]
    cells = tuple(
        (name, *(_cell(row, channel, metric, together) for metric in metrics))
        for name, row, channel in named
    )
    return on_terminal(Table(title, ("", *headings), cells), NARROW)


def _klds_table(scores: FolderScores, names: Sequence[str]) -> Shown:
    from noisegen.evaluation.row_tally import ALL
    from noisegen.evaluation.tables import Table

    how = "picture by picture, mean (median)" if scores.paired else "all pictures together"
    cells = tuple(
        (row.name, *(_cell(row, ALL, f"kld {name}", not scores.paired) for name in names))
        for row in scores.rows
    )
    title = f"other papers' KL divergences, {how}"
    return on_terminal(Table(title, ("", *names), cells), NARROW)


def _cell(row: RowScores, channel: str, metric: str, together: bool) -> str:
    figures = row.summary(channel, metric)
    shown = [figures["together"]] if together else [figures["mean"], figures["median"]]
    words = ["–" if figure is None else f"{figure:.4f}" for figure in shown]
    return words[0] if together else f"{words[0]} ({words[1]})"


def _intensity_table(scores: FolderScores) -> Shown:
    """σ in steps of 8 bits, real and synthetic."""
    from noisegen.evaluation.score_tables import channel_names, intensities
    from noisegen.evaluation.tables import Table
    from noisegen.noise.metrics import LEVEL_PIXELS

    channels = channel_names(scores)[1:]
    found: dict[float, dict[str, str]] = {}
    for one in intensities(scores):
        if one["real_pixels"] >= LEVEL_PIXELS:
            fake = one["synth_sigma"]
            shown = "–" if fake is None else f"{255 * fake:.2f}"
            cells = found.setdefault(one["from"], {})
            cells[one["channel"]] = f"{255 * one['real_sigma']:.2f} → {shown}"
    rows = tuple(
        (
            f"{255 * start:.0f}–{255 * (start + 1 / 16):.0f}",
            *(cells.get(channel, "–") for channel in channels),
        )
        for start, cells in sorted(found.items())
    )
    title = "σ by intensity, real → synthetic, of 255"
    return on_terminal(Table(title, ("intensity", *channels), rows))
