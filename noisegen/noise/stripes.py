"""Row and column noise: lines that are read out together share an offset.

Two halves of a line see the same offset but other pixels' noise, so their products tell its
variance, however small it is beside that of the pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from noisegen.model.config import STRIPE_KERNEL, WINDOW
from noisegen.noise.windows import Windows

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

SIGNIFICANT = 6.0
"""Standard errors by which two halves' lines must agree."""

SMALLEST = 0.03
"""Of the noise's standard deviation, below which stripes are not looked for: nobody sees them."""

LEAST_AGREEMENT = 0.15
"""Correlation of two halves' lines, below which what they share is the scene's."""

FEWEST_LINES = 64
"""Lines that must be seen."""

LAGS = 5
"""Lines, this one among them, that an offset is correlated over."""

SLOW = 8
"""Lines that an offset must change within: what is slower is shading."""


@dataclass(frozen=True)
class Stripes:
    """Offsets of rows (0) or columns (1), in units of the white level; C channels.

    Attributes:
        sigma: 2×C, standard deviation of the offsets; 0 where there are none.
        kernel: 2×C×STRIPE_KERNEL, colours white offsets along the axis; unit energy.
        shared: 2, correlation of two channels' offsets, in [0, 1].
    """

    sigma: Doubles
    kernel: Doubles
    shared: Doubles

    @property
    def any(self) -> bool:
        """There are some."""
        return bool(self.sigma.any())


def find_stripes(windows: Windows) -> Stripes:
    """Measures row and column noise of windows whose residual holds it."""
    channels = windows.residual.shape[1]
    sigma = np.zeros((2, channels))
    kernel = np.zeros((2, channels, STRIPE_KERNEL))
    kernel[..., STRIPE_KERNEL // 2] = 1
    shared = np.ones(2)
    for axis in (0, 1):
        lines = _Lines.of(windows, axis)
        if lines is None:
            continue
        found = lines.covariances()
        if found is None:
            continue
        lags, shared[axis] = found
        sigma[axis] = np.sqrt(lags[:, 0])
        kernel[axis] = [_kernel(row) for row in lags]
    return Stripes(sigma, kernel, shared)


def without_stripes(windows: Windows, stripes: Stripes) -> Windows:
    """The windows less the offsets of their lines, as well as these are known."""
    residual = windows.residual
    for axis in (0, 1):
        lines = _Lines.of(windows, axis) if stripes.sigma[axis].any() else None
        if lines is not None:
            residual = residual - lines.offsets(stripes.sigma[axis])
    return replace(windows, residual=residual)


@dataclass(frozen=True)
class _Lines:
    """Means of the windows' lines, one axis.

    Attributes:
        axis: 0 for rows, 1 for columns.
        whole: N×C×32, of each window's lines.
        means: the same less what is slow in them.
        weight: N, of each window.
        line: N, which windows lie in one line.
        half: N, which half of the line a window lies in, by turns.
    """

    axis: int
    whole: Doubles
    means: Doubles
    weight: Doubles
    line: NDArray[np.intp]
    half: NDArray[np.bool_]

    @classmethod
    def of(cls, windows: Windows, axis: int) -> _Lines | None:
        """The lines of windows; None where too few lie beside another."""
        along, across = (1, 2) if axis == 0 else (2, 1)
        whole = windows.residual.mean(3 - axis, dtype=np.float64)
        _, line = np.unique(windows.places[:, [0, along]], axis=0, return_inverse=True)
        power = (windows.residual.astype(np.float64) ** 2).mean((1, 2, 3))
        half = windows.places[:, across] // 2 % 2 == 1
        line = line.ravel()
        both = np.zeros(line.max() + 1, int)
        for side in (False, True):
            both[np.unique(line[half == side])] += 1
        if WINDOW * int((both == 2).sum()) < FEWEST_LINES:
            return None
        return cls(axis, whole, whole - _slow(whole), 1 / np.maximum(power, 1e-12), line, half)

    def covariances(self) -> tuple[Doubles, float] | None:
        """C×LAGS, of the offsets at lags 0…, and the channels' correlation."""
        one, other = (self._mean(self.half == side) for side in (False, True))
        seen = np.isfinite(one).all((1, 2)) & np.isfinite(other).all((1, 2))
        one, other = one[seen], other[seen]
        # A few lines along edges of the scene must not decide.
        one, other = (_clipped(x) for x in (one, other))
        variance = (one * other).mean((0, 2))
        power = np.sqrt((one**2).mean((0, 2)) * (other**2).mean((0, 2)))
        error = power * np.sqrt(_alike(one) * _alike(other) / one[:, 0].size)
        agreement = variance / np.maximum(power, 1e-30)
        typical = np.sqrt(1 / np.median(self.weight))
        clear = (variance > SIGNIFICANT * error) & (agreement > LEAST_AGREEMENT)
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

    def offsets(self, sigma: Doubles) -> Floats:
        """N×C×32×32, of the windows' lines: as far as their mean tells them from pixels' noise."""
        count = np.bincount(self.line)
        total = np.zeros((len(count), *self.whole.shape[1:]))
        np.add.at(total, self.line, self.whole)
        mean = total / count[:, None, None]
        variance = (sigma**2)[:, None]
        seen = (mean**2).mean((0, 2))[:, None]
        mean *= np.minimum(1, variance / np.maximum(seen, 1e-30))
        lines = mean[self.line].astype(np.float32)
        return lines[..., None] if self.axis == 0 else lines[:, :, None, :]

    def _mean(self, chosen: NDArray[np.bool_]) -> Doubles:
        """L×C×32, weighted means of some windows' lines; NaN where there are none."""
        count = self.line.max() + 1
        weight = np.bincount(self.line[chosen], self.weight[chosen], count)
        total = np.zeros((count, *self.means.shape[1:]))
        np.add.at(total, self.line[chosen], self.means[chosen] * self.weight[chosen, None, None])
        with np.errstate(invalid="ignore"):
            mean: Doubles = total / weight[:, None, None]
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


def _alike(lines: Doubles) -> float:
    """How many neighbouring lines of L×C×32 say what one of them says: coarse grain spans some."""
    power = (lines**2).mean()
    lags = [(lines[..., :-k] * lines[..., k:]).mean() / power for k in range(1, WINDOW // 2)]
    return float(1 + 2 * np.sum(np.maximum(lags, 0)))


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
