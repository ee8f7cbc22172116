"""Grain and colour: correlations within and across channels, and the kernel that makes them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from noisegen.model.config import KERNEL, QUANTILE_NODES, QUANTILE_REACH, WINDOW
from noisegen.noise.arrays import Doubles, Floats, Places

CHUNK = 256
"""Windows that are transformed at a time."""

SIGNIFICANT = 3.0
"""Correlations of so many standard errors are halved, smaller ones vanish, larger ones stay."""

HERMITE_ORDER = 25
"""Polynomials that a marginal is expanded in: enough for impulses."""


def correlations(
    standard: Floats,
    rounding: Doubles | None = None,
    places: Places | None = None,
    weights: Doubles | None = None,
) -> Doubles:
    """Correlation of every channel with every channel at every offset, 32×32×C×C.

    From tapered windows that overlap by half (Welch, IEEE Trans. Audio Electroacoust. 1967), so
    that nearly all pixels count alike; padded, so that no border meets the other; divided by what
    the taper leaves of a lag; tapered beyond the kernel's reach, and less what sampling alone
    makes of independent pixels.

    Args:
        standard: N×C×32×32, residual of unit variance and no mean.
        rounding: C, share of the variance that rounding to whole steps added, white.
        places: N×3, picture, row and column of each window on a grid of windows; windows between
            those that lie side by side are looked at too.
        weights: N, of the windows; all 1 where left out.
    """
    weights = np.ones(len(standard)) if weights is None else weights
    products, own, windows = _products(standard, weights), float(weights.sum()), len(standard)
    mass = own
    for between, their_weights in _between(standard, places, weights):
        products += _products(between, their_weights)
        mass += float(their_weights.sum())
    covariance = products / max(mass, 1e-12) / _taper_left()[..., None, None]
    # Flat within the kernel's reach, then down to nothing at half a window.
    lag = np.minimum(np.arange(WINDOW), WINDOW - np.arange(WINDOW))
    beyond = np.clip((lag - KERNEL // 2) / (WINDOW // 2 - KERNEL // 2), 0, 1)
    window = np.cos(beyond * np.pi / 2) ** 2
    covariance *= (window[:, None] * window[None])[..., None, None]
    diagonal = np.arange(covariance.shape[2])
    if rounding is not None:
        covariance[0, 0, diagonal, diagonal] *= 1 - rounding
    deviation = np.sqrt(np.maximum(np.diagonal(covariance[0, 0]), 1e-12))
    covariance /= deviation[:, None] * deviation[None]
    covariance[0, 0, diagonal, diagonal] = 1
    # A taper leaves a part of a window's pixels; four that overlap use all of them.
    used = min(1.0, (18 / 35) ** 2 * mass / max(own, 1e-12))
    return _significant(covariance, used * windows * float(weights.mean()))


def _taper() -> Doubles:
    hann = np.hanning(WINDOW + 1)[:WINDOW]
    taper: Doubles = np.outer(hann, hann) / np.mean(hann**2)
    return taper


def _taper_left() -> Doubles:
    """32×32: sums of the taper times itself at every offset, what a constant's products give."""
    spectrum = np.abs(np.fft.fft2(_taper(), (2 * WINDOW, 2 * WINDOW))) ** 2
    left: Doubles = _inner(np.fft.ifft2(spectrum).real[..., None, None])[..., 0, 0].clip(1e-3)
    return left


def _products(standard: Floats, weights: Doubles) -> Doubles:
    """Weighted sums of lagged products of tapered windows, 32×32×C×C."""
    side, channels = 2 * WINDOW, standard.shape[1]
    total = np.zeros((side, side // 2 + 1, channels, channels), np.complex128)
    # In double precision: what is stored in single then does not depend on the order of sums.
    for first in range(0, len(standard), CHUNK):
        part = standard[first : first + CHUNK].astype(np.float64) * _taper()
        part *= np.sqrt(weights[first : first + CHUNK])[:, None, None, None]
        spectrum = np.fft.rfft2(part, (side, side))
        for c in range(channels):
            for d in range(c + 1):
                total[..., c, d] += (spectrum[:, c] * spectrum[:, d].conj()).sum(0)
    for c in range(channels):
        for d in range(c):
            total[..., d, c] = total[..., c, d].conj()
    return _inner(np.fft.irfft2(total, (side, side), axes=(0, 1)))


def _inner(padded: Doubles) -> Doubles:
    """Offsets within half a window, of twice as many; lag 0 first."""
    index = np.fft.fftfreq(WINDOW, 1 / WINDOW).astype(int)
    inner: Doubles = padded[np.ix_(index, index)]
    return inner


def _between(
    standard: Floats, places: Places | None, weights: Doubles
) -> Iterator[tuple[Floats, Doubles]]:
    """Windows half a window to the right, below, and both, put together from their neighbours."""
    if places is None:
        return
    index = {tuple(place): i for i, place in enumerate(places.tolist())}
    half = WINDOW // 2
    for down, right in ((0, 1), (1, 0), (1, 1)):
        corners = [(y, x) for y in range(down + 1) for x in range(right + 1)]
        found = [[index.get((p, y + dy, x + dx), -1) for dy, dx in corners] for p, y, x in index]
        whole = np.array([row for row in found if -1 not in row], np.intp).reshape(-1, len(corners))
        if len(whole) == 0:
            continue
        rows = [
            np.concatenate([standard[whole[:, corners.index((y, x))]] for x in range(right + 1)], 3)
            for y in range(down + 1)
        ]
        joined = np.concatenate(rows, 2)
        top, left = half * down, half * right
        yield (
            joined[:, :, top : top + WINDOW, left : left + WINDOW],
            weights[whole].min(1),
        )


def _significant(correlation: Doubles, windows: float) -> Doubles:
    """Shrinks correlations by their standard errors (Bartlett, JRSS Suppl. 1946), per pair."""
    pixels = max(windows, 1.0) * WINDOW**2
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
