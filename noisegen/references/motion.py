"""Windows of a burst in which something moved between its shots."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from noisegen.references.brightness import pooled

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

BOX = 8
"""Side of the boxes whose means are compared: noise averages out in them, things do not."""

NEIGHBOURS = 65
"""Windows of similar brightness whose usual unrest a window is compared with."""

UNREST = 5.0
"""Times the usual, above which something moved; noise alone stays below, and so does noise half as
strong again on texture."""


def moving(residual: Floats, clean: Floats) -> Mask:
    """Windows whose box means differ by more than those of windows as bright.

    Args:
        residual: N×C×32×32, of a shot less its burst's mean, or of two shots.
        clean: the same shape.
    """
    unrest = np.asarray(pooled(residual, BOX).var((2, 3)).mean(1), np.float64)
    order = np.argsort(clean.mean((1, 2, 3)), kind="stable")
    ranked = unrest[order]
    count, half = len(ranked), min(NEIGHBOURS, len(ranked)) // 2
    usual = np.empty(count)
    for rank in range(count):
        start = min(max(rank - half, 0), max(count - 2 * half - 1, 0))
        usual[rank] = np.median(ranked[start : start + 2 * half + 1])
    moves = np.zeros(count, bool)
    moves[order] = ranked > UNREST * np.maximum(usual, 1e-12)
    return moves
