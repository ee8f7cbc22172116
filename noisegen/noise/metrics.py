"""Distances between real and generated noise of one picture (design.md, *Measuring*).

Every function takes noise as float32 H×W×C arrays, ``noisy − clean`` worked out from integers and
divided by the white level, the generated one clipped and quantised like the real one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from noisegen.noise.arrays import Floats

KLD_BINS = 256
KLD_EDGES = np.linspace(-1, 1, KLD_BINS + 1)
STEP = 1 / 255
"""Step between neighbouring values of 8 bits, in units of the white level."""

LEAST_SHARE = 1e-10
"""Far less than one pixel's share of a picture."""

AKLD_SIDE = 7
AKLD_SIGMA = 0.3 * ((AKLD_SIDE - 1) * 0.5 - 1) + 0.8
"""Width that OpenCV derives for a Gaussian of 7 pixels: 1.4."""
KS_STEPS = 255
KS_EDGES = (np.arange(-KS_STEPS, KS_STEPS + 2) - 0.5) / KS_STEPS
LAGS = 6
LEVEL_BINS = 16
LEVEL_PIXELS = 200
"""An intensity counts in the noise level error from this many pixels on."""


@dataclass(frozen=True)
class Scores:
    """Distances of two noises on one picture; 0 is a perfect match in all of them.

    Attributes:
        kld: of pooled histograms.
        kld0: the same, every channel's mean taken out of both noises first.
        akld: of local variances.
        ks: of pooled distribution functions.
        correlation: of auto- and cross-channel correlation within 6 px.
        level: of σ against intensity, in octaves.
        sigma: of the overall σ, relative.
    """

    kld: float
    kld0: float
    akld: float
    ks: float
    correlation: float
    level: float
    sigma: float

    def as_dict(self) -> dict[str, float]:
        """Name → value."""
        return asdict(self)


def compare(real: Floats, fake: Floats, clean: Floats) -> Scores:
    """Compute all distances of generated from real noise on one clean picture in [0, 1]."""
    return Scores(
        kld=kl_divergence(real, fake),
        kld0=centred_kl_divergence(real, fake),
        akld=average_kl_divergence(real, fake),
        ks=kolmogorov_smirnov(real, fake),
        correlation=correlation_error(real, fake),
        level=noise_level_error(real, fake, clean),
        sigma=sigma_error(real, fake),
    )


def kl_divergence(real: Floats, fake: Floats) -> float:
    """KL(real‖fake) of pooled histograms: 256 bins on [−1, 1], where both are positive, in nats.

    As NAFlow, GuidNoise and PNG compute it. A bin's edge lies at exactly 0, where camera noise has
    a spike: residuals must come from integers.
    """
    return divergence(*(np.histogram(noise, KLD_EDGES)[0] / noise.size for noise in (real, fake)))


def centred_kl_divergence(real: Floats, fake: Floats) -> float:
    """:func:`kl_divergence` of both noises less every channel's own mean.

    A mean is no whole number of steps, and values less it would lie anywhere beside the bins'
    edges: two noises would differ by up to a step for nothing, and so they would if their means
    were rounded. So each value counts as spread over the step that it was rounded to,
    ±½ of 1/255, and its share goes to each bin that this reaches: no edge is special then.
    """
    return divergence(*(_centred_shares(noise) for noise in (real, fake)))


def _centred_shares(noise: Floats) -> NDArray[np.float64]:
    """Shares of the 256 bins, all channels pooled."""
    flat = noise.reshape(-1, noise.shape[-1]).astype(np.float64)
    below = [_spread_cdf(channel - channel.mean()) for channel in flat.T]
    return np.diff(np.mean(below, 0))


def _spread_cdf(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of values below each edge, where each value is spread evenly over ±½ step."""
    ordered = np.sort(values)
    sums = np.concatenate([[0.0], np.cumsum(ordered)])

    def area(until: NDArray[np.float64]) -> NDArray[np.float64]:
        """Integral of the plain distribution function up to some places."""
        count = np.searchsorted(ordered, until)
        total: NDArray[np.float64] = (count * until - sums[count]) / len(ordered)
        return total

    spread: NDArray[np.float64] = (area(KLD_EDGES + STEP / 2) - area(KLD_EDGES - STEP / 2)) / STEP
    return spread


def divergence(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    """KL(p‖q) in nats over bins where both are positive; what rounding leaves counts as 0."""
    both = (p > LEAST_SHARE) & (q > LEAST_SHARE)
    return float(np.sum(p[both] * np.log(p[both] / q[both])))


def average_kl_divergence(real: Floats, fake: Floats) -> float:
    """AKLD: mean KL divergence of zero-mean Gaussians of the two local variances (DANet, Eq. 12).

    Local variance is the squared noise under a 7×7 Gaussian, floored at 1e-10; the ratio is
    clamped to [0.1, 10].
    """
    ratio = np.clip(local_variance(fake) / local_variance(real), 0.1, 10.0)
    return float(0.5 * np.mean(ratio - 1 - np.log(ratio)))


def local_variance(noise: Floats) -> Floats:
    """Squared noise under a 7×7 Gaussian, edges reflected, floored at 1e-10; H×W×C."""
    offsets = np.arange(AKLD_SIDE) - AKLD_SIDE // 2
    taps = np.exp(-0.5 * (offsets / AKLD_SIGMA) ** 2)
    row = torch.from_numpy((taps / taps.sum()).astype(np.float32)).view(1, 1, 1, -1)
    x = torch.from_numpy(np.ascontiguousarray(noise)).permute(2, 0, 1).unsqueeze(1).square()
    pad = AKLD_SIDE // 2
    x = F.pad(x, (pad, pad, pad, pad), mode="reflect" if min(x.shape[-2:]) > pad else "replicate")
    x = F.conv2d(F.conv2d(x, row), row.transpose(-1, -2))
    result: Floats = x.clamp(min=1e-10)[:, 0].permute(1, 2, 0).numpy()
    return result


def kolmogorov_smirnov(real: Floats, fake: Floats) -> float:
    """Largest difference of the two pooled noise distributions' CDFs, in steps of 1/255."""
    p = np.cumsum(np.histogram(real, KS_EDGES)[0]) / real.size
    q = np.cumsum(np.histogram(fake, KS_EDGES)[0]) / fake.size
    return float(np.abs(p - q).max())


def correlation_error(real: Floats, fake: Floats) -> float:
    """RMS difference of auto- and cross-channel correlation coefficients within 6 px."""
    return float(np.sqrt(np.mean((correlations(real) - correlations(fake)) ** 2)))


def correlations(noise: Floats) -> NDArray[np.float64]:
    """Correlation of every channel with every channel at every lag within ±6 px: C×C×13×13."""
    return normalised(lagged_products(noise))


def normalised(products: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lagged products over the channels' deviations: correlation coefficients, C×C×13×13."""
    channels = np.arange(len(products))
    deviation = np.sqrt(np.maximum(products[channels, channels, LAGS, LAGS], 1e-20))
    coefficients: NDArray[np.float64] = products / np.outer(deviation, deviation)[..., None, None]
    return coefficients


def lagged_products(noise: NDArray[Any]) -> NDArray[np.float64]:
    """Sums of a channel's noise times another's at every lag within ±6 px: C×C×13×13.

    Args:
        noise: H×W×C in any unit; the channels' means are taken out.
    """
    x = noise.astype(np.float64)
    x = x - x.mean((0, 1))
    height, width, channels = x.shape
    spectrum = np.fft.rfft2(x, (height + LAGS, width + LAGS), axes=(0, 1))
    rows, columns = height + LAGS, width + LAGS
    result = np.empty((channels, channels, 2 * LAGS + 1, 2 * LAGS + 1))
    index = np.arange(-LAGS, LAGS + 1)
    for a in range(channels):
        for b in range(channels):
            product = spectrum[..., a].conj() * spectrum[..., b]
            covariance = np.fft.irfft2(product, (rows, columns))
            result[a, b] = covariance[np.ix_(index % rows, index % columns)]
    return result


def sigma_error(real: Floats, fake: Floats) -> float:
    """Relative error |σ(fake)/σ(real) − 1| of the overall standard deviation."""
    shown, made = (float(noise.std(dtype=np.float64)) for noise in (real, fake))
    return abs(made - shown) / max(shown, 1e-9)


def noise_level_error(real: Floats, fake: Floats, clean: Floats) -> float:
    """RMS log₂ ratio of σ(fake) to σ(real) over intensities (16 bins) and channels."""
    errors = []
    for c in range(real.shape[-1]):
        bins = np.clip((clean[..., c] * LEVEL_BINS).astype(int), 0, LEVEL_BINS - 1).ravel()
        counts = np.bincount(bins, minlength=LEVEL_BINS)
        keep = counts >= LEVEL_PIXELS
        shown, made = (
            np.maximum(levels(noise[..., c].ravel(), bins, counts), least_level(255))
            for noise in (real, fake)
        )
        errors.append(np.log2(made[keep] / shown[keep]))
    joined = np.concatenate(errors)
    return float(np.sqrt(np.mean(joined**2))) if joined.size else float("nan")


def levels(noise: Floats, bins: NDArray[Any], counts: NDArray[Any]) -> NDArray[np.float64]:
    """Standard deviation of N noise values in each of the bins that they lie in.

    Args:
        noise: N.
        bins: N, the number of each one's bin.
        counts: of the values of each bin.
    """
    total = np.maximum(counts, 1)
    mean = np.bincount(bins, noise, len(counts)) / total
    square = np.bincount(bins, noise.astype(np.float64) ** 2, len(counts)) / total
    return np.asarray(np.sqrt(np.maximum(square - mean**2, 0)))


def least_level(white_level: float) -> float:
    """A quarter of a step: noiseless (clipped) intensities compare as equal, not as −∞."""
    return 0.25 / white_level
