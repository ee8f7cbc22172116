"""What an instrument's noise on a scene truly is: from many shots of it."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from noisegen.evaluation.instruments.instrument import Doubles, Instrument, Pixels, Rng

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
    """Shoots a scene over and over.

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
    """The mean that clipping at black and white alone gives normal noise.

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
    """Where a reference shows a target's intensities, channel by channel.

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
