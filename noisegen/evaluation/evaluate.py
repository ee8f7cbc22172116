"""Scores of weights on a validation split, with the baselines and the floor beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisegen.evaluation import baselines
from noisegen.evaluation.metrics import Scores, compare
from noisegen.evaluation.protocol import Case, Target
from noisegen.images import to_float
from noisegen.model.weights import Weights
from noisegen.references.create import Reference, create_profile
from noisegen.references.profile import NoiseProfile
from noisegen.synthesis.synthesizer import Synthesizer

Bytes = NDArray[np.uint8]

ROWS = ("gaussian", "classical", "noisegen", "floor")
"""Lines of the table. Floor: two draws of the real process, or of ours where there is but one."""


@dataclass(frozen=True)
class Result:
    """One row's scores on one target."""

    row: str
    case: str
    target: str
    scores: Scores


def evaluate(
    weights: Weights, cases: Iterable[Case], device: str = "cpu", blind: bool = False
) -> Iterator[Result]:
    """Tries every row on every target.

    Args:
        weights: to score.
        cases: references and targets.
        device: where the generator runs.
        blind: withhold the references' clean, so that it is estimated.
    """
    ours = Synthesizer(weights, device)
    classical = Synthesizer(baselines.classical(weights), device)
    for case in cases:
        reference = case.reference
        if blind:
            reference = Reference(reference.name, reference.noisy)
        profile = create_profile([reference], weights)
        for target in case.targets:
            for row, real, fake in _rows(target, profile, ours, classical):
                scores = compare(
                    _noise(real, target), _noise(fake, target), to_float(target.clean, 255)
                )
                yield Result(row, case.name, target.name, scores)


def _rows(
    target: Target, profile: NoiseProfile, ours: Synthesizer, classical: Synthesizer
) -> Iterator[tuple[str, Bytes, Bytes]]:
    """Row, real picture, generated picture."""
    generated = ours.synthesize(target.clean, profile, key=target.name)
    yield "gaussian", target.noisy, baselines.gaussian(target.clean, profile, target.name)
    yield "classical", target.noisy, classical.synthesize(target.clean, profile, key=target.name)
    yield "noisegen", target.noisy, generated
    if target.again is not None:
        yield "floor", target.noisy, target.again
    else:
        second = ours.synthesize(target.clean, profile, key=target.name, variant=1)
        yield "floor", generated, second


def _noise(noisy: Bytes, target: Target) -> NDArray[np.float32]:
    """Noise from integers: a rounding of 1e-9 would move KLD's spike at 0 across a bin's edge."""
    difference = (noisy.astype(np.int16) - target.clean).astype(np.float32)
    return difference / np.float32(255)


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
