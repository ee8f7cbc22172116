"""Measured statistics of a reference's noise: the classical model (design.md, *Measuring*).

The order matters. The mean is taken out before the level is measured, and the level before the
spectrum; otherwise both come back as colour blotches that no camera makes. Clipping and rounding,
which generated noise suffers in its turn, are undone first (:mod:`.censoring`), and so is what the
marginal's table does to correlation (:mod:`.spectrum`).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import torch
from numpy.typing import NDArray

from noisegen.model.classical import activity_position, local_activity
from noisegen.model.config import ACTIVITY_NODES, BINS, QUANTILE_NODES, QUANTILE_REACH, WINDOW
from noisegen.references.censoring import (
    SMALLEST_LEVEL,
    before_rounding,
    censored,
    imputed,
    moments,
    read_level,
)
from noisegen.references.curves import fit_curves, intensity_position, node_sums, read_curves
from noisegen.references.spectrum import before_quantiles, colouring_kernel, correlations
from noisegen.references.windows import Windows

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

COVERED = 300.0
"""Effective pixels at which an intensity counts as half covered."""

MOST_CENSORED = 0.02
"""Share of clipped pixels up to which a window shows grain and marginal as they are."""

FEWEST_WHOLE = 8
"""Windows of that kind that suffice."""

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
        mean: C×16, mean of the noise against intensity, before clipping.
        level: C×16, its standard deviation against intensity, before clipping and rounding.
        coverage: C×16, in [0, 1], how well the references show an intensity.
        surface: C×8×16, ``level`` against local activity and intensity.
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
    surface: Floats
    pixels_per_bin: Floats
    sigma: Floats
    autocorrelation: Floats
    colour_correlation: Floats


def measure(windows: Windows) -> NoiseStatistics:
    """Measures mean, level, marginal and spectrum, in this order."""
    clean, step = windows.clean, windows.step
    position = intensity_position(clean)
    counts = node_sums(position, np.ones_like(clean), BINS)
    hidden = censored(windows)
    fit = moments(windows, hidden)
    centred = imputed(windows, hidden, fit) - read_curves(fit.mean, position)
    surface = level_surface(centred, clean, position)
    standard = centred / read_level(fit.level, position)
    whole = _whole(hidden)
    standard, position = standard[whole], position[whole]
    rounding = _rounding_share(fit.level, position, step)
    correlation = correlations(standard, rounding)
    smooth = _dithered(standard, fit.level, position, step) if step else standard
    quantiles = _marginal(smooth)
    return NoiseStatistics(
        kernel=colouring_kernel(before_quantiles(correlation, quantiles)).astype(np.float32),
        quantiles=quantiles.astype(np.float32),
        mean=fit.mean.astype(np.float32),
        level=before_rounding(fit.level, step).astype(np.float32),
        coverage=(counts / (counts + COVERED)).astype(np.float32),
        surface=before_rounding(surface, step).astype(np.float32),
        pixels_per_bin=(counts / counts.sum(1, keepdims=True)).astype(np.float32),
        sigma=windows.residual.std((0, 2, 3)).astype(np.float32),
        autocorrelation=_autocorrelation(correlation).astype(np.float32),
        colour_correlation=correlation[0, 0].astype(np.float32),
    )


def level_surface(centred: Floats, clean: Floats, position: Floats) -> Doubles:
    """The level against intensity and local activity.

    In-camera denoising leaves more noise on texture, and errors of a reference's clean lie there
    too. First a product of two curves is fitted, one after the other; then what the product
    misses, as far as there are pixels that show it.

    Args:
        centred: N×C×32×32, residual less its mean.
        clean: N×C×32×32.
        position: of the clean's intensities among the nodes.

    Returns:
        C×8×16.
    """
    square = centred.astype(np.float32) ** 2
    active = activity_position(local_activity(torch.from_numpy(clean)))
    nodes = np.broadcast_to(active.clamp(0, ACTIVITY_NODES - 1).numpy(), clean.shape)
    seen = node_sums(nodes, np.ones_like(square), ACTIVITY_NODES)
    activity = np.zeros((clean.shape[1], ACTIVITY_NODES))
    for _ in range(ROUNDS):
        divided = (square / np.exp(2 * read_curves(activity, nodes))).astype(np.float32)
        variance = np.maximum(fit_curves(position, divided, BINS), SMALLEST_LEVEL**2)
        sums = node_sums(nodes, square / read_curves(variance, position), ACTIVITY_NODES)
        ratio = _share(sums @ _nearby(ACTIVITY_NODES), seen @ _nearby(ACTIVITY_NODES))
        activity = 0.5 * np.log(ratio)
    product = variance[:, None] * np.exp(2 * activity)[..., None]
    predicted = read_curves(variance, position) * np.exp(2 * read_curves(activity, nodes))
    # Relative to the prediction, so that loud intensities do not outvote their quiet neighbours.
    missed = _cell_sums(nodes, position, square / predicted)
    pixels = _cell_sums(nodes, position, np.ones_like(square))
    missed, pixels = (_nearby(ACTIVITY_NODES) @ sums @ _nearby(BINS) for sums in (missed, pixels))
    surface: Doubles = np.sqrt(product * _share(missed, pixels))
    return surface


def _share(sums: Doubles, pixels: Doubles) -> Doubles:
    """Mean of a ratio; few pixels say little and start from 1."""
    share: Doubles = np.maximum((sums + COVERED) / (pixels + COVERED), 1e-4)
    return share


def _nearby(nodes: int) -> Doubles:
    """Weights that average neighbouring nodes."""
    index = np.arange(nodes)
    weights: Doubles = np.exp(-0.5 * (np.subtract.outer(index, index) / 0.7) ** 2)
    return weights


def _cell_sums(activity: Floats, intensity: Floats, values: Floats) -> Doubles:
    """Sums per channel, activity and intensity, each pixel in its nearest cell; C×8×16."""
    cell = np.rint(activity).astype(np.intp) * BINS + np.rint(intensity).astype(np.intp)
    sums = np.empty((values.shape[1], ACTIVITY_NODES * BINS))
    for c in range(len(sums)):
        sums[c] = np.bincount(cell[:, c].ravel(), values[:, c].ravel(), sums.shape[1])
    return sums.reshape(-1, ACTIVITY_NODES, BINS)


def _whole(hidden: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Windows that clipping leaves alone; all of them where there are hardly any."""
    whole: NDArray[np.bool_] = hidden.mean((1, 2, 3)) <= MOST_CENSORED
    return whole if whole.sum() >= min(FEWEST_WHOLE, len(whole)) else np.ones_like(whole)


def _rounding_share(level: Doubles, position: Floats, step: float) -> float:
    """Share of the standardised residual's variance that rounding added."""
    if step == 0:
        return 0.0
    share = 1 - (before_rounding(level, step) / level) ** 2
    return float(np.clip(read_curves(share, position).mean(), 0, 0.5))


def _dithered(standard: Floats, level: Doubles, position: Floats, step: float) -> Floats:
    """Fills the gaps between whole steps, so that the marginal is smooth; always the same."""
    uniform = np.random.default_rng(0).random(standard.shape, dtype=np.float32) - np.float32(0.5)
    width = np.float32(step) / np.maximum(read_level(level, position), np.float32(step / 2))
    return (standard + uniform * width).astype(np.float32)


def gaussian_probabilities() -> Doubles:
    """Φ at the marginal table's nodes."""
    nodes = np.linspace(-QUANTILE_REACH, QUANTILE_REACH, QUANTILE_NODES)
    return np.array([NormalDist().cdf(node) for node in nodes])


def _marginal(standard: Floats) -> Doubles:
    """Quantiles of each channel at Φ(node), scaled to keep a Gaussian field's unit variance."""
    probabilities = gaussian_probabilities()
    flat = standard.transpose(1, 0, 2, 3).reshape(standard.shape[1], -1)
    table = np.quantile(flat, probabilities, axis=1).T
    return unit_variance(table.astype(np.float64))


def unit_variance(table: Doubles) -> Doubles:
    """Quantile tables, C×65, scaled so that a Gaussian field keeps no mean and unit variance."""
    probabilities = gaussian_probabilities()
    nodes = np.linspace(-QUANTILE_REACH, QUANTILE_REACH, QUANTILE_NODES)
    mass = np.diff(np.concatenate([[0.0], (probabilities[1:] + probabilities[:-1]) / 2, [1.0]]))
    mean = (table * mass).sum(1, keepdims=True)
    deviation = np.sqrt(((table - mean) ** 2 * mass).sum(1, keepdims=True))
    scaled: Doubles = np.where(
        deviation > 1e-9, (table - mean) / np.maximum(deviation, 1e-9), nodes
    )
    return scaled


def _autocorrelation(correlation: Doubles) -> Doubles:
    index = np.arange(-LAGS, LAGS + 1) % WINDOW
    near = correlation[np.ix_(index, index)]
    return np.diagonal(near, axis1=2, axis2=3).transpose(2, 0, 1)
