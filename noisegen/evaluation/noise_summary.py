"""Noise of any number of pictures, summed up, and the distances between two such summaries.

Summaries hold all that the distances need but for AKLD, and add up. So noise can be compared over
many pictures together, and where real and generated noise lie on different pictures.

The KL divergences of other papers are equal in spirit, in their figures not comparable. Each is as
its public code computes it, which was read: bins, range, what happens to empty bins, pooled or by
channel. All are KL(real‖generated) in nats. That code works on patches of 32² or 256² and on raw or
sRGB data; here the noise is what it is for the other metrics.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from noisegen.files import Pixels, to_float
from noisegen.noise.arrays import Doubles, Floats
from noisegen.noise.metrics import (
    KLD_EDGES,
    KS_EDGES,
    LEVEL_BINS,
    LEVEL_PIXELS,
    divergence,
    lagged_products,
    least_level,
    normalised,
)


@dataclass(frozen=True)
class KLDVariant:
    """Way to compute the divergence of two histograms.

    Attributes:
        edges: of the bins, noise in units of the white level.
        added: to the count of every bin, so that none is empty; where 0, bins that are empty on
            either side are left out.
        by_channel: mean over the channels' divergences, instead of one of all channels pooled.
    """

    edges: Doubles
    added: int = 0
    by_channel: bool = False

    def divergence(self, real: Counts, fake: Counts, values: Floats) -> float:
        """KL(real‖generated) of noise that takes few values.

        Args:
            real: C×K, pixels of each value.
            fake: the same of the generated noise; its number of pixels may be another.
            values: K, ascending, in units of the white level.
        """
        if not self.by_channel:
            real, fake = real.sum(0, keepdims=True), fake.sum(0, keepdims=True)
        of_channels = [self._of_channel(p, q, values) for p, q in zip(real, fake, strict=True)]
        return float(np.mean(of_channels))

    def _of_channel(self, real: Counts, fake: Counts, values: Floats) -> float:
        return divergence(*(self._shares(counts, values) for counts in (real, fake)))

    def _shares(self, counts: Counts, values: Floats) -> Doubles:
        binned = np.histogram(values, self.edges, weights=counts.astype(np.float64))[0]
        shares: Doubles = (binned + self.added) / (counts.sum() + self.added * len(binned))
        return shares


_RAW = np.concatenate([[-1000.0], np.linspace(-0.1, 0.1, 65), [1000.0]])
"""64 bins on ±0.1 and one beyond on either side."""

TABLE = "naflow"
"""The KLD of the tables."""

VARIANTS: dict[str, KLDVariant] = {
    # NAFlow, and GuidNoise after it: metrics/kld.py.
    TABLE: KLDVariant(KLD_EDGES),
    # Noise Flow: sidd/sidd_utils.py; the same in CA-NoiseGAN: utils/utils.py; of raw data.
    "noise-flow": KLDVariant(_RAW),
    # Noise2NoiseFlow: data_loader/sidd_utils.py, of raw data.
    "noise2noise-flow": KLDVariant(_RAW, added=1),
    # Kousha et al., in Noise2NoiseFlow: data_loader/sidd_utils.py, of sRGB data: 130 bins of 4/255
    # on ±260/255. Half a step below the integers, which the values are: the same bins, and no
    # rounding decides which one a value is in.
    "srgb-flow": KLDVariant(np.linspace(-260.5, 259.5, 131) / 255, added=1),
    # Henz et al., synt_noise_GANs: noise_comparison_KL_KS/kl_ks_per_cam.py: 49 bins of 2/255 and
    # one beyond on either side.
    "henz": KLDVariant(
        np.concatenate([[-256.1], np.linspace(-50.1, 47.9, 50), [255.9]]) / 255, by_channel=True
    ),
}
"""Name → variant, each as its public code computes it."""


Counts = NDArray[np.int64]

TILE = 1024
"""Side, in pixels, of what correlations are taken in at once; the mean is taken out of each."""


@dataclass(frozen=True, eq=False)
class NoiseSummary:
    """Noise of some pictures, in steps of the pictures' integers.

    Attributes:
        white_level: of the pictures.
        counts: C×(2W+1), pixels whose noise is −W … W steps, W the white level.
        pixels: C×16, pixels of each intensity of the clean.
        totals: C×16, sum of their noise.
        squares: C×16, sum of its squares.
        products: C×C×13×13, sums of products at every lag within ±6 px, mean taken out.
    """

    white_level: float
    counts: Counts
    pixels: Counts
    totals: Doubles
    squares: Doubles
    products: Doubles

    def __add__(self, other: NoiseSummary) -> NoiseSummary:
        names = (f.name for f in fields(self) if f.name != "white_level")
        return replace(self, **{name: getattr(self, name) + getattr(other, name) for name in names})

    def channel(self, index: int) -> NoiseSummary:
        """Summary of one channel alone."""
        one = slice(index, index + 1)
        return NoiseSummary(
            self.white_level,
            self.counts[one],
            self.pixels[one],
            self.totals[one],
            self.squares[one],
            self.products[one, one],
        )

    @property
    def channels(self) -> int:
        """Number of channels, 1 or 3."""
        return len(self.counts)

    @property
    def values(self) -> Floats:
        """Noise that ``counts`` counts, 2W+1 values in units of the white level."""
        reach = self.counts.shape[1] // 2
        # Divided as the metrics' noise is: one rounding would move a value across a bin's edge.
        values: Floats = np.arange(-reach, reach + 1).astype(np.float32)
        values /= np.float32(self.white_level)
        return values

    @property
    def sigma(self) -> float:
        """Standard deviation over all channels, in units of the white level."""
        count = self.counts.sum()
        mean = self.totals.sum() / count
        return float(np.sqrt(max(self.squares.sum() / count - mean**2, 0))) / self.white_level

    @property
    def level(self) -> Doubles:
        """Standard deviation at each intensity, C×16, in units of the white level.

        At least a quarter of a step, so that noiseless (clipped) intensities compare as equal.
        """
        count = np.maximum(self.pixels, 1)
        variance = self.squares / count - (self.totals / count) ** 2
        level: Doubles = np.sqrt(np.maximum(variance, 0)) / self.white_level
        return np.maximum(level, least_level(self.white_level))

    @property
    def correlations(self) -> Doubles:
        """Correlations of every channel with every channel at every lag within ±6 px, C×C×13×13."""
        return normalised(self.products)


def summarise_noise(noisy: Pixels, clean: Pixels, white_level: float) -> NoiseSummary:
    """Summary of one picture's noise.

    Args:
        noisy: H×W×C, uint8 or uint16, up to the white level.
        clean: the same.
        white_level: what 1 means.

    Returns:
        Its products are those of whole pictures up to 1024², of larger ones within tiles.
    """
    height, width, channels = clean.shape
    noise = noisy.astype(np.int32) - clean
    intensity = np.clip((to_float(clean, white_level) * LEVEL_BINS).astype(int), 0, LEVEL_BINS - 1)
    reach = math.ceil(white_level)
    counts = np.empty((channels, 2 * reach + 1), np.int64)
    pixels = np.empty((channels, LEVEL_BINS), np.int64)
    totals, squares = np.empty((2, channels, LEVEL_BINS))
    for c in range(channels):
        steps, bins = noise[..., c].ravel(), intensity[..., c].ravel()
        counts[c] = np.bincount(steps + reach, minlength=2 * reach + 1)
        pixels[c] = np.bincount(bins, minlength=LEVEL_BINS)
        totals[c] = np.bincount(bins, steps, LEVEL_BINS)
        squares[c] = np.bincount(bins, steps.astype(np.float64) ** 2, LEVEL_BINS)
    products = sum(
        lagged_products(noise[y : y + TILE, x : x + TILE])
        for y in range(0, height, TILE)
        for x in range(0, width, TILE)
    )
    return NoiseSummary(white_level, counts, pixels, totals, squares, np.asarray(products))


NOISELESS = float("nan")
"""A distance relative to noise that is not there."""


def summary_scores(
    real: NoiseSummary, fake: NoiseSummary, klds: Sequence[str] = ()
) -> dict[str, float]:
    """Metric → distance, 0 for equal noise; NaN where there is nothing to be compared.

    Args:
        real: of the real noise.
        fake: of the generated noise, of the same channels and white level; the pictures under it
            may be others.
        klds: names of further KL divergences; their metrics are called ``kld NAME``.
    """
    return {
        "kld": _kld(real, fake, TABLE),
        "ks": _ks(real, fake),
        "correlation": _rms(real.correlations - fake.correlations),
        "level": _level(real, fake),
        "sigma": abs(fake.sigma / real.sigma - 1) if real.sigma else NOISELESS,
        **{f"kld {name}": _kld(real, fake, name) for name in klds},
    }


def _kld(real: NoiseSummary, fake: NoiseSummary, name: str) -> float:
    return VARIANTS[name].divergence(real.counts, fake.counts, real.values)


def _ks(real: NoiseSummary, fake: NoiseSummary) -> float:
    def cumulative(counts: Counts) -> np.ndarray:
        pooled = counts.sum(0).astype(np.float64)
        binned = np.histogram(real.values, KS_EDGES, weights=pooled)[0]
        shares: np.ndarray = np.cumsum(binned) / pooled.sum()
        return shares

    return float(np.abs(cumulative(real.counts) - cumulative(fake.counts)).max())


def _level(real: NoiseSummary, fake: NoiseSummary) -> float:
    shown = (real.pixels >= LEVEL_PIXELS) & (fake.pixels >= LEVEL_PIXELS)
    return _rms(np.log2(fake.level[shown] / real.level[shown])) if shown.any() else NOISELESS


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))
