"""Slow brightness drift between a noisy picture and its clean, as under a lamp that flickers.

Means of 16-pixel blocks are smoothed to a surface: blobs of more than about 32 px count as drift.
It is one only if blocks agree with those two further down *and* across: grain does not reach so
far, and banding agrees along its bands alone. What follows brightness is no drift either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisegen.model.config import WINDOW
from noisegen.noise.arrays import Doubles, Floats
from noisegen.noise.curves import fit_curves, place_nodes, positions, read_curves
from noisegen.noise.windows import cut
from noisegen.references.brightness import POOL, TILE, keeps_clear
from noisegen.references.shift import beside

BLOCK = TILE
"""Side of the blocks, in pixels."""

APART = 2
"""Blocks that are compared lie so many rows and columns from each other."""

SIGNIFICANT = 4.5
"""Standard errors that their agreement must show."""

SMALLEST_SHARE = 0.005
"""Of the residual's variance, that the drift must make up."""

CLEAR_ENOUGH = 1.0
"""Standard deviations from black and white at which clipping moves the mean by less than a tenth
of one: once there is a drift, it is read even there."""

SMALLEST_SIDE = 6
"""Blocks a side that a picture must have."""

LOOKED_AT = 2**23
"""Pixels that tell whether there is a drift: of larger pictures every second or fourth one each
way, which is as many of each block."""


@dataclass(frozen=True)
class Drift:
    """Slow surface that is added to a clean to bring it as bright as its noisy picture.

    Attributes:
        surface: H×W×C, in units of the white level.
        strength: standard deviation of the drift alone, by what distant blocks agree in: the
            surface holds what is left of the noise too.
    """

    surface: Floats
    strength: float

    def __str__(self) -> str:
        usual, most = 255 * self.surface.std(), 255 * np.abs(self.surface).max()
        return f"drift of {usual:.2f}, at most {most:.2f} of 255"


def find_drift(noisy: Floats, clean: Floats) -> Drift | None:
    """The residual's slow part, or nothing where it is not significant; both H×W×C."""
    rows, columns = (2 * (side // WINDOW) for side in clean.shape[:2])
    if min(rows, columns) < SMALLEST_SIDE:
        return None
    noisy, clean_there = (x[: rows * BLOCK, : columns * BLOCK] for x in (noisy, clean))
    step = 2 ** int(np.ceil(np.log2(max(clean[..., 0].size / LOOKED_AT, 1)) / 2))
    step = min(step, BLOCK // POOL)
    shots, pictures = (cut(x[::step, ::step], BLOCK // step) for x in (noisy, clean_there))
    seen = keeps_clear(shots, pictures)
    residual = shots - pictures
    nodes = place_nodes(pictures)
    position = positions(nodes, pictures)
    bent = residual - read_curves(fit_curves(position, residual, nodes), position)
    means = bent.mean((2, 3)).reshape(rows, columns, -1)
    known = seen.reshape(rows, columns, -1)
    variance = np.where(seen, residual.var((2, 3)), 0).sum(0) / np.maximum(seen.sum(0), 1)
    shared = [
        _agreement(means[..., c], known[..., c], float(variance[c])) for c in range(means.shape[2])
    ]
    if not any(shared):
        return None
    shots, pictures = cut(noisy, BLOCK), cut(clean_there, BLOCK)
    apart = (shots - pictures).mean((2, 3)).reshape(rows, columns, -1)
    clear = keeps_clear(shots, pictures, CLEAR_ENOUGH).reshape(rows, columns, -1)
    surface = _stretched(_smoothed(apart, clear), clean.shape[0], clean.shape[1])
    return Drift(surface, float(np.sqrt(max(shared))))


def _agreement(means: Doubles, known: NDArray[np.bool_], variance: float) -> float:
    """Covariance of blocks with those two further along both diagonals; 0 if it is no drift."""
    if known.sum() < SMALLEST_SIDE**2:
        return 0.0
    centred = np.where(known, means - means[known].mean(), 0)
    agreement = []
    for first, second in (
        (centred[:-APART, :-APART], centred[APART:, APART:]),
        (centred[:-APART, APART:], centred[APART:, :-APART]),
    ):
        products = first * second
        pairs = max(int((products != 0).sum()), 1)
        agreement.append((products.sum() / pairs, pairs))
    shared = sum(value for value, _ in agreement) / len(agreement)
    # Blocks of independent means would agree by chance so far.
    error = (centred**2).sum() / known.sum() / np.sqrt(sum(pairs for _, pairs in agreement))
    significant = shared > SIGNIFICANT * error and shared > SMALLEST_SHARE * variance
    return float(shared) if significant else 0.0


def _smoothed(means: Doubles, known: NDArray[np.bool_]) -> Doubles:
    """Weighted by 1, 2, 1 each way; to nothing where clipping hides it."""
    values, weights = _spread(np.where(known, means, 0.0)), _spread(known.astype(np.float64))
    return np.asarray(values / np.maximum(weights, 0.25))


def _spread(grid: Doubles) -> Doubles:
    for axis in (0, 1):
        before, after = beside(grid, axis)
        grid = (before + 2 * grid + after) / 4
    return grid


def _stretched(grid: Doubles, height: int, width: int) -> Floats:
    """Stretch blocks to pixels by straight lines between their middles."""
    for axis, length in enumerate((height, width)):
        at = np.clip((np.arange(length) + 0.5) / BLOCK - 0.5, 0, grid.shape[axis] - 1)
        low = np.minimum(at.astype(np.intp), grid.shape[axis] - 2)
        share = (at - low).reshape([-1 if i == axis else 1 for i in range(3)])
        grid = grid.take(low, axis) * (1 - share) + grid.take(low + 1, axis) * share
    return grid.astype(np.float32)
