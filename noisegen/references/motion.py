"""Windows in which something moved: between a burst's shots, or between a shot and its clean."""

from __future__ import annotations

import numpy as np

from noisegen.noise.arrays import Doubles, Floats, Mask
from noisegen.references.brightness import pooled

BOX = 8
"""Side of the boxes whose means are compared: noise averages out in them, things do not."""

NEIGHBOURS = 65
"""Windows of similar brightness whose usual unrest a window is compared with."""

UNREST = 5.0
"""Times the usual, above which something moved; noise alone stays below, and so does noise half as
strong again on texture."""

ANOTHER = 10.0
"""The same of a pair, above which a window shows something else than its clean: up to 9 on
instruments whose pairs lie on each other, more where an object was moved."""


def moving(residual: Floats, clean: Floats, limit: float = UNREST) -> Mask:
    """Windows whose box means differ by more than those of windows as bright.

    Args:
        residual: N×C×32×32, of a shot less its burst's mean, or of two shots.
        clean: the same shape.
        limit: times the usual.
    """
    unrest = _unrest(residual)
    order = np.argsort(clean.mean((1, 2, 3)), kind="stable")
    ranked = unrest[order]
    count, half = len(ranked), min(NEIGHBOURS, len(ranked)) // 2
    usual = np.empty(count)
    for rank in range(count):
        start = min(max(rank - half, 0), max(count - 2 * half - 1, 0))
        usual[rank] = np.median(ranked[start : start + 2 * half + 1])
    moves = np.zeros(count, bool)
    moves[order] = ranked > limit * np.maximum(usual, 1e-12)
    return moves


def showing_another(residual: Floats, clean: Floats) -> Mask:
    """Windows of a pair that show something else than their clean, so that it spoils the noise.

    Beside saturated windows any noise is unusual; so the whole pair's unrest counts too.

    Args:
        residual: N×C×32×32.
        clean: the same shape.
    """
    unrest = _unrest(residual)
    usual = float(np.median(unrest[unrest > 0])) if unrest.any() else 0.0
    return moving(residual, clean, ANOTHER) & (unrest > ANOTHER * usual)


def _unrest(residual: Floats) -> Doubles:
    """Variance of the box means within each window."""
    return np.asarray(pooled(residual, BOX).var((2, 3)).mean(1), np.float64)
