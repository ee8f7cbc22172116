"""Measured statistics of a reference's noise: the classical model (design.md, *Measuring*).

The order matters. Clipping near black and white gives real noise a mean: it is taken out before
the level is measured, and the level before the spectrum; otherwise both come back as colour
blotches that no camera makes.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import torch
from numpy.typing import NDArray

from noisegen.model.classical import activity_position, local_activity
from noisegen.model.config import (
    ACTIVITY_NODES,
    BINS,
    KERNEL,
    QUANTILE_NODES,
    QUANTILE_REACH,
    WINDOW,
)
from noisegen.references.windows import Windows

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

SMOOTHING = 0.7
"""Width of the curves' Gaussian smoothing, in bins."""

SMALLEST_LEVEL = 1e-5
"""Standard deviation below which an intensity counts as noiseless (1/400 of a step of 8 bits)."""

COVERED = 300.0
"""Effective pixels at which an intensity counts as half covered."""

ROUNDS = 3
"""Rounds of fitting the level against intensity and against activity in turn."""

LAGS = 6
"""Autocorrelation is reported within ±LAGS pixels."""


@dataclass(frozen=True)
class NoiseStatistics:
    """What the references measurably show; C channels, units of the white level.

    Attributes:
        kernel: C×C×15×15, colours a white field.
        quantiles: C×65, the standardised marginal.
        mean: C×16, mean of the residual against intensity.
        level: C×16, standard deviation against intensity.
        coverage: C×16, in [0, 1], how well the references show an intensity.
        flat_level: C×16, ``level`` less what local activity explains.
        activity: C×8, logarithm of the factor on ``flat_level`` against local activity.
        pixels_per_bin: C×16, share of the reference's pixels at an intensity.
        sigma: C, overall standard deviation.
        autocorrelation: C×13×13, lag 0 in the middle.
        colour_correlation: C×C.
    """

    kernel: Floats
    quantiles: Floats
    mean: Floats
    level: Floats
    coverage: Floats
    flat_level: Floats
    activity: Floats
    pixels_per_bin: Floats
    sigma: Floats
    autocorrelation: Floats
    colour_correlation: Floats


def measure(windows: Windows) -> NoiseStatistics:
    """Measures mean, level, marginal and spectrum, in this order."""
    residual, clean = windows.residual, windows.clean
    counts = _bin_sums(clean, np.ones_like(residual))
    mean = _smooth(counts, _bin_sums(clean, residual))
    centred = residual - read_curve(mean, clean)
    level = np.sqrt(_smooth(counts, _bin_sums(clean, centred**2)))
    level = np.maximum(level, SMALLEST_LEVEL)
    flat_level, activity = follow_activity(centred, clean, counts)
    standard = centred / read_curve(level, clean)
    spectrum = cross_spectrum(standard)
    covariance = np.fft.ifft2(spectrum, axes=(0, 1)).real
    return NoiseStatistics(
        kernel=colouring_kernel(spectrum).astype(np.float32),
        quantiles=_marginal(standard).astype(np.float32),
        mean=mean.astype(np.float32),
        level=level.astype(np.float32),
        coverage=_coverage(counts).astype(np.float32),
        flat_level=flat_level.astype(np.float32),
        activity=activity.astype(np.float32),
        pixels_per_bin=(counts / counts.sum(1, keepdims=True)).astype(np.float32),
        sigma=residual.std((0, 2, 3)).astype(np.float32),
        autocorrelation=_autocorrelation(covariance).astype(np.float32),
        colour_correlation=_normalise(covariance[0, 0]).astype(np.float32),
    )


def read_curve(curve: Doubles, clean: Floats) -> Floats:
    """A curve against intensity (C×16) at each pixel of N×C×h×w, held constant at the ends."""
    return _read(curve, clean * BINS - 0.5)


def follow_activity(centred: Floats, clean: Floats, counts: Doubles) -> tuple[Doubles, Doubles]:
    """The level as a product of a curve against intensity and one against local activity.

    In-camera denoising leaves more noise on texture, and errors of a reference's clean lie there
    too. The two curves are fitted in turn.

    Args:
        centred: N×C×32×32, residual less its mean.
        clean: N×C×32×32.
        counts: C×16, pixels per intensity.

    Returns:
        Level against intensity, C×16, and the logarithm of its factor against activity, C×8.
    """
    square = centred.astype(np.float32) ** 2
    position = activity_position(local_activity(torch.from_numpy(clean)))
    nodes = np.broadcast_to(position.clamp(0, ACTIVITY_NODES - 1).numpy(), clean.shape)
    seen = _node_sums(nodes, np.ones_like(square), ACTIVITY_NODES)
    activity = np.zeros((clean.shape[1], ACTIVITY_NODES))
    for _ in range(ROUNDS):
        factor = np.exp(2 * _read(activity, nodes))
        divided = (square / factor).astype(np.float32)
        level = np.sqrt(_smooth(counts, _bin_sums(clean, divided)))
        level = np.maximum(level, SMALLEST_LEVEL)
        relative = square / read_curve(level, clean) ** 2
        sums = _node_sums(nodes, relative, ACTIVITY_NODES)
        weight = _smoothing(ACTIVITY_NODES)
        # Few pixels at an activity say little: they start from a factor of 1.
        ratio = (sums @ weight + COVERED) / (seen @ weight + COVERED)
        activity = 0.5 * np.log(np.maximum(ratio, 1e-4))
    return level, activity


def _bin_sums(clean: Floats, values: Floats) -> Doubles:
    """Sums of values per channel and intensity."""
    return _node_sums(np.clip(clean * BINS - 0.5, 0, BINS - 1), values, BINS)


def _node_sums(position: Floats, values: Floats, nodes: int) -> Doubles:
    """Sums per channel and node, each pixel shared between its two nearest nodes."""
    sums = np.empty((position.shape[1], nodes))
    for c in range(position.shape[1]):
        here = position[:, c].ravel()
        lower = np.minimum(here.astype(np.intp), nodes - 2)
        upper_share = here - lower
        value = values[:, c].ravel()
        sums[c] = np.bincount(lower, value * (1 - upper_share), nodes)
        sums[c] += np.bincount(lower + 1, value * upper_share, nodes)
    return sums


def _read(curve: Doubles, position: Floats) -> Floats:
    nodes = np.arange(curve.shape[1])
    channels = [np.interp(position[:, c], nodes, curve[c]) for c in range(len(curve))]
    return np.stack(channels, 1).astype(np.float32)


def _smooth(counts: Doubles, sums: Doubles) -> Doubles:
    """Count-weighted average of nearby bins; a faint long tail reaches bins that nothing fills."""
    weight = _smoothing(BINS)
    smoothed: Doubles = (sums @ weight) / (counts @ weight)
    return smoothed


def _smoothing(nodes: int) -> Doubles:
    distance = np.abs(np.arange(nodes)[:, None] - np.arange(nodes)[None])
    weight: Doubles = np.exp(-0.5 * (distance / SMOOTHING) ** 2) + 1e-6 * np.exp(-distance / 0.5)
    return weight


def _coverage(counts: Doubles) -> Doubles:
    """Share in [0, 1] that grows with the pixels seen at an intensity."""
    return counts / (counts + COVERED)


def cross_spectrum(standard: Floats) -> NDArray[np.complex128]:
    """Hann-windowed cross-channel power spectrum, 32×32×C×C, of standardised residual windows.

    Its autocovariance is tapered beyond the kernel's reach, so that few windows do not bring a
    rough spectrum, and scaled to unit variance per channel.
    """
    hann = np.hanning(WINDOW + 1)[:WINDOW]
    taper = np.outer(hann, hann)
    taper /= np.sqrt(np.mean(taper**2))
    # In double precision: what is stored in single then does not depend on the order of sums.
    transformed = np.fft.fft2(standard.astype(np.float64) * taper)
    spectrum = np.einsum("ncyx,ndyx->yxcd", transformed, transformed.conj(), optimize=True)
    covariance = np.fft.ifft2(spectrum, axes=(0, 1))
    lag = np.minimum(np.arange(WINDOW), WINDOW - np.arange(WINDOW))
    # Flat within the kernel's reach, then down to nothing at half a window.
    beyond = np.clip((lag - KERNEL // 2) / (WINDOW // 2 - KERNEL // 2), 0, 1)
    window = np.cos(beyond * np.pi / 2) ** 2
    # The Hann window has already shrunk long lags: undo that within reach before the taper.
    shrink = np.array([np.sum(hann[: WINDOW - k] * hann[k:]) for k in lag]) / np.sum(hann**2)
    factor = window / np.maximum(shrink, 0.2)
    covariance *= (factor[:, None] * factor[None])[..., None, None]
    deviation = np.sqrt(np.maximum(np.diagonal(covariance[0, 0]).real, 1e-12))
    covariance /= deviation[:, None] * deviation[None]
    result: NDArray[np.complex128] = np.fft.fft2(covariance, axes=(0, 1))
    return result


def colouring_kernel(spectrum: NDArray[np.complex128]) -> Doubles:
    """The matrix square root of a cross spectrum as a C×C×15×15 kernel of unit output variance."""
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


def gaussian_probabilities() -> Doubles:
    """Φ at the marginal table's nodes."""
    nodes = np.linspace(-QUANTILE_REACH, QUANTILE_REACH, QUANTILE_NODES)
    return np.array([NormalDist().cdf(node) for node in nodes])


def _marginal(standard: Floats) -> Doubles:
    """Quantiles of each channel at Φ(node), scaled to keep a Gaussian field's unit variance."""
    probabilities = gaussian_probabilities()
    nodes = np.linspace(-QUANTILE_REACH, QUANTILE_REACH, QUANTILE_NODES)
    flat = standard.transpose(1, 0, 2, 3).reshape(standard.shape[1], -1)
    table = np.quantile(flat, probabilities, axis=1).T
    mass = np.diff(np.concatenate([[0.0], (probabilities[1:] + probabilities[:-1]) / 2, [1.0]]))
    mean = (table * mass).sum(1, keepdims=True)
    deviation = np.sqrt(((table - mean) ** 2 * mass).sum(1, keepdims=True))
    scaled: Doubles = np.where(
        deviation > 1e-9, (table - mean) / np.maximum(deviation, 1e-9), nodes
    )
    return scaled


def _autocorrelation(covariance: Doubles) -> Doubles:
    index = np.arange(-LAGS, LAGS + 1) % WINDOW
    near = covariance[np.ix_(index, index)]
    diagonal = np.diagonal(near, axis1=2, axis2=3).transpose(2, 0, 1)
    return diagonal / np.maximum(diagonal[:, LAGS : LAGS + 1, LAGS : LAGS + 1], 1e-12)


def _normalise(covariance: Doubles) -> Doubles:
    deviation = np.sqrt(np.maximum(np.diagonal(covariance), 1e-12))
    correlation: Doubles = covariance / (deviation[:, None] * deviation[None])
    return correlation
