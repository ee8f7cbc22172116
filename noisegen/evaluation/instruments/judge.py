"""An instrument's true noise, from many shots of a scene, and generated noise against it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from noisegen.evaluation.instruments.sensors import Instrument
from noisegen.noise.arrays import Doubles, Pixels, Rng
from noisegen.noise.metrics import (
    average_kl_divergence,
    correlation_error,
    kl_divergence,
)

KEPT = 3
"""Shots that stand for the real noise where single pictures are compared."""

_NORMAL = np.array([NormalDist().inv_cdf((k + 0.5) / 512) for k in range(512)])


@dataclass(frozen=True, eq=False)
class Truth:
    """The noise of a target scene; H×W×C, in units of the white level but for the pixels.

    Attributes:
        clean: pixels as the file holds them.
        shots: KEPT noisy pictures as the file holds them.
        mean: of the noise at each pixel.
        variance: of the noise at each pixel.
        count: shots that mean and variance come from.
    """

    clean: Pixels
    shots: tuple[Pixels, ...]
    mean: Doubles
    variance: Doubles
    count: int

    def sigma(self, chosen: tuple[NDArray[np.intp], ...]) -> float:
        """Standard deviation of noisy less clean over some samples, around their mean.

        What a development takes from detail differs from pixel to pixel, and belongs to it.
        """
        variance = float(self.variance[chosen].mean())
        between = float(self.mean[chosen].var()) - variance / self.count
        return float(np.sqrt(variance + max(between, 0.0)))


def find_truth(instrument: Instrument, scene: Doubles, count: int, rng: Rng) -> Truth:
    """Shoots a scene over and over; measures what its noise is.

    Args:
        instrument: that shoots.
        scene: in the unit of its process.
        count: of shots, KEPT at least.
        rng: of the shots.
    """
    clean = instrument.process.clean(scene)
    total, square = np.zeros(clean.shape), np.zeros(clean.shape)
    kept: list[Pixels] = []
    for _ in range(count):
        shot = instrument.process.shoot(scene, rng)
        noise = residual(shot, clean, instrument.white_level)
        total += noise
        square += noise**2
        if len(kept) < KEPT:
            kept.append(shot)
    mean = total / count
    variance = np.maximum(square / count - mean**2, 0) * (count / (count - 1))
    return Truth(clean, tuple(kept), mean, variance, count)


def residual(noisy: Pixels, clean: Pixels, white_level: float) -> Doubles:
    """Noise in units of the white level: the difference of the file's values is exact."""
    return (noisy.astype(np.float64) - clean) / white_level


def mean_by_clipping(clean: float, sigma: float) -> float:
    """Mean that clipping at black and white alone gives normal noise.

    Args:
        clean: in [0, 1].
        sigma: of the noise as it shows, clipped, in the same unit.

    Returns:
        Mean of the clipped noise whose σ that is; below ½ in size.
    """
    low, high = 0.0, 8.0
    for _ in range(40):
        middle = (low + high) / 2
        if (clean + middle * _NORMAL).clip(0, 1).std() < sigma:
            low = middle
        else:
            high = middle
    return float((clean + low * _NORMAL).clip(0, 1).mean() - clean)


def shown_by(
    reference: Pixels, clean: Pixels, white_level: float, near: float = 0.02, least: int = 200
) -> NDArray[np.bool_]:
    """Mask of where a reference shows a target's intensities, channel by channel.

    Args:
        reference: clean of the reference, H×W×C.
        clean: of the target, H×W×C.
        white_level: of both.
        near: in units of the white level, how far off an intensity counts.
        least: pixels of the reference that must be that near.

    Returns:
        H×W×C of the target.
    """
    shown = np.empty(clean.shape, bool)
    for c in range(clean.shape[2]):
        known = np.sort(reference[..., c], None) / white_level
        asked = clean[..., c] / white_level
        above = np.searchsorted(known, asked + near, "right")
        shown[..., c] = above - np.searchsorted(known, asked - near) >= least
    return shown


DECILES = 10
FEWEST = 500
"""Pixels of a decile; where fewer are shown there are fewer deciles."""

STEP = 1 / 255
"""Step between neighbouring values of 8 bits, in units of the white level."""


@dataclass(frozen=True)
class Decile:
    """A tenth of one channel's shown pixels, by intensity; all in units of the white level.

    Attributes:
        channel: its number.
        intensity: mean of the clean.
        sigma: generated and true standard deviation; a quarter of the file's step at least.
        mean: generated and true mean of the noise, and what clipping alone explains of it.
    """

    channel: int
    intensity: float
    sigma: tuple[float, float]
    mean: tuple[float, float, float]

    @property
    def ratio(self) -> float:
        """Generated over true σ."""
        return self.sigma[0] / self.sigma[1]


@dataclass(frozen=True)
class Distances:
    """Distances of single pictures' noise, means over pictures; 0 is perfect."""

    kld: float
    akld: float
    correlation: float


@dataclass(frozen=True)
class Judged:
    """Figures of generated noise against the truth.

    Attributes:
        deciles: of all channels.
        distances: of generated from real noise.
        floor: of one real shot from another.
        stripes: generated over real σ of the noise's row means, and of its column means.
        impossible: share of generated samples that the instrument could not have given.
        shown: share of the target's samples whose intensity the reference shows.
    """

    deciles: tuple[Decile, ...]
    distances: Distances
    floor: Distances
    stripes: tuple[float, float]
    impossible: float
    shown: float

    @property
    def worst_ratio(self) -> float:
        """Generated over true σ in the decile that is farthest off."""
        return max((d.ratio for d in self.deciles), key=lambda ratio: abs(np.log(ratio)))

    @property
    def median_ratio(self) -> float:
        """Median over deciles of generated over true σ."""
        return float(np.median([d.ratio for d in self.deciles]))

    @property
    def mean_off(self) -> float:
        """Largest difference of a decile's mean from the true one, in steps of 8 bits, signed."""
        return max((d.mean[0] - d.mean[1] for d in self.deciles), key=abs) / STEP

    @property
    def mean_unexplained(self) -> float:
        """Largest difference of a mean from what clipping explains, in steps of 8 bits, signed."""
        return max((d.mean[0] - d.mean[2] for d in self.deciles), key=abs) / STEP


def judge(
    instrument: Instrument, truth: Truth, drawn: Sequence[Pixels], shown: NDArray[np.bool_]
) -> Judged:
    """Compares draws of one profile's noise on a target with the truth.

    Args:
        instrument: whose noise it should be.
        truth: on the target.
        drawn: noisy pictures of the target, two or more.
        shown: H×W×C, where the reference shows the target's intensity.
    """
    white, clean = instrument.white_level, truth.clean
    fakes = [residual(picture, clean, white) for picture in drawn]
    reals = [residual(picture, clean, white) for picture in truth.shots]
    possible = np.mean([instrument.possible(picture).mean() for picture in drawn])
    return Judged(
        deciles=tuple(_deciles(instrument, truth, fakes, shown)),
        distances=_distances(reals, fakes),
        floor=_distances(reals, [*reals[1:], reals[0]]),
        stripes=_stripes(reals, fakes),
        impossible=1 - float(possible),
        shown=float(shown.mean()),
    )


def _deciles(
    instrument: Instrument, truth: Truth, fakes: Sequence[Doubles], shown: NDArray[np.bool_]
) -> Iterator[Decile]:
    least = 0.25 * instrument.step / instrument.white_level
    for c in range(shown.shape[2]):
        here = np.nonzero(shown[..., c])
        intensity = truth.clean[..., c][here] / instrument.white_level
        count = min(DECILES, len(intensity) // FEWEST)
        order = np.argsort(intensity, kind="stable")
        for part in np.array_split(order, count) if count else ():
            chosen = here[0][part], here[1][part], np.full(len(part), c)
            fake = np.stack([noise[chosen] for noise in fakes])
            sigmas = max(float(fake.std()), least), max(truth.sigma(chosen), least)
            means = float(fake.mean()), float(truth.mean[chosen].mean())
            middle = float(intensity[part].mean())
            explained = mean_by_clipping(middle, sigmas[1]) if sigmas[1] > least else 0.0
            yield Decile(c, middle, sigmas, (*means, explained))


def _distances(reals: Sequence[Doubles], fakes: Sequence[Doubles]) -> Distances:
    found = []
    for real, fake in zip(reals, fakes, strict=True):
        a, b = real.astype(np.float32), fake.astype(np.float32)
        found.append((kl_divergence(a, b), average_kl_divergence(a, b), correlation_error(a, b)))
    return Distances(*(float(value) for value in np.mean(found, 0)))


def _stripes(reals: Sequence[Doubles], fakes: Sequence[Doubles]) -> tuple[float, float]:
    """Ratios of σ of means along rows and along columns, of differences between two draws."""
    row, column = (
        _line_sigma(fakes, axis) / max(_line_sigma(reals, axis), 1e-12) for axis in (1, 0)
    )
    return row, column


def _line_sigma(noises: Sequence[Doubles], axis: int) -> float:
    differences = [one - other for one, other in pairwise(noises)]
    return float(np.sqrt(np.mean([d.mean(axis).var(0) for d in differences]) / 2))
