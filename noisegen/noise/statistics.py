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
from noisegen.noise.cells import COVERED
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
from noisegen.noise.content import KNOWN, Usual, fit_content
from noisegen.noise.curves import NARROWEST, read_curves
from noisegen.noise.marginal import fit_marginals, unit_variance
from noisegen.noise.sample import Sample
from noisegen.noise.spectrum import before_quantiles, colouring_kernel, correlations
from noisegen.noise.stripes import find_stripes, without_stripes
from noisegen.noise.windows import Windows

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

FIRM = 10.0
"""Times as many pixels that what is usual weighs as much as where no clean was given: beside an
estimated clean, noise on detail passes for the picture; a burst's mean holds noise that passes for
activity, so that no factor is usual there. Lone shots' noise level, off by, in powers of two, at
nothing usual, 1, 10 and 100 times: nam25 0.321, 0.318, 0.315, 0.314; PolyU's seen cameras by one
crop 0.339, 0.336, 0.327, not tried. The bench's bursts, KLD at 1, 10, 100 times: DSLR JPEG 0.073,
0.058, 0.053, phone JPEG 0.032, 0.030, 0.026, EMCCD 0.0045, 0.0035, 0.0023."""

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
        known: of cameras, which counts where few pixels are seen, not beside a burst's mean (the
            bench's DSLR JPEG: KLD of bursts 0.052 without it, 0.056 with it).
    """
    if windows.averaged:
        network, known = None, replace(Usual.unknown(), pixels=FIRM * KNOWN)
    elif windows.estimated:
        # Cameras develop colour; the noise of gray sensors follows nothing.
        colour = windows.residual.shape[1] > 1
        network, known = None, replace(known, pixels=FIRM * KNOWN) if known and colour else None
    windows = windows.take_blocks(MEASURED)
    stripes = find_stripes(windows)
    whole = Sample.of(windows)
    # What is clipped is so with its line's offset.
    beyond = hidden(whole)
    sample = replace(whole, windows=without_stripes(windows, stripes))
    fit = moments(sample, beyond)
    centred = imputed(sample, beyond, fit) - read_curves(fit.mean, sample.position)
    content, level, follows = fit_content(centred, sample, fit.level, network, known)
    spread = read_level(level, sample.position) * np.exp(0.5 * follows)
    shape = _Shape.of(centred, spread, level, sample, beyond)
    nodes, mean, counts = sample.nodes, fit.mean, sample.cells.pixels
    if windows.estimated or windows.averaged:
        nodes, mean = _before_clipping(sample, fit), np.zeros_like(fit.mean)
    return _in_single_precision(
        nodes=nodes,
        mean=mean,
        level=before_rounding(level, sample.recording.step),
        coverage=counts / (counts + COVERED),
        pixels=counts / counts.sum(1, keepdims=True),
        sigma=np.maximum(windows.residual.std((0, 2, 3)), SMALLEST_LEVEL),
        marginal_at=_at_places(nodes, shape.places),
        **content.factors,
        **shape.tables_and_grain,
        **stripes.at_nodes(sample.nodes),
    )


def _in_single_precision(**curves: Doubles | Floats) -> NoiseStatistics:
    return NoiseStatistics(**{name: curve.astype(np.float32) for name, curve in curves.items()})


def _at_places(nodes: Doubles, places: Doubles) -> Doubles:
    """C×m, intensities at places among C×n nodes."""
    index = np.arange(nodes.shape[1])
    return np.stack([np.interp(p, index, n) for p, n in zip(places, nodes, strict=True)])


@dataclass(frozen=True)
class _Shape:
    """Grain and marginals of noise whose spread is known.

    Attributes:
        correlation: 32×32×C×C, of the noise as it is seen.
        places: C×m, of the marginals among the nodes of intensity.
        tables: C×m×QUANTILE_NODES, the standardised marginals.
    """

    correlation: Doubles
    places: Doubles
    tables: Doubles

    @classmethod
    def of(
        cls, centred: Floats, spread: Floats, level: Doubles, sample: Sample, beyond: Hidden
    ) -> _Shape:
        """Measure noise less its mean, N×C×32×32, against its spread, the same shape."""
        step = sample.recording.step
        # Where there is less noise than rounding makes, it has no shape of its own.
        least = np.maximum(LEAST_SPREAD * np.median(level, axis=1), LEAST_STEPS * step)
        floor = least.reshape(1, -1, 1, 1).astype(np.float32)
        standard = np.asarray(centred / np.maximum(spread, floor), np.float32)
        overall = np.maximum(centred.std((0, 2, 3)), SMALLEST_LEVEL).astype(np.float64)
        rounding = 1 - (before_rounding(overall, step) / overall) ** 2
        grain = _grain(standard, spread)
        seen, places = _seen(beyond), sample.windows.places
        correlation = correlations(grain, rounding.clip(0, 0.5), places, seen)
        dithered = _dithered(standard, sample, spread, floor)
        return cls(correlation, *fit_marginals(dithered, sample.position))

    @property
    def tables_and_grain(self) -> dict[str, Doubles]:
        """What :class:`NoiseStatistics` holds of it, by its names there."""
        return {
            "marginals": self.tables,
            "kernel": colouring_kernel(before_quantiles(self.correlation, self.mean_table)),
            "autocorrelation": _autocorrelation(self.correlation),
            "colour_correlation": self.correlation[0, 0],
        }

    @property
    def mean_table(self) -> Doubles:
        """C×QUANTILE_NODES, the marginal over all intensities, of unit variance."""
        return unit_variance(self.tables.mean(1))


def _grain(standard: Floats, spread: Floats) -> Floats:
    """The standardised noise as its places count for the grain, of unit variance.

    Loud places decide the grain that is seen: each counts by its variance, as in a picture; but the
    loudest no more than others, for there lies what is loud by mistake.
    """
    loudest = np.quantile(spread, LOUDEST, axis=(0, 2, 3), keepdims=True)
    grain = standard * np.minimum(spread, loudest)
    unit = grain / np.maximum(grain.std((0, 2, 3), keepdims=True), 1e-9)
    return np.asarray(unit, np.float32)


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
