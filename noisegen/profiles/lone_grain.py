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

import numpy as np
import torch

from noisegen.model.classical import shape_field
from noisegen.model.config import KERNEL
from noisegen.noise.arrays import Doubles, Floats
from noisegen.noise.censoring import SMALLEST_LEVEL
from noisegen.noise.field import field_key, gaussian_field
from noisegen.noise.spectrum import colouring_kernel, field_correlation
from noisegen.noise.statistics import LAGS, NoiseStatistics, measure
from noisegen.noise.windows import join
from noisegen.profiles.tensors import statistics_tensors
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


def as_before_denoising(
    measured: NoiseStatistics, references: Sequence[DenoisedPicture | None]
) -> NoiseStatistics:
    """Statistics whose grain is the noise's, not that of the denoiser's residual.

    Only grain changes: the level of each of brightness and colour is left as it was measured.

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
    return measured


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
        root = np.einsum("kc,yxk,kd->yxcd", axes, np.sqrt(gain), axes)
        spectrum = root @ np.fft.fft2(found, axes=(0, 1)) @ root
        correlation = np.fft.ifft2(spectrum, axes=(0, 1)).real
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
    """32×32×C: power at each frequency along axes of colour."""
    spectrum = np.fft.fft2(correlation, axes=(0, 1))
    return np.asarray(np.einsum("kc,yxcd,kd->yxk", axes, spectrum, axes).real)


def _opponents(channels: int) -> Doubles:
    """Orthonormal axes of colour, C×C, brightness first: denoisers treat it by itself."""
    if channels == 1:
        return np.ones((1, 1))
    axes = np.array([[1.0, 1, 1], [1, 0, -1], [1, -2, 1]])
    return np.asarray(axes / np.linalg.norm(axes, axis=1, keepdims=True))
