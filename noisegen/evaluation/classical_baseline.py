"""The plain classical model that stands beside ours (design.md, *Measuring*), on its own.

It is deliberately written in NumPy alone and shares nothing with the measured model of a profile,
so that a mistake in the one is not a mistake in the other. Per channel, from windows of a
reference: mean of the residual against intensity, taken out; level against intensity; of the
standardised rest a Hann-windowed cross-channel spectrum, whose matrix square root colours white
noise, and its quantiles, to which the coloured field is mapped; then level and mean at the
target's intensity are put back.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from noisegen.noise.arrays import Doubles, Pixels, Rng
from noisegen.noise.record import Recording
from noisegen.noise.windows import Windows
from noisegen.references.misplaced import all_windows

BINS = 16
"""Even bins of intensity from black to white."""

SMOOTHING = (0.25, 0.5, 0.25)
"""Weights of a bin's neighbours and itself."""

REACH = 4.0
NODES = 129
"""The quantiles' table has so many nodes, evenly from −REACH to REACH deviations."""

LEAST_LEVEL = 1e-4
"""Of the white level: where there is no noise, nothing is divided by nothing."""


@dataclass(frozen=True)
class PlainClassical:
    """The classical model of one reference, in units of its white level.

    Attributes:
        mean: C×16, mean of the residual at the bins' centres.
        level: C×16, standard deviation of the residual there.
        root: 32×32×C×C complex, matrix square root of the spectrum at each frequency, scaled so
            that it gives every channel unit variance.
        quantiles: C×129, of the standardised residual, at the probabilities of a normal
            distribution's evenly spaced values.
    """

    mean: Doubles
    level: Doubles
    root: NDArray[np.complex128]
    quantiles: Doubles


def fit_pictures(noisy: Pixels, clean: Pixels) -> PlainClassical:
    """The model of a reference, both H×W×C in units of the white level; 32×32 at least."""
    continuous = Recording.even(noisy.shape[2], 0)
    pictures = noisy.astype(np.float32), clean.astype(np.float32)
    return fit_windows(all_windows(*pictures, continuous))


def fit_windows(windows: Windows) -> PlainClassical:
    """The model of a reference's windows, their clean given or estimated."""
    residual = windows.residual.astype(np.float64)
    clean = windows.clean.astype(np.float64)
    mean = _curves(residual, clean)
    residual = residual - _read(mean, clean)
    level = np.sqrt(np.maximum(_curves(residual**2, clean), LEAST_LEVEL**2))
    standardised = residual / _read(level, clean)
    values = np.linspace(-REACH, REACH, NODES)
    shares = [NormalDist().cdf(value) for value in values]
    quantiles = np.quantile(standardised.transpose(1, 0, 2, 3).reshape(len(mean), -1), shares, 1).T
    return PlainClassical(mean, level, _root(standardised), quantiles)


def draw(model: PlainClassical, clean: Pixels, white_level: float, rng: Rng) -> Pixels:
    """The model's noise on a picture, clipped and, of integers, rounded.

    Args:
        model: of the camera.
        clean: H×W×C in [0, ``white_level``], integers or floats.
        white_level: of the clean.
        rng: what the noise is drawn from.

    Returns:
        H×W×C of the clean's type.
    """
    planes = (clean / white_level).transpose(2, 0, 1)[None]
    field = _coloured(model.root, clean.shape[:2], rng)
    nodes = np.linspace(-REACH, REACH, NODES)
    mapped = np.stack([np.interp(f, nodes, q) for f, q in zip(field, model.quantiles, strict=True)])
    noisy = planes + mapped * _read(model.level, planes) + _read(model.mean, planes)
    values = noisy[0].transpose(1, 2, 0).clip(0, 1) * white_level
    drawn: Pixels = (values if clean.dtype.kind == "f" else np.rint(values)).astype(clean.dtype)
    return drawn


def _curves(values: Doubles, clean: Doubles) -> Doubles:
    """Means of N×C×32×32 values in smoothed bins of intensity, C×16; unseen bins by the nearest."""
    curves = np.empty((values.shape[1], BINS))
    for c, curve in enumerate(curves):
        bins = np.clip((clean[:, c] * BINS).astype(int), 0, BINS - 1).ravel()
        count = np.convolve(np.bincount(bins, minlength=BINS), SMOOTHING, "same")
        total = np.convolve(np.bincount(bins, values[:, c].ravel(), BINS), SMOOTHING, "same")
        seen = np.flatnonzero(count >= 1)
        curve[:] = np.interp(np.arange(BINS), seen, total[seen] / count[seen])
    return curves


def _read(curves: Doubles, clean: Doubles) -> Doubles:
    """Reads curves, C×16, at each pixel of a clean, N×C×H×W: lines between the bins' centres."""
    centres = (np.arange(BINS) + 0.5) / BINS
    return np.stack([np.interp(clean[:, c], centres, curve) for c, curve in enumerate(curves)], 1)


def _root(standardised: Doubles) -> NDArray[np.complex128]:
    side = standardised.shape[-1]
    taper = np.hanning(side + 1)[:-1]
    spectra = np.fft.fft2(standardised * np.outer(taper, taper))
    matrices = np.einsum("ncyx,ndyx->yxcd", spectra, spectra.conj()) / len(spectra)
    values, vectors = np.linalg.eigh(matrices)
    scaled = vectors * np.sqrt(np.maximum(values, 0))[..., None, :]
    root: NDArray[np.complex128] = scaled @ vectors.conj().swapaxes(-1, -2)
    # Parseval: a channel's variance is the mean of its row's squared entries over frequencies.
    variance = (np.abs(root) ** 2).sum(-1).mean((0, 1))
    scale: Doubles = 1 / np.sqrt(np.maximum(variance, 1e-20))
    return root * scale[:, None]


def _coloured(root: NDArray[np.complex128], shape: tuple[int, ...], rng: Rng) -> Doubles:
    """White noise coloured by the root's kernel, C×H×W of unit variance."""
    side, _, channels, _ = root.shape
    kernel = np.roll(np.fft.ifft2(root, axes=(0, 1)).real, (side // 2, side // 2), (0, 1))
    height, width = (length + side for length in shape)
    white = np.fft.rfft2(rng.standard_normal((channels, height, width)))
    taps = np.fft.rfft2(kernel, (height, width), axes=(0, 1))
    field = np.fft.irfft2(np.einsum("yxcd,dyx->cyx", taps, white), (height, width))
    return field[:, side:, side:]
