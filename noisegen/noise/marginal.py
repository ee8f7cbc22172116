"""The marginal: quantiles of standardised noise, by intensity, as tables for a Gaussian field."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from noisegen.model.config import MARGINALS, QUANTILE_NODES, QUANTILE_REACH
from noisegen.model.workers import of_each_channel
from noisegen.noise.arrays import Doubles, Floats

OF_ALL = 3000.0
"""Pixels of an intensity whose own marginal weighs as much as that of all; in the tails, where few
of them lie, as many more."""

FARTHEST = 30.0
"""Standard deviations beyond which noise counts as an impulse of that size."""


def gaussian_probabilities() -> Doubles:
    """Φ at the marginal table's nodes."""
    return np.array([NormalDist().cdf(node) for node in table_nodes()])


def table_nodes() -> Doubles:
    """Gaussian values that the table is given at."""
    return np.linspace(-QUANTILE_REACH, QUANTILE_REACH, QUANTILE_NODES)


def fit_marginals(standard: Floats, position: Floats) -> tuple[Doubles, Doubles]:
    """Quantile tables of each channel, at intensities that share its pixels evenly.

    Args:
        standard: N×C×h×w, noise of no mean and unit level.
        position: N×C×h×w, of intensity among the curves' nodes.

    Returns:
        C×MARGINALS, the places among the curves' nodes that the tables stand at, not falling;
        C×MARGINALS×QUANTILE_NODES, each of unit variance.
    """

    def fit(c: int) -> tuple[Doubles, Doubles]:
        return _fit_channel(standard[:, c].ravel(), position[:, c].ravel())

    channels = of_each_channel(fit, standard.shape[1], standard[:, 0].size)
    places, tables = zip(*channels, strict=True)
    return np.stack(places), np.stack(tables)


def _fit_channel(standard: Floats, where: Floats) -> tuple[Doubles, Doubles]:
    """Places and tables of one channel's noise, P each of noise and position."""
    probabilities = gaussian_probabilities()
    rarity = np.minimum(probabilities, probabilities[::-1])
    values = standard.clip(-FARTHEST, FARTHEST)
    edges = np.quantile(where, np.linspace(0, 1, MARGINALS + 1))
    group = np.searchsorted(edges[1:-1], where, side="right")
    pooled = _table(values)
    own, at = [], []
    for g in range(MARGINALS):
        inside = group == g
        share = inside.sum() * rarity
        trust = share / (share + 0.05 * OF_ALL)
        table = _table(values[inside]) if inside.any() else pooled
        own.append(trust * table + (1 - trust) * pooled)
        middle = float(where[inside].mean()) if inside.any() else float(edges[g])
        at.append(min(max(middle, edges[g]), edges[g + 1]))
    places: Doubles = np.maximum.accumulate(at)
    return places, unit_variance(np.maximum.accumulate(np.stack(own), axis=1))


def _table(values: Floats) -> Doubles:
    quantiles = np.quantile(values, gaussian_probabilities()).astype(np.float64)
    table: Doubles = unit_variance(quantiles[None])[0]
    return table


def unit_variance(table: Doubles) -> Doubles:
    """Quantile tables, …×QUANTILE_NODES, scaled: a Gaussian field keeps mean 0 and variance 1."""
    probabilities, nodes = gaussian_probabilities(), table_nodes()
    mass = np.diff(np.concatenate([[0.0], (probabilities[1:] + probabilities[:-1]) / 2, [1.0]]))
    mean = (table * mass).sum(-1, keepdims=True)
    deviation = np.sqrt(((table - mean) ** 2 * mass).sum(-1, keepdims=True))
    scaled: Doubles = np.where(
        deviation > 1e-9, (table - mean) / np.maximum(deviation, 1e-9), nodes
    )
    return scaled
