"""``noisegen evaluate --real DIR --synth DIR``: pairs in folders, compared."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Group
from rich.table import Table as Shown

from noisegen.cli.evaluate_splits import METRICS
from noisegen.cli.output import Output
from noisegen.cli.profile_words import note_measured
from noisegen.cli.score_commands import Evaluate
from noisegen.cli.tables import check_folder, on_terminal, set_table, write_files
from noisegen.dataset.noise import find_noise
from noisegen.dataset.noise_options import NoiseOptions
from noisegen.dataset.plan import DatasetOptions
from noisegen.errors import UsageError, counted
from noisegen.evaluation.folder_scores import (
    Baseline,
    FolderComparison,
    FolderScores,
    baseline_rows,
)
from noisegen.evaluation.noise_summary import VARIANTS
from noisegen.evaluation.pair_files import found_pairs
from noisegen.evaluation.row_tally import ALL, RowScores
from noisegen.evaluation.score_tables import (
    as_json,
    channel_names,
    intensities,
    intensity_csv,
    metrics_of,
    scores_csv,
)
from noisegen.evaluation.set_metrics import LEAST_SIDE, SetScores, measure_sets
from noisegen.evaluation.tables import Table
from noisegen.model.device import select_device
from noisegen.model.weights import find_weights, load_weights
from noisegen.noise.metrics import LEVEL_PIXELS

CSV_FILES = ("scores.csv", "intensity.csv")

NAMED = 3
"""Names that a warning gives of many."""

NARROW = 8
"""Letters that a figure needs: six stand beside each other on a terminal of 80."""


def evaluate_folders(asked: Evaluate, output: Output) -> None:
    """Compares, prints, writes the CSV files; exits with 3 where pairs were left out.

    Raises:
        NoisegenError: what was given cannot be compared.
    """
    if asked.real is None or asked.synth is None:
        raise UsageError("--real and --synth go together; name a folder of pairs with each")
    _check(asked)
    with found_pairs(asked.real, "--real") as real, found_pairs(asked.synth, "--synth") as synth:
        comparison = FolderComparison(
            real, synth, _baselines(asked, output), asked.kld, asked.white_level
        )
        if asked.white_level not in (None, 255) and comparison.kind.dtype == "uint8":
            raise UsageError(
                f"--white-level {asked.white_level:g}: pictures of 8 bits have 255; leave it out"
            )
        if asked.white_level is None and comparison.kind.dtype != "uint8":
            output.note(
                f"white level {comparison.white_level:g}, found from the pictures; --white-level "
                "overrides it"
            )
        if comparison.doubt is not None and asked.white_level is None:
            output.warn(comparison.doubt)
        output.follow(comparison.steps, comparison.run())
    scores = comparison.scores()
    sets = _measured(scores, asked.device, output) if asked.set_metrics else {}
    if comparison.left_out:
        names = ", ".join(comparison.left_out[:NAMED])
        more = f" and {len(comparison.left_out) - NAMED} more" * (len(comparison.left_out) > NAMED)
        output.warn(
            f"{counted(len(comparison.left_out), 'pair')} on one side only ({names}{more}): no "
            "pair of that name on the other, so they do not count"
        )
    if asked.csv is not None:
        data = scores_csv(scores), intensity_csv(scores)
        output.note(write_files(asked.csv, dict(zip(CSV_FILES, data, strict=True))))
    values = as_json(scores, sets) | {
        "real": asked.real,
        "synth": asked.synth,
        "left_out": comparison.left_out,
    }
    output.result(Group(*_tables(scores, asked.kld, sets)), values)
    output.end(scores.skipped)


def _check(asked: Evaluate) -> None:
    if asked.ref_clean and not asked.ref:
        raise UsageError("--ref-clean belongs to --ref; name the noisy shot too")
    if asked.ref and asked.profile:
        raise UsageError("--ref and --profile: give one, of the real pictures' camera")
    if asked.white_level is not None and not 0 < asked.white_level < math.inf:
        raise UsageError(f"--white-level {asked.white_level:g}: give a number above 0, as 4095")
    for name in asked.kld:
        if name not in VARIANTS:
            raise UsageError(f"--kld {name}: unknown; choose of {', '.join(VARIANTS)}")
    if asked.csv is not None:
        check_folder(asked.csv, CSV_FILES)
    # They may not be needed; what is wrong with them is said all the same.
    find_weights(asked.weights)
    select_device(asked.device)


def _baselines(asked: Evaluate, output: Output) -> list[Baseline]:
    """Lines of the references; none where none are given."""
    if not (asked.ref or asked.profile):
        return []
    wanted = NoiseOptions(asked.ref, asked.ref_clean, profile=asked.profile)
    noise = find_noise(wanted, DatasetOptions(white_level=asked.white_level))
    weights = load_weights(asked.weights)
    for note in noise.notes:
        output.note(note)
    profiles = noise.make(weights, ())
    if asked.ref:
        note_measured(profiles[0], output)
    if len(profiles) > 1:
        raise UsageError("--profile: give one, that of the real pictures' camera")
    return baseline_rows(profiles[0], weights, str(select_device(asked.device)))


def _measured(scores: FolderScores, device: str, output: Output) -> dict[str, SetScores]:
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


def _tables(
    scores: FolderScores, klds: Sequence[str], sets: dict[str, SetScores]
) -> list[Shown | str]:
    real, synth = scores.pictures
    by_picture = "picture by picture, mean (median)"
    tables: list[Shown | str] = []
    if scores.paired:
        pictures = counted(real, "picture")
        tables.append(f"{pictures} that both sides show, {scores.kind}: compared one by one")
        tables.append(_scores_table(by_picture, scores, together=False))
    else:
        tables.append(
            f"{real} real and {counted(synth, 'synthetic picture')}, {scores.kind}, that show "
            "different things: their noise is compared all together, and what differs between the "
            "pictures counts too"
        )
    tables.append(_scores_table("all pictures together", scores, together=True))
    if klds:
        how = by_picture if scores.paired else "all pictures together"
        cells = tuple(
            (row.name, *(_cell(row, ALL, f"kld {name}", not scores.paired) for name in klds))
            for row in scores.rows
        )
        title = f"other papers' KL divergences, {how}"
        tables.append(on_terminal(Table(title, ("", *klds), cells), NARROW))
    tables.append(_intensity_table(scores))
    return [*tables, set_table("patches and denoisers", sets)] if sets else tables


def _scores_table(title: str, scores: FolderScores, together: bool) -> Shown:
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


def _cell(row: RowScores, channel: str, metric: str, together: bool) -> str:
    figures = row.summary(channel, metric)
    shown = [figures["together"]] if together else [figures["mean"], figures["median"]]
    words = ["–" if figure is None else f"{figure:.4f}" for figure in shown]
    return words[0] if together else f"{words[0]} ({words[1]})"


def _intensity_table(scores: FolderScores) -> Shown:
    """σ in steps of 8 bits, real and synthetic."""
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
