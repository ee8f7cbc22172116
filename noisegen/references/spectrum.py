"""Grain and colour: correlations within and across channels, and the kernel that makes them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from noisegen.model.config import KERNEL, QUANTILE_NODES, QUANTILE_REACH, WINDOW

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

SIGNIFICANT = 3.0
"""Correlations of so many standard errors are halved, smaller ones vanish, larger ones stay."""

HERMITE_ORDER = 25
"""Polynomials that a marginal is expanded in: enough for impulses."""


def correlations(standard: Floats, rounding: float) -> Doubles:
    """Correlation of every channel with every channel at every offset, 32×32×C×C.

    From Hann-windowed spectra, so that a window's borders count for little; tapered beyond the
    kernel's reach, and less what sampling alone makes of independent pixels.

    Args:
        standard: N×C×32×32, residual of unit variance and no mean.
        rounding: share of the variance that rounding to whole steps added, white.
    """
    hann = np.hanning(WINDOW + 1)[:WINDOW]
    taper = np.outer(hann, hann)
    taper /= np.sqrt(np.mean(taper**2))
    # In double precision: what is stored in single then does not depend on the order of sums.
    transformed = np.fft.fft2(standard.astype(np.float64) * taper)
    spectrum = np.einsum("ncyx,ndyx->yxcd", transformed, transformed.conj(), optimize=True)
    covariance = np.fft.ifft2(spectrum, axes=(0, 1)).real
    lag = np.minimum(np.arange(WINDOW), WINDOW - np.arange(WINDOW))
    # Flat within the kernel's reach, then down to nothing at half a window.
    beyond = np.clip((lag - KERNEL // 2) / (WINDOW // 2 - KERNEL // 2), 0, 1)
    window = np.cos(beyond * np.pi / 2) ** 2
    # The Hann window has already shrunk long lags: undo that within reach before the taper.
    shrink = np.array([np.sum(hann[: WINDOW - k] * hann[k:]) for k in lag]) / np.sum(hann**2)
    factor = window / np.maximum(shrink, 0.2)
    covariance *= (factor[:, None] * factor[None])[..., None, None]
    diagonal = np.arange(covariance.shape[2])
    covariance[0, 0, diagonal, diagonal] *= 1 - rounding
    deviation = np.sqrt(np.maximum(np.diagonal(covariance[0, 0]), 1e-12))
    covariance /= deviation[:, None] * deviation[None]
    return _significant(covariance, len(standard))


def _significant(correlation: Doubles, windows: int) -> Doubles:
    """Shrinks correlations by their standard errors (Bartlett, JRSS Suppl. 1946), per pair."""
    # The taper leaves (mean of its square)² / mean of its fourth power of the pixels.
    pixels = windows * WINDOW**2 * (18 / 35) ** 2
    spread = np.einsum("yxcc,yxdd->cd", correlation, correlation)
    variance = np.maximum(spread, 1.0) / pixels
    square = correlation**2
    shrunk: Doubles = correlation * square / (square + SIGNIFICANT**2 * variance + 1e-300)
    diagonal = np.arange(correlation.shape[2])
    shrunk[0, 0, diagonal, diagonal] = 1
    return shrunk


def before_quantiles(correlation: Doubles, quantiles: Doubles) -> Doubles:
    """The Gaussian field's correlations that become ``correlation`` through the marginal's tables.

    A mapping bends correlation towards zero: in Hermite polynomials, ρ becomes Σ aₖbₖρᵏ (Cario
    and Nelson, *Modeling and generating random vectors …*, 1997: NORTA), which is inverted.

    Args:
        correlation: 32×32×C×C of the noise.
        quantiles: C×65, unit variance.
    """
    coefficients = _hermite_coefficients(quantiles)
    grid = np.linspace(-1, 1, 401)
    powers = grid[:, None] ** np.arange(1, HERMITE_ORDER + 1)
    result = correlation.copy()
    for c in range(correlation.shape[2]):
        for d in range(correlation.shape[3]):
            # What lies beyond the expansion counts where the field is nearly the same.
            beyond = max(0.0, 1 - float(coefficients[c] @ coefficients[c])) if c == d else 0.0
            mapped = powers @ (coefficients[c] * coefficients[d]) + beyond * powers[:, -1]
            mapped = np.maximum.accumulate(mapped)
            result[..., c, d] = np.interp(correlation[..., c, d], mapped, grid)
    return result


def _hermite_coefficients(quantiles: Doubles) -> Doubles:
    """C×HERMITE_ORDER: the tables' functions in normalised Hermite polynomials from the first."""
    x = np.linspace(-7, 7, 4001)
    weights = np.exp(-0.5 * x**2)
    weights /= weights.sum()
    table = np.linspace(-QUANTILE_REACH, QUANTILE_REACH, QUANTILE_NODES)
    values = np.stack([np.interp(x, table, row) for row in quantiles]) * weights
    below, here = np.zeros_like(x), np.ones_like(x)
    coefficients = np.empty((len(quantiles), HERMITE_ORDER))
    for k in range(HERMITE_ORDER):
        below, here = here, (x * here - np.sqrt(k) * below) / np.sqrt(k + 1)
        coefficients[:, k] = values @ here
    return coefficients


def colouring_kernel(correlation: Doubles) -> Doubles:
    """The matrix square root of the spectrum as a C×C×15×15 kernel of unit output variance."""
    spectrum = np.fft.fft2(correlation, axes=(0, 1))
    hermitian = (spectrum + spectrum.conj().swapaxes(-1, -2)) / 2
    values, vectors = np.linalg.eigh(hermitian)
    root = (vectors * np.sqrt(np.maximum(values, 0))[..., None, :]) @ vectors.conj().swapaxes(
        -1, -2
    )
    spatial = np.fft.fftshift(np.fft.ifft2(root, axes=(0, 1)).real, axes=(0, 1))
    low = WINDOW // 2 - KERNEL // 2
    # conv2d correlates: kernel[c, d] at offset o weighs the white channel d at position + o.
    kernel = spatial[low : low + KERNEL, low : low + KERNEL].transpose(2, 3, 0, 1)[..., ::-1, ::-1]
    energy = np.sqrt(np.maximum((kernel**2).sum((1, 2, 3), keepdims=True), 1e-12))
    return np.ascontiguousarray(kernel / energy)


def field_correlation(kernel: Floats) -> Doubles:
    """Correlations of the field that a kernel colours: undoes :func:`colouring_kernel`.

    Args:
        kernel: C×C×15×15.

    Returns:
        32×32×C×C.
    """
    low = WINDOW // 2 - KERNEL // 2
    spatial = np.zeros((WINDOW, WINDOW, *kernel.shape[:2]))
    unflipped = kernel.transpose(2, 3, 0, 1)[::-1, ::-1]
    spatial[low : low + KERNEL, low : low + KERNEL] = unflipped
    root = np.fft.fft2(np.fft.ifftshift(spatial, axes=(0, 1)), axes=(0, 1))
    spectrum = root @ root.conj().swapaxes(-1, -2)
    correlation: Doubles = np.fft.ifft2(spectrum, axes=(0, 1)).real
    return correlation
