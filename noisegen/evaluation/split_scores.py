"""Scores of weights on a validation split, with the baselines and the floor beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from noisegen.evaluation.side_by_side import SideBySide
from noisegen.files import to_float
from noisegen.noise.metrics import Scores, compare


@dataclass(frozen=True)
class Result:
    """One row's scores on one target."""

    row: str
    case: str
    target: str
    scores: Scores


def score(comparison: SideBySide) -> Result:
    """The distances of one comparison."""
    target = comparison.target
    scores = compare(comparison.real_noise, comparison.fake_noise, to_float(target.clean, 255))
    return Result(comparison.row, comparison.case, target.name, scores)


def summarise(results: Iterable[Result]) -> dict[str, dict[str, dict[str, float]]]:
    """Row → metric → mean and median over targets."""
    by_row: dict[str, list[dict[str, float]]] = {}
    for result in results:
        by_row.setdefault(result.row, []).append(result.scores.as_dict())
    return {
        row: {
            metric: {
                "mean": float(np.nanmean([scores[metric] for scores in rows])),
                "median": float(np.nanmedian([scores[metric] for scores in rows])),
            }
            for metric in rows[0]
        }
        for row, rows in by_row.items()
    }
