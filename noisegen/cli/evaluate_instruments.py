"""``noisegen evaluate --split instruments``: instruments whose noise is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.table import Table

from noisegen.cli.output import Output
from noisegen.errors import UsageError, counted
from noisegen.evaluation.instruments.bench import (
    LARGEST_KLD,
    LARGEST_MEAN,
    LARGEST_RATIO,
    BenchLine,
    Kind,
    run_bench,
)
from noisegen.evaluation.instruments.catalogue import INSTRUMENTS as ALL
from noisegen.evaluation.instruments.sensors import Instrument
from noisegen.model.weights import Weights

INSTRUMENTS = "instruments"
"""The split's name; it needs no data."""

COLUMNS = (
    "σ\nworst", "\nmedian", "mean\noff", "KLD\n", "\nfloor", "AKLD\nfloor", "corre-\nlation",
    "\nrows", "\ncols", "\nsteps", "\nsays", "\nmissed",
)  # fmt: skip
WORDS = COLUMNS[-2:]


def chosen_instruments(splits: Sequence[str], names: Sequence[str]) -> list[Instrument]:
    """The instruments to try; none where the split is not asked for.

    Raises:
        UsageError: an unknown instrument, or one without the split.
    """
    if INSTRUMENTS not in splits:
        if names:
            raise UsageError(f"--instrument belongs to --split {INSTRUMENTS}; give it too")
        return []
    known = {instrument.name: instrument for instrument in ALL}
    for name in names:
        if name not in known:
            raise UsageError(f"--instrument {name}: unknown; choose of {', '.join(known)}")
    return [known[name] for name in names or known]


def run_instruments(
    instruments: Sequence[Instrument], weights: Weights, device: str, output: Output
) -> list[BenchLine]:
    """The bench's lines."""
    if not instruments:
        return []
    output.note(
        f"trying {counted(len(instruments), 'instrument')}: about 30 seconds each on one core"
    )
    lines = []
    with output.progress(len(instruments) * len(Kind)) as advance:
        for line in run_bench(instruments, weights, device):
            lines.append(line)
            advance(1, note=line.instrument)
    return lines


def bench_table(lines: Sequence[BenchLine]) -> Table:
    """A table of at most 100 columns."""
    table = Table(title="instruments", title_justify="left", box=box.SIMPLE_HEAD, padding=0)
    table.add_column("", no_wrap=True)
    for name in COLUMNS:
        table.add_column(name, no_wrap=True, justify="left" if name in WORDS else "right")
    first = next(iter(Kind))
    for line in lines:
        if line.kind is first:
            table.add_row(line.instrument, style="bold")
        table.add_row(f"  {line.kind.value}", *_cells(line))
    return table


def _cells(line: BenchLine) -> list[str]:
    judged, missed = line.judged, " ".join(line.missed)
    if judged is None:
        return [*(["–"] * (len(COLUMNS) - 1)), missed]
    got, floor = judged.distances, judged.floor
    mean = judged.mean_unexplained if line.kind is Kind.LONE else judged.mean_off
    return [
        f"{judged.worst_ratio:.2f}",
        f"{judged.median_ratio:.2f}",
        f"{mean:+.1f}",
        _short(got.kld, 4),
        _short(floor.kld, 4),
        f"{_short(got.akld, 3)}/{_short(floor.akld, 3)}",
        f"{_short(got.correlation, 3)}/{_short(floor.correlation, 3)}",
        *(f"{ratio:.2f}" for ratio in judged.stripes),
        f"{judged.impossible:.0%}",
        line.quality or "",
        missed,
    ]


def _short(value: float, digits: int) -> str:
    """A number without a leading zero: the table is narrow."""
    return f"{value:.{digits}f}".removeprefix("0")


def bench_words(lines: Sequence[BenchLine]) -> str:
    """What the table's columns mean, how many lines meet their targets, and what was refused."""
    tried = [line for line in lines if not line.kind.baseline]
    met = [line for line in tried if not line.missed]
    words = [
        "σ: generated over true in the worst and the median tenth of the intensities that the "
        "reference shows; mean: steps of 8 bits off the truth, of lone shots off what clipping "
        "explains; AKLD and correlation error beside their floors; rows, cols: σ of row and column "
        "means, generated over real; steps: share of values that the instrument cannot give; says: "
        "the profile's own verdict.",
        f"targets: σ within {LARGEST_RATIO['pair']:.0%} and KLD at most {LARGEST_KLD} over the "
        f"floor by pair and burst; σ within {LARGEST_RATIO['lone']:.0%} and mean within "
        f"{LARGEST_MEAN:g} lone.",
        f"{len(met)} of {len(tried)} lines meet theirs.",
    ]
    words += [
        f"{line.instrument}, {line.kind.value}: {line.refused}" for line in tried if line.refused
    ]
    return "\n".join(words)


def bench_json(lines: Sequence[BenchLine]) -> list[dict[str, Any]]:
    """The lines with all deciles, as JSON values."""
    return [_json(line) for line in lines]


def _json(line: BenchLine) -> dict[str, Any]:
    values = asdict(line) | {"kind": line.kind.value, "missed": line.missed}
    if line.judged is not None:
        names = ("worst_ratio", "median_ratio", "mean_off", "mean_unexplained")
        values["judged"] |= {name: getattr(line.judged, name) for name in names}
    return values
