"""The grain of lone shots, by indirect inference: which noise is estimated as the reference's is?

A denoiser leaves a part of coarse noise in the picture, so its residual is finer than the noise.
How much it leaves is told by noise that is known: the measured noise is put on the estimated clean,
estimated in its turn, and compared with what was put on (Gouriéroux, Monfort and Renault, *Indirect
inference*, Journal of Applied Econometrics 1993). What is lost of the known noise at each frequency
was lost of the reference's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch

from noisegen.model.classical import shape_field
from noisegen.model.config import KERNEL, WINDOW
from noisegen.noise.arrays import Doubles, Floats
from noisegen.noise.censoring import SMALLEST_LEVEL
from noisegen.noise.field import field_key, gaussian_field
from noisegen.noise.spectrum import colouring_kernel, field_correlation
from noisegen.noise.statistics import LAGS, NoiseStatistics, measure
from noisegen.noise.windows import join
from noisegen.profiles.tensors import statistics_tensors
from noisegen.references.even_places import BANDS, SIDE, CoarseNoise, band_masks, frequencies
from noisegen.references.lone import DenoisedPicture

ROUNDS = 2
"""Times that noise is put on and estimated."""

LARGEST_GAIN = 8.0
"""Of a frequency's power, at most; so is its inverse."""

FAINTEST = 0.02
"""Of the mean power, what is added to that of every frequency before two are compared."""

DOUBTED = 0.1
"""Power of two by which the known noise's level may come out wrong with its grain still believed:
beyond, the denoiser takes texture for noise or noise for texture, and its bias differs from the
reference's."""

DISBELIEVED = 0.3
"""Power of two of the same at which nothing is changed."""

LARGEST_COARSE = 16.0
"""Of a band's power, at most, that even places may show beside what was measured."""

ABOVE = 0.16
"""Frequency from which even places change nothing, in cycles a pixel."""


def as_before_denoising(
    measured: NoiseStatistics, references: Sequence[DenoisedPicture | None]
) -> NoiseStatistics:
    """Statistics whose grain is the noise's, not that of the denoiser's residual.

    By known noise only grain changes, and the level of each brightness and colour is left as it was
    measured; coarse noise that even places show beyond that is added to it.

    Args:
        measured: in the references' windows.
        references: how each was denoised; beside one that was not, nothing is changed, for the
            grain is its own in part.
    """
    pictures = [picture for picture in references if picture is not None]
    if len(pictures) < len(references):
        return measured
    found = field_correlation(measured.kernel)
    for _ in range(ROUNDS):
        loss = Loss.of(measured, pictures)
        measured = _with_grain(measured, loss.undone(found))
    told = [picture.coarse for picture in pictures if picture.coarse is not None]
    return _with_coarse(measured, told) if len(told) == len(pictures) else measured


def _with_coarse(measured: NoiseStatistics, pictures: Sequence[CoarseNoise]) -> NoiseStatistics:
    """The statistics with as much coarse noise as even places of all pictures show, if more."""
    axes = _opponents(len(measured.sigma))
    correlation = field_correlation(measured.kernel)
    shown = np.min([x.power(measured.nodes, measured.level, axes) for x in pictures], 0)
    grain = _power(_on_grid(correlation, SIDE), axes)
    had = np.stack([grain[mask].mean(0) for mask in band_masks(SIDE)])
    gain = (shown / np.maximum(had, 1e-12)).clip(1, LARGEST_COARSE)
    # Held below the bands, where shading hides the noise, and down to nothing above.
    middles = [(low + high) / 2 for low, high in pairwise(BANDS)]
    turns = frequencies(WINDOW)
    root = np.stack(
        [np.exp(np.interp(turns, [*middles, ABOVE], [*np.log(g) / 2, 0])) for g in gain.T], -1
    )
    correlation = _through(correlation, axes, root)
    deviation = np.sqrt(np.diagonal(correlation[0, 0]))
    louder = replace(
        measured,
        level=(measured.level * deviation[:, None]).astype(np.float32),
        sigma=(measured.sigma * deviation).astype(np.float32),
    )
    return _with_grain(louder, correlation / (deviation[:, None] * deviation))


def _on_grid(correlation: Doubles, side: int) -> Doubles:
    """A correlation 32×32×C×C on a wider grid, side×side×C×C: its spectrum at more frequencies."""
    wide = np.zeros((side, side, *correlation.shape[2:]))
    lags = np.fft.fftfreq(WINDOW, 1 / WINDOW).astype(int)
    wide[np.ix_(lags, lags)] = correlation
    return wide


def _through(correlation: Doubles, axes: Doubles, root: Doubles) -> Doubles:
    """Correlation, 32×32×C×C, of a field after gains on its amplitudes along axes, 32×32×axes."""
    gain = np.einsum("kc,yxk,kd->yxcd", axes, root, axes)
    spectrum = gain @ np.fft.fft2(correlation, axes=(0, 1)) @ gain
    return np.asarray(np.fft.ifft2(spectrum, axes=(0, 1)).real)


def _with_grain(measured: NoiseStatistics, correlation: Doubles) -> NoiseStatistics:
    """The statistics with another correlation of the field, 32×32×C×C."""
    near = np.arange(-LAGS, LAGS + 1)
    change = (correlation - field_correlation(measured.kernel))[np.ix_(near, near)]
    own = np.diagonal(change, axis1=2, axis2=3).transpose(2, 0, 1)
    return replace(
        measured,
        kernel=colouring_kernel(correlation).astype(np.float32),
        autocorrelation=(measured.autocorrelation + own).astype(np.float32),
        colour_correlation=(measured.colour_correlation + change[LAGS, LAGS]).astype(np.float32),
    )


@dataclass(frozen=True)
class Loss:
    """What estimating the clean does to known noise.

    Attributes:
        put_on: correlation of the noise, 32×32×C×C.
        estimated: of what the denoiser takes for noise.
        belief: in [0, 1], that the reference's noise suffered the same.
    """

    put_on: Doubles
    estimated: Doubles
    belief: float

    @classmethod
    def of(cls, measured: NoiseStatistics, pictures: Sequence[DenoisedPicture]) -> Loss:
        """Put measured noise on the pictures' estimated clean and estimate it again."""
        drawn = _Draws(measured)
        both = [picture.again(drawn) for picture in pictures]
        estimated, put_on = (join(list(side)) for side in zip(*both, strict=True))
        found, true = (max(side.residual.std(), SMALLEST_LEVEL) for side in (estimated, put_on))
        off = abs(np.log2(found / true))
        belief = float(np.clip((DISBELIEVED - off) / (DISBELIEVED - DOUBTED), 0, 1))
        return cls(
            field_correlation(measure(put_on).kernel),
            field_correlation(measure(estimated).kernel),
            belief,
        )

    def undone(self, found: Doubles) -> Doubles:
        """Correlation of the noise whose estimate has the correlation ``found``, 32×32×C×C."""
        axes = _opponents(found.shape[2])
        power, put_on, estimated = (
            np.maximum(_power(x, axes), 0) for x in (found, self.put_on, self.estimated)
        )
        least = FAINTEST * estimated.mean((0, 1))
        gain = ((put_on + least) / (estimated + least)).clip(1 / LARGEST_GAIN, LARGEST_GAIN)
        gain **= self.belief
        gain *= power.sum((0, 1)) / np.maximum((gain * power).sum((0, 1)), 1e-12)
        correlation = _through(found, axes, np.sqrt(gain))
        deviation = np.sqrt(np.maximum(np.diagonal(correlation[0, 0]), 1e-12))
        return np.asarray(correlation / (deviation[:, None] * deviation))


class _Draws:
    """Draws measured noise on one clean after the other; without stripes, which are no grain."""

    def __init__(self, measured: NoiseStatistics) -> None:
        self._statistics = statistics_tensors(measured, len(measured.sigma))
        self._count = 0

    def __call__(self, clean: Floats) -> Floats:
        self._count += 1
        height, width, channels = clean.shape
        sides = height + KERNEL - 1, width + KERNEL - 1
        field = gaussian_field(field_key(0, "lone grain", self._count), 0, 0, *sides, channels)
        planes = torch.from_numpy(np.ascontiguousarray(clean.transpose(2, 0, 1)))[None]
        with torch.inference_mode():
            noise = shape_field(torch.from_numpy(field[None]), planes, self._statistics).noise
        return np.asarray(noise[0].permute(1, 2, 0).numpy())


def _power(correlation: Doubles, axes: Doubles) -> Doubles:
    """Power at each frequency along axes of colour: side×side×C×C → side×side×C."""
    spectrum = np.fft.fft2(correlation, axes=(0, 1))
    return np.asarray(np.einsum("kc,yxcd,kd->yxk", axes, spectrum, axes).real)


def _opponents(channels: int) -> Doubles:
    """Orthonormal axes of colour, C×C, brightness first: denoisers treat it by itself."""
    if channels == 1:
        return np.ones((1, 1))
    axes = np.array([[1.0, 1, 1], [1, 0, -1], [1, -2, 1]])
    return np.asarray(axes / np.linalg.norm(axes, axis=1, keepdims=True))
