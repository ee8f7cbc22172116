"""Measured statistics of a reference's noise: the classical model (design.md, *Measuring*).

The order matters. The mean is taken out before the level is measured, and the level before the
spectrum; otherwise both come back as colour blotches that no camera makes. Clipping and rounding,
which generated noise suffers in its turn, are undone first (:mod:`.censoring`), and so is what the
marginal's table does to correlation (:mod:`.spectrum`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from noisegen.model.content_network import ContentNetwork
from noisegen.noise.arrays import Doubles, Floats
from noisegen.noise.censoring import (
    SMALLEST_LEVEL,
    Hidden,
    Moments,
    before_rounding,
    hidden,
    imputed,
    moments,
    read_level,
)
from noisegen.noise.content import Usual, fit_content
from noisegen.noise.curves import NARROWEST, read_curves
from noisegen.noise.marginal import fit_marginals, unit_variance
from noisegen.noise.sample import Sample
from noisegen.noise.spectrum import before_quantiles, colouring_kernel, correlations
from noisegen.noise.stripes import find_stripes, without_stripes
from noisegen.noise.windows import Windows

COVERED = 300.0
"""Effective pixels at which an intensity counts as half covered."""

LEAST_SPREAD = 0.05
"""Share of the typical level that noise is standardised by at least."""

LEAST_STEPS = 0.29
"""The same in steps of the quantisation: the standard deviation of rounding by itself."""

LOUDEST = 0.95
"""Share of the pixels above whose level a place counts no more for the grain. Where a shift of the
clean passes for noise, the level is far above all others: one such PolyU scene of six had a
correlation error of 0.070 without this limit, 0.030 with it."""

MEASURED = 3072
"""Windows that are measured (3 Mpx); more say nothing new."""

LAGS = 6
"""Autocorrelation is reported within ±LAGS pixels."""


@dataclass(frozen=True)
class NoiseStatistics:
    """What the references measurably show; C channels, n nodes, units of the white level.

    Attributes:
        nodes: C×n, intensities at which the curves are given, straight between and held beyond.
        mean: C×n, mean of the noise against intensity, before clipping.
        level: C×n, its standard deviation, before clipping and rounding, at factors of 1.
        usual: C×n, the same over all content, rounding included; the content network looks at it.
        coverage: C×n, in [0, 1], how well the references show an intensity.
        pixels: C×n, share of the references' pixels at an intensity.
        activity: C×8, natural logarithm of the variance's factor against local activity.
        colour: C×C, of the same against a unit by which another channel is brighter.
        colour_reach: C×C×2, the differences beyond which that is held.
        features: C×(K + 3), of the same against each of the content network's maps, what is added,
            and the least and the most of all together; 0 where the network does not count.
        marginal_at: C×m, intensities at which the marginal is given.
        marginals: C×m×65, the standardised marginal.
        kernel: C×C×15×15, colours a white field.
        stripes: C×2×n, standard deviation of the offsets of rows, and of columns, at the nodes; 0
            for none.
        stripe_kernel: C×2×15, colours such offsets along their axis.
        stripe_shared: C×2, correlation of the channels' offsets, the same for all.
        sigma: C, overall standard deviation.
        autocorrelation: C×13×13, lag 0 in the middle.
        colour_correlation: C×C.
    """

    nodes: Floats
    mean: Floats
    level: Floats
    usual: Floats
    coverage: Floats
    pixels: Floats
    activity: Floats
    colour: Floats
    colour_reach: Floats
    features: Floats
    marginal_at: Floats
    marginals: Floats
    kernel: Floats
    stripes: Floats
    stripe_kernel: Floats
    stripe_shared: Floats
    sigma: Floats
    autocorrelation: Floats
    colour_correlation: Floats


def measure(
    windows: Windows, network: ContentNetwork | None = None, known: Usual | None = None
) -> NoiseStatistics:
    """Measures mean, level, marginal and spectrum, in this order.

    Args:
        windows: of a camera's noise.
        network: whose maps the level may follow, where the clean was given: an estimated clean is
            smoother than those that noise is put on, and a burst's mean noisier, so the network
            would see other content (S95's bursts: KLD 0.0055 without it, 0.0058 with it).
        known: of cameras, which counts where few pixels are seen, and the clean was given too (the
            bench's DSLR JPEG: KLD of bursts 0.052 without it, 0.056 with it).
    """
    if windows.estimated or windows.averaged:
        network = known = None
    stripes = find_stripes(windows)
    overall = windows.residual.std((0, 2, 3))
    whole = Sample.of(windows.take_blocks(MEASURED))
    # What is clipped is so with its line's offset.
    beyond = hidden(whole)
    windows = without_stripes(windows, stripes).take_blocks(MEASURED)
    sample = replace(whole, windows=windows)
    counts = sample.cells.pixels
    fit = moments(sample, beyond)
    centred = imputed(sample, beyond, fit) - read_curves(fit.mean, sample.position)
    content, level = fit_content(centred, sample, fit.level, network, known)
    step = sample.recording.step
    spread = read_level(level, sample.position) * np.exp(0.5 * content.log_factor(sample, network))
    # Where there is less noise than rounding makes, it has no shape of its own.
    least = LEAST_SPREAD * np.median(level, axis=1)
    floor = np.maximum(least, LEAST_STEPS * step).reshape(1, -1, 1, 1).astype(np.float32)
    standard = centred / np.maximum(spread, floor)
    # Loud places decide the grain that is seen: each counts by its variance, as in a picture; but
    # the loudest no more than others, for there lies what is loud by mistake.
    loudest = np.quantile(spread, LOUDEST, axis=(0, 2, 3), keepdims=True)
    grain = standard * np.minimum(spread, loudest)
    grain = (grain / np.maximum(grain.std((0, 2, 3), keepdims=True), 1e-9)).astype(np.float32)
    overall_level = np.maximum(centred.std((0, 2, 3)), SMALLEST_LEVEL).astype(np.float64)
    rounding = 1 - (before_rounding(overall_level, step) / overall_level) ** 2
    correlation = correlations(grain, rounding.clip(0, 0.5), windows.places, _seen(beyond))
    places, tables = fit_marginals(_dithered(standard, sample, spread, floor), sample.position)
    gaussian = before_quantiles(correlation, unit_variance(tables.mean(1)))
    index = np.arange(sample.nodes.shape[1])
    nodes, mean = sample.nodes, fit.mean
    if windows.estimated or windows.averaged:
        nodes, mean = _before_clipping(sample, fit), np.zeros_like(fit.mean)
    return NoiseStatistics(
        nodes=nodes.astype(np.float32),
        mean=mean.astype(np.float32),
        level=before_rounding(level, step).astype(np.float32),
        usual=content.usual.astype(np.float32),
        coverage=(counts / (counts + COVERED)).astype(np.float32),
        pixels=(counts / counts.sum(1, keepdims=True)).astype(np.float32),
        activity=content.activity.astype(np.float32),
        colour=content.colour.astype(np.float32),
        colour_reach=content.reach.astype(np.float32),
        features=content.features.astype(np.float32),
        marginal_at=np.stack(
            [np.interp(p, index, n) for p, n in zip(places, nodes, strict=True)]
        ).astype(np.float32),
        marginals=tables.astype(np.float32),
        kernel=colouring_kernel(gaussian).astype(np.float32),
        stripes=stripes.at(sample.nodes).astype(np.float32),
        stripe_kernel=stripes.kernel.swapaxes(0, 1).astype(np.float32),
        stripe_shared=np.tile(stripes.shared, (len(overall), 1)).astype(np.float32),
        sigma=np.maximum(overall, SMALLEST_LEVEL).astype(np.float32),
        autocorrelation=_autocorrelation(correlation).astype(np.float32),
        colour_correlation=correlation[0, 0].astype(np.float32),
    )


def _before_clipping(sample: Sample, fit: Moments) -> Doubles:
    """C×n, the nodes where the noise is centred before clipping.

    A clean that was averaged of clipped shots, or estimated of a clipped one, is too bright beside
    black and too dark beside white. The noise around it tells by how much: by its mean before
    clipping, which only clipping can have given it.
    """
    shift = np.clip(fit.mean, -fit.level, fit.level)
    moved = np.maximum.accumulate(sample.nodes + shift, axis=1)
    return np.asarray(moved + NARROWEST * np.arange(moved.shape[1]), np.float64)


def _seen(beyond: Hidden) -> Doubles:
    """N, weight of each window for the grain: what clipping hides was drawn anew, without any."""
    share = beyond.mask.mean((1, 2, 3))
    return np.asarray(np.maximum((1 - share) ** 4, 1e-6), np.float64)


def _dithered(standard: Floats, sample: Sample, spread: Floats, floor: Floats) -> Floats:
    """Fills the gaps between whole steps, so that the marginal is smooth; always the same."""
    step = sample.recording.step.reshape(1, -1, 1, 1).astype(np.float32)
    if not step.any():
        return standard
    width = step / np.maximum(spread, floor)
    return (standard + (sample.draw(1) - np.float32(0.5)) * width).astype(np.float32)


def _autocorrelation(correlation: Doubles) -> Doubles:
    index = np.arange(-LAGS, LAGS + 1)
    near = correlation[np.ix_(index, index)]
    return np.diagonal(near, axis1=2, axis2=3).transpose(2, 0, 1)
