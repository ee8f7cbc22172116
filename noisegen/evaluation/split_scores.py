"""Scores and times of rows on a validation split, and their CSV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from noisegen.evaluation.blind import SigmaErrors, sigma_errors
from noisegen.evaluation.looks import Looks, looks_of
from noisegen.evaluation.protocol import Cases
from noisegen.evaluation.rows import FLOOR, Row, compare_rows, summarise
from noisegen.evaluation.set_metrics import SetScores, measure_sets
from noisegen.evaluation.side_by_side import SideBySide
from noisegen.evaluation.tables import csv_bytes

PAIR, LONE = "pair", "lone"
KINDS = PAIR, LONE
"""Kinds of references: as the split has them, or one shot whose clean is withheld."""


@dataclass(frozen=True)
class Pace:
    """What a row takes on this machine.

    Attributes:
        fit: mean seconds to fit what it draws by to a case's references. Of a profile from the
            shots on, else from cut windows on, whose clean a lone shot's estimate is.
        draw: megapixels a second of its noise.
    """

    fit: float
    draw: float


@dataclass(frozen=True, eq=False)
class SplitScores:
    """What came of a split by one kind of references.

    Attributes:
        split: its name.
        by: the kind.
        targets: how many.
        scores: row → metric → mean and median.
        paces: row → pace, of all but the floor.
        sigma: of lone shots, how far off their σ is; None where there is none to compare with.
        sets: row → metrics of all targets together, where they were asked for.
        looks: what the classifier looks at, where that was asked for.
    """

    split: str
    by: str
    targets: int
    scores: dict[str, dict[str, dict[str, float]]]
    paces: dict[str, Pace]
    sigma: SigmaErrors | None
    sets: dict[str, SetScores]
    looks: Sequence[Looks] = ()


@dataclass(frozen=True)
class Wanted:
    """What is tried on splits.

    Attributes:
        rows: of the table.
        data: the data folder.
        device: that the sets' networks run on.
        with_sets: also the metrics of all targets together.
        with_looks: also what the classifier that tells noise apart looks at.
    """

    rows: Sequence[Row]
    data: Path
    device: str = "cpu"
    with_sets: bool = False
    with_looks: bool = False


def try_split(split: str, cases: Cases, by: str, wanted: Wanted) -> SplitScores:
    """Tries the rows on a split by one of ``KINDS`` of references."""
    compared = list(compare_rows(wanted.rows, cases(wanted.data), by == LONE))
    denoiser = wanted.rows[0].weights.denoiser
    # Of one scene nothing could be held out.
    several = len({one.target.scene for one in compared}) > 1
    return SplitScores(
        split,
        by,
        len(compared) // len(wanted.rows),
        summarise(compared),
        paces(compared),
        sigma_errors(cases(wanted.data), denoiser) if by == LONE else None,
        dict(measure_sets(compared, wanted.device)) if wanted.with_sets and several else {},
        looks_of(compared, wanted.device) if wanted.with_looks and several else (),
    )


def paces(comparisons: Iterable[SideBySide]) -> dict[str, Pace]:
    """Pace of each row but the floor, whose draws are others'."""
    by_row: dict[str, list[tuple[float, float, float]]] = {}
    for one in comparisons:
        if one.row != FLOOR:
            megapixels = one.fake[..., 0].size / 1e6
            by_row.setdefault(one.row, []).append((megapixels, *one.seconds))
    return {
        row: Pace(float(np.nanmean(fit)), float(sum(megapixels) / sum(draw)))
        for row, lines in by_row.items()
        for megapixels, fit, draw in (zip(*lines, strict=True),)
    }


def split_csv(found: Iterable[SplitScores], weights: str) -> bytes:
    """CSV of a line a split, kind of references and row.

    Args:
        found: the splits' scores.
        weights: name of the weights that they are of.
    """
    lines = []
    for one in found:
        for row, metrics in one.scores.items():
            line: dict[str, Any] = {"weights": weights, "split": one.split, "by": one.by}
            line |= {"row": row, "targets": one.targets}
            for metric, values in metrics.items():
                line |= {f"{metric} {kind}": f"{value:.6f}" for kind, value in values.items()}
            pace = one.paces.get(row)
            line["fit s"] = pace and f"{pace.fit:.3g}"
            line["Mpx/s"] = pace and f"{pace.draw:.3g}"
            lines.append(line)
    return dicts_csv(lines)


def sets_csv(found: Iterable[SplitScores], weights: str) -> bytes:
    """CSV of a line a split, kind of references and row: what is of all targets together."""
    lines = [
        {"weights": weights, "split": one.split, "by": one.by, "row": row} | flat(asdict(scores))
        for one in found
        for row, scores in one.sets.items()
    ]
    return dicts_csv(lines)


def flat(values: dict[str, Any], name: str = "") -> dict[str, Any]:
    """Brings dictionaries within a dictionary to its level; lists are left out."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        whole = f"{name} {key}".strip()
        if isinstance(value, dict):
            found |= flat(value, whole)
        elif not isinstance(value, (list, tuple)):
            found[whole] = value
    return found


def dicts_csv(lines: Sequence[dict[str, Any]]) -> bytes:
    """CSV of dictionaries, a column for each key that any of them has."""
    columns = list(dict.fromkeys(key for line in lines for key in line))
    return csv_bytes([columns, *([line.get(column) for column in columns] for line in lines)])
