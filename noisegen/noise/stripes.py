"""Row and column noise: lines that are read out together share an offset.

Two halves of a line see the same offset but other pixels' noise, so their products tell its
variance, however small it is beside that of the pixels. What comes after the read-out, as a tone
curve does, makes an offset larger or smaller by a factor that follows intensity: the products of
one half's pixels with the other half's offset tell it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from noisegen.model.config import STRIPE_KERNEL, WINDOW
from noisegen.noise.cells import Cells
from noisegen.noise.curves import place_nodes, positions, read_curves
from noisegen.noise.windows import Windows

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

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


ROUNDS = 2
"""Rounds of finding offsets and their factors by intensity in turn."""

SMALLEST_SQUARE = 1e-4
"""Of a line's factors: where offsets hardly show, nothing is divided by nothing."""

LIKELY = 2.0
"""Standard deviations that the mean of all offsets may be from 0."""

LEAST_UNCLIPPED = 0.2
"""Share of pixels that is taken for more where clipping leaves fewer: then little is seen."""

LARGEST_FACTOR = 10.0
"""Of an offset at one intensity, relative to that of all pixels."""


@dataclass(frozen=True)
class Stripes:
    """Offsets of rows (0) or columns (1), in units of the white level; C channels, n nodes.

    Attributes:
        sigma: 2×C, standard deviation of the offsets, of all pixels; 0 where there are none.
        nodes: C×n, intensities that factors are given at.
        follows: 2×C×n, factor on the offsets that is seen there; 1 in the pixels' mean.
        unclipped: C×n, share of the pixels there that clipping does not stop; it stops as much of
            the offsets (Price, IRE Trans. Inf. Theory 1958).
        kernel: 2×C×STRIPE_KERNEL, colours white offsets along the axis; unit energy.
        shared: 2, correlation of two channels' offsets, in [0, 1].
    """

    sigma: Doubles
    nodes: Doubles
    follows: Doubles
    unclipped: Doubles
    kernel: Doubles
    shared: Doubles

    @property
    def any(self) -> bool:
        """There are some."""
        return bool(self.sigma.any())

    def at(self, nodes: Doubles) -> Doubles:
        """C×2×n, standard deviation of the offsets at other nodes of intensity before clipping."""
        strengths = np.empty((len(nodes), 2, nodes.shape[1]))
        for c, axis in np.ndindex(strengths.shape[:2]):
            factor = np.interp(nodes[c], self.nodes[c], self.follows[axis, c] / self.unclipped[c])
            strengths[c, axis] = self.sigma[axis, c] * factor
        return strengths


def find_stripes(windows: Windows) -> Stripes:
    """Measures row and column noise of windows whose residual holds it."""
    channels = windows.residual.shape[1]
    nodes = place_nodes(windows.clean)
    position = positions(nodes, windows.clean)
    centred = _centred(windows, nodes, position)
    sigma = np.zeros((2, channels))
    follows = np.ones((2, *nodes.shape))
    kernel = np.zeros((2, channels, STRIPE_KERNEL))
    kernel[..., STRIPE_KERNEL // 2] = 1
    shared = np.ones(2)
    for axis in (0, 1):
        lines = _Lines.of(centred, axis)
        found = None if lines is None else lines.covariances()
        for _ in range(ROUNDS):
            if lines is None or found is None:
                break
            clear = found[0][:, 0] > 0
            follows[axis, clear] = lines.follows(centred, nodes, position)[clear]
            lines = _Lines.of(centred, axis, read_curves(follows[axis], position))
            found = None if lines is None else lines.covariances()
        if found is not None:
            lags, shared[axis] = found
            sigma[axis] = np.sqrt(lags[:, 0])
            kernel[axis] = [_kernel(row) for row in lags]
    return Stripes(sigma, nodes, follows, _unclipped(windows, nodes, position), kernel, shared)


def without_stripes(windows: Windows, stripes: Stripes) -> Windows:
    """The windows less the offsets of their lines, as well as these are known."""
    if not stripes.any:
        return windows
    residual, seen = windows.residual, windows.unclipped
    position = positions(stripes.nodes, windows.clean)
    centred = _centred(windows, stripes.nodes, position)
    for axis in (0, 1):
        if stripes.sigma[axis].any():
            lines = _Lines.of(centred, axis, read_curves(stripes.follows[axis], position))
            if lines is not None:
                factor = read_curves(stripes.follows[axis] / stripes.unclipped, position)
                offsets = lines.offsets(stripes.sigma[axis])
                shared = lines.shared_by_all(stripes.sigma[axis], residual, seen)
                residual = residual - factor * (offsets + shared)
    return replace(windows, residual=residual)


def _centred(windows: Windows, nodes: Doubles, position: Floats) -> Windows:
    """The windows less the mean of their residual against intensity: it is no line's offset."""
    cells = Cells.of(position, nodes)
    scale = np.broadcast_to(windows.residual.std((0, 2, 3))[:, None], nodes.shape)
    weight = np.broadcast_to(1 / np.maximum(scale[:, :1] ** 2, 1e-12), cells.count.shape)
    mean = cells.fit(cells.sums(windows.residual), weight, scale)
    return replace(windows, residual=windows.residual - read_curves(mean, position))


def _unclipped(windows: Windows, nodes: Doubles, position: Floats) -> Doubles:
    """C×n, share of the pixels at the nodes of intensity that are not at an end."""
    if windows.estimated:
        # An estimated clean is least sure beside black: with this, lone rows were too loud there.
        return np.ones_like(nodes)
    cells = Cells.of(position, nodes)
    shares = cells.fit(
        cells.sums(windows.unclipped.astype(np.float32)),
        np.ones_like(cells.count),
        np.ones_like(nodes),
    )
    return np.asarray(shares.clip(LEAST_UNCLIPPED, 1), np.float64)


@dataclass(frozen=True)
class _Lines:
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
    def of(cls, windows: Windows, axis: int, factor: Floats | None = None) -> _Lines | None:
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
        lags = (
            np.stack(
                [
                    (one[..., : WINDOW - lag] * other[..., lag:]).mean((0, 2))
                    + (other[..., : WINDOW - lag] * one[..., lag:]).mean((0, 2))
                    for lag in range(WINDOW // 2)
                ],
                1,
            )
            / 2
        )
        lags[~clear] = 0
        lags = lags @ _undo_slow()
        pairs = [
            (one[:, c] * other[:, d]).mean() / np.sqrt(variance[c] * variance[d])
            for c in np.flatnonzero(clear)
            for d in np.flatnonzero(clear)
            if c != d
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


def _slow(means: Doubles) -> Doubles:
    """What changes over more than SLOW lines: cosines of lowest frequency."""
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
    """How many neighbouring lines of L×C×32 say what one of them says: coarse grain spans some.

    The variance of two independent series' covariance grows by so much (Bartlett, JRSS Suppl.
    1946).
    """
    lags = [_correlated(one, k) * _correlated(other, k) for k in range(1, WINDOW // 2)]
    return float(1 + 2 * np.sum(np.maximum(lags, 0)))


def _correlated(lines: Doubles, lag: int) -> float:
    """Correlation of L×C×32 lines with those ``lag`` lines on."""
    return float((lines[..., :-lag] * lines[..., lag:]).mean() / (lines**2).mean())


def _clipped(values: Doubles) -> Doubles:
    """Within four robust standard deviations."""
    limit = 4 * 1.4826 * np.median(np.abs(values), axis=(0, 2), keepdims=True)
    return np.clip(values, -limit, limit)


def _kernel(lags: Doubles) -> Doubles:
    """The symmetric kernel of unit energy whose offsets have these covariances."""
    kernel: Doubles = np.zeros(STRIPE_KERNEL)
    if lags[0] <= 0:
        kernel[STRIPE_KERNEL // 2] = 1
        return kernel
    circular = np.zeros(4 * STRIPE_KERNEL)
    circular[:LAGS] = lags / lags[0]
    circular[-LAGS + 1 :] = circular[1:LAGS][::-1]
    root = np.sqrt(np.maximum(np.fft.fft(circular).real, 0))
    spatial = np.fft.fftshift(np.fft.ifft(root).real).astype(np.float64)
    middle = len(spatial) // 2
    kernel = spatial[middle - STRIPE_KERNEL // 2 : middle + STRIPE_KERNEL // 2 + 1]
    unit: Doubles = kernel / np.sqrt((kernel**2).sum())
    return unit
