"""Two probes, each as the votes that crops of other scenes have on a crop's label.

A crop is never told by crops of its own scene. Votes do not depend on labels, so that the same
votes tell camera, ISO and shuffled labels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

PENALTY = 0.1
"""Of the linear probe, in units of a crop's mean squared feature; the same for all features."""

Probe = Callable[[Doubles, Doubles], Doubles]
"""Features of those that vote, N×D, and of those that are asked, M×D → votes, M×N."""


def votes(vectors: Doubles, scenes: Sequence[str], probe: Probe) -> Doubles:
    """How much each crop says about each other one's label.

    Args:
        vectors: N×D; each feature is scaled by its mean and deviation over the crops that vote.
        scenes: N; all crops of a scene are asked at once, and do not vote then.
        probe: that decides.

    Returns:
        N×N, row by row for the crop that is asked; 0 within a scene.
    """
    of_scene = np.asarray(scenes)
    found = np.zeros((len(vectors), len(vectors)))
    for scene in sorted(set(scenes)):
        asked = of_scene == scene
        known = vectors[~asked]
        mean, deviation = known.mean(0), known.std(0)
        # What does not vary among those that vote says nothing, and must not count for much.
        scale = np.where(deviation > 1e-9, deviation, np.inf)
        found[np.ix_(asked, ~asked)] = probe(
            (known - mean) / scale, (vectors[asked] - mean) / scale
        )
    return found


def nearest(known: Doubles, asked: Doubles) -> Doubles:
    """One vote, of the nearest by Euclidean distance."""
    products = asked @ known.T
    distance = (known**2).sum(1) - 2 * products
    won = np.zeros_like(products)
    won[np.arange(len(asked)), distance.argmin(1)] = 1
    return won


def linear(known: Doubles, asked: Doubles) -> Doubles:
    """Ridge regression on the labels' indicators: all vote, by the features' inner products."""
    width = known.shape[1]
    inner = known @ known.T / width + PENALTY * np.eye(len(known))
    weight: Doubles = np.linalg.solve(inner, known @ asked.T / width).T
    # The features have no mean; that of the labels is the regression's intercept.
    with_mean: Doubles = weight + (1 - weight.sum(1, keepdims=True)) / len(known)
    return with_mean


PROBES: dict[str, Probe] = {"nearest neighbour": nearest, "linear": linear}
