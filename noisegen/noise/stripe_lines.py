"""Offsets that lines of windows share, measured in two halves of each line that see them alike."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from noisegen.model.config import WINDOW
from noisegen.noise.arrays import Doubles, Floats
from noisegen.noise.cells import Cells
from noisegen.noise.windows import Windows

SIGNIFICANT, SIGNIFICANT_BESIDE = 8.0, 3.0
"""Standard errors by which two halves' lines must agree in one channel, and then in others."""

SMALLEST = 0.03
"""Of the noise's standard deviation, below which stripes are not looked for: nobody sees them."""

LEAST_AGREEMENT, LEAST_AGREEMENT_BESIDE = 0.6, 0.15
"""Correlation of two halves' lines in one channel, and then in others, below which what they share
is the scene's: misplaced edges of a PolyU wall agree by 0.55, a sensor's rows by 0.85."""

FEWEST_LINES = 64
"""Lines that must be seen."""

LAGS = 5
"""Lines, this one among them, that an offset is correlated over."""

SLOW = 8
"""Lines that an offset must change within: what is slower is shading."""

SMALLEST_SQUARE = 1e-4
"""Of a line's factors: where offsets hardly show, nothing is divided by nothing."""

LARGEST_FACTOR = 10.0
"""Of an offset at one intensity, relative to that of all pixels."""

LIKELY = 2.0
"""Standard deviations that the mean of all offsets may be from 0."""


@dataclass(frozen=True)
class Lines:
    """Offsets of the windows' lines by least squares, one axis.

    Attributes:
        axis: 0 for rows, 1 for columns.
        whole: N×C×32, of each window's lines.
        means: the same less what is slow in them.
        weight: N×C, of each window.
        power: N, of each window's residual.
        line: N, which windows lie in one line.
        half: N, which half of the line a window lies in, by turns.
    """

    axis: int
    whole: Doubles
    means: Doubles
    weight: Doubles
    power: Doubles
    line: NDArray[np.intp]
    half: NDArray[np.bool_]

    @classmethod
    def of(cls, windows: Windows, axis: int, factor: Floats | None = None) -> Lines | None:
        """The lines of windows; None where too few lie beside another.

        Args:
            windows: N of them.
            axis: 0 for rows, 1 for columns.
            factor: N×C×32×32 on the offsets; 1 where left out.
        """
        along, across = (1, 2) if axis == 0 else (2, 1)
        factor = np.ones_like(windows.residual) if factor is None else factor
        square = np.maximum((factor**2).mean(3 - axis, dtype=np.float64), SMALLEST_SQUARE)
        whole = (windows.residual * factor).mean(3 - axis, dtype=np.float64) / square
        _, line = np.unique(windows.places[:, [0, along]], axis=0, return_inverse=True)
        power = (windows.residual.astype(np.float64) ** 2).mean((1, 2, 3))
        half = windows.places[:, across] // 2 % 2 == 1
        line = line.ravel()
        both = np.zeros(line.max() + 1, int)
        for side in (False, True):
            both[np.unique(line[half == side])] += 1
        if WINDOW * int((both == 2).sum()) < FEWEST_LINES:
            return None
        power = np.maximum(power, 1e-12)
        weight = square.mean(2) / power[:, None]
        return cls(axis, whole, whole - _slow(whole), weight, power, line, half)

    def covariances(self) -> tuple[Doubles, float] | None:
        """C×LAGS, of the offsets at lags 0…, and the channels' correlation."""
        one, other = (self._mean(self.half == side) for side in (False, True))
        seen = np.isfinite(one).all((1, 2)) & np.isfinite(other).all((1, 2))
        one, other = one[seen], other[seen]
        # A few lines along edges of the scene must not decide.
        one, other = (_clipped(x) for x in (one, other))
        variance = (one * other).mean((0, 2))
        power = np.sqrt((one**2).mean((0, 2)) * (other**2).mean((0, 2)))
        error = power * np.sqrt(_alike(one, other) / one[:, 0].size)
        agreement = variance / np.maximum(power, 1e-30)
        typical = np.sqrt(np.median(self.power))
        surely = (variance > SIGNIFICANT * error) & (agreement > LEAST_AGREEMENT)
        if not surely.any():
            return None
        clear = variance > SIGNIFICANT_BESIDE * error
        clear &= agreement > LEAST_AGREEMENT_BESIDE
        clear &= variance > (SMALLEST * typical) ** 2
        if not clear.any():
            return None
        lags = _lagged(one, other)
        lags[~clear] = 0
        lags = lags @ _undo_slow()
        pairs = [
            (one[:, c] * other[:, d]).mean() / np.sqrt(variance[c] * variance[d])
            for c, d in permutations(np.flatnonzero(clear), 2)
        ]
        return lags, float(np.clip(np.mean(pairs), 0, 1)) if pairs else 1.0

    def follows(self, windows: Windows, nodes: Doubles, position: Floats) -> Doubles:
        """C×n, factor on the offsets at the nodes of intensity, 1 in the pixels' mean.

        A pixel's noise times the offset that the other half of its line shows is on average the
        offset's variance times the pixel's factor.

        Args:
            windows: that the lines are of.
            nodes: C×n, intensities.
            position: N×C×32×32, of the windows' pixels among them.
        """
        shown = np.stack([self._mean(self.half == side)[self.line] for side in (True, False)])
        other = shown[self.half.astype(int), np.arange(len(windows))]
        seen = np.isfinite(other).all((1, 2))
        line = other[seen].astype(np.float32)
        noise = windows.residual[seen]
        product = noise * (line[..., None] if self.axis == 0 else line[:, :, None, :])
        cells = Cells.of(position[seen], nodes)
        sums, count = cells.sums(product), cells.count
        mean = np.maximum(sums.sum(1) / count.sum(1), 1e-30)[:, None]
        square = cells.sums(product.astype(np.float64) ** 2)
        typical = square.sum(1, keepdims=True) / count.sum(1, keepdims=True)
        # A cell of few pixels has the spread of all rather than its own. Pixels of one line share
        # its offset: their products vary together, by twice the squared variance.
        spread = (square + FEWEST_LINES * typical) / (count + FEWEST_LINES)
        spread += 2 * mean**2 * count / np.maximum(self._lines_in(cells, seen), 1)
        # A channel without noise has no spread, and no stripes.
        weight = 1 / np.maximum(spread, 1e-30)
        curve = cells.fit(sums, weight, np.broadcast_to(mean, nodes.shape)) / mean
        factors: Doubles = curve.clip(0, LARGEST_FACTOR)
        return factors

    def _lines_in(self, cells: Cells, seen: NDArray[np.bool_]) -> Doubles:
        """C×K, lines that each cell's samples lie in."""
        line = self.line[seen, None] * WINDOW + np.arange(WINDOW)
        across = line[:, :, None] if self.axis == 0 else line[:, None, :]
        of_each = np.broadcast_to(across, (len(line), WINDOW, WINDOW)).ravel()
        size, lines = cells.count.shape[1], int(of_each.max()) + 1
        found = [
            np.bincount(index * lines + of_each, minlength=size * lines).reshape(size, lines) > 0
            for index in cells.index.astype(np.int64)
        ]
        return np.stack([here.sum(1) for here in found]).astype(np.float64)

    def offsets(self, sigma: Doubles) -> Floats:
        """N×C×32×32 with one side 1: as far as lines tell their offset from pixels' noise."""
        mean = self._mean(np.ones(len(self.line), bool), self.whole)
        variance = (sigma**2)[:, None]
        seen = (mean**2).mean((0, 2))[:, None]
        mean *= np.minimum(1, variance / np.maximum(seen, 1e-30))
        lines = mean[self.line].astype(np.float32)
        return lines[..., None] if self.axis == 0 else lines[:, :, None, :]

    def shared_by_all(self, sigma: Doubles, residual: Floats, seen: NDArray[np.bool_]) -> Floats:
        """1×C×1×1, mean of all offsets: as much of the residual's as chance explains.

        It comes back with every line that is drawn and so is none of the camera's own mean.

        Args:
            sigma: C, of the offsets.
            residual: N×C×32×32.
            seen: the same shape, what is not clipped.
        """
        # Clipping gives a mean too, to pixels beside its ends.
        total = np.where(seen, residual, 0).sum((0, 2, 3), dtype=np.float64)
        mean = total / np.maximum(seen.sum((0, 2, 3)), 1)
        likely = LIKELY * sigma / np.sqrt(WINDOW * (self.line.max() + 1))
        shared: Floats = mean.clip(-likely, likely).reshape(1, -1, 1, 1).astype(np.float32)
        return shared

    def _mean(self, chosen: NDArray[np.bool_], values: Doubles | None = None) -> Doubles:
        """L×C×32, weighted means of some windows' lines; NaN where there are none."""
        count = self.line.max() + 1
        values = self.means if values is None else values
        weight, total = np.zeros((count, values.shape[1])), np.zeros((count, *values.shape[1:]))
        np.add.at(weight, self.line[chosen], self.weight[chosen])
        np.add.at(total, self.line[chosen], values[chosen] * self.weight[chosen, :, None])
        with np.errstate(invalid="ignore"):
            mean: Doubles = total / weight[..., None]
        return mean


def _lagged(one: Doubles, other: Doubles) -> Doubles:
    """C×(WINDOW / 2), covariances of two halves' lines, L×C×32 each, at lags 0…."""
    found = []
    for lag in range(WINDOW // 2):
        ahead, behind = slice(lag, None), slice(WINDOW - lag)
        first = (one[..., behind] * other[..., ahead]).mean((0, 2))
        second = (other[..., behind] * one[..., ahead]).mean((0, 2))
        found.append((first + second) / 2)
    return np.stack(found, 1)


def _slow(means: Doubles) -> Doubles:
    """Part of lines that changes over more than SLOW of them: cosines of lowest frequency."""
    projector = _slow_projector()
    return means @ projector


def _slow_projector() -> Doubles:
    position = (np.arange(WINDOW) + 0.5) / WINDOW
    basis = np.cos(np.pi * np.arange(WINDOW // SLOW)[:, None] * position[None])
    basis /= np.sqrt((basis**2).sum(1, keepdims=True))
    projector: Doubles = basis.T @ basis
    return projector


def _undo_slow() -> Doubles:
    """Brings covariances at lags 0… of what :func:`_slow` left back to those before it."""
    left = np.eye(WINDOW) - _slow_projector()
    apart = np.abs(np.subtract.outer(np.arange(WINDOW), np.arange(WINDOW)))
    seen = np.empty((LAGS, WINDOW // 2))
    for lag in range(LAGS):
        covariance = left @ (apart == lag) @ left
        seen[lag] = [np.diagonal(covariance, k).mean() for k in range(WINDOW // 2)]
    return np.asarray(np.linalg.pinv(seen), np.float64)


def _alike(one: Doubles, other: Doubles) -> float:
    """Number of neighbouring lines, L×C×32, that say what one says: coarse grain spans some.

    The variance of two independent series' covariance grows by so much (Bartlett, JRSS Suppl.
    1946).
    """
    lags = [_correlated(one, k) * _correlated(other, k) for k in range(1, WINDOW // 2)]
    return float(1 + 2 * np.sum(np.maximum(lags, 0)))


def _correlated(lines: Doubles, lag: int) -> float:
    """Correlation of L×C×32 lines with those ``lag`` lines on."""
    return float((lines[..., :-lag] * lines[..., lag:]).mean() / max((lines**2).mean(), 1e-30))


def _clipped(values: Doubles) -> Doubles:
    """Clip values to four robust standard deviations."""
    limit = 4 * 1.4826 * np.median(np.abs(values), axis=(0, 2), keepdims=True)
    return np.clip(values, -limit, limit)
