"""Piecewise linear curves against intensity, fitted to pixels by least squares.

Their nodes lie where the pixels are. A least-squares fit of hat functions has no bias on what is
linear (a Poisson variance is), where an average per bin flattens every slope. Beyond the
outermost nodes a curve is held: nothing was seen there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisegen.model.config import NODES
from noisegen.model.workers import of_each_channel
from noisegen.noise.arrays import Doubles, Floats

BENDING = 100.0
"""Pixels that a unit of bending weighs as much as: bends that fewer pixels ask for are noise."""

DRIFTING = 2.0
"""The same of a unit of slope, faint: between places that were seen, a curve runs straight."""

NARROWEST = 1e-6
"""Smallest distance of two nodes, of the white level: a fifteenth of a step of 16 bits."""

OUTERMOST = 5e-4
"""Share of the pixels that may lie beyond each of the outermost nodes: too few to fit a node to."""


def place_nodes(clean: Floats) -> Doubles:
    """Nodes for curves against the intensities that a clean shows.

    A third stands at quantiles of the intensity, where most pixels are; a third evenly on a square
    root's scale, on which shot noise is even; a third evenly over the range that is seen.

    Args:
        clean: N×C×h×w, in units of the white level.

    Returns:
        C×NODES, increasing.
    """
    channels = [np.sort(clean[:, c].ravel()[:: _stride(clean)]) for c in range(clean.shape[1])]
    return np.stack([_channel_nodes(values.astype(np.float64)) for values in channels])


def _stride(clean: Floats) -> int:
    # Odd, so that it does not fall in step with windows, rows or JPEG blocks.
    return max(1, clean[:, 0].size // 2**18) | 1


def _channel_nodes(values: Doubles) -> Doubles:
    low, high = np.quantile(values, (OUTERMOST, 1 - OUTERMOST))
    if high - low < NODES * NARROWEST:
        return np.asarray(low + np.arange(NODES) * NARROWEST, np.float64)
    share = np.linspace(0, 1, NODES)
    crowded = np.quantile(values, OUTERMOST + (1 - 2 * OUTERMOST) * share[::3])
    rooted = low + (high - low) * share[1::3] ** 2
    even = low + (high - low) * share[2::3]
    nodes = np.unique(np.concatenate([[low, high], crowded, rooted, even]))
    return _spread(nodes, (high - low) / (8 * NODES))


def _spread(nodes: Doubles, nearest: float) -> Doubles:
    """Bring nodes to the wanted number: thin out the closest, halve the widest gaps."""
    nearest = max(nearest, NARROWEST)
    kept = [nodes[0]]
    for node in nodes[1:-1]:
        # Steep near the lowest: a dim ground with an offset lies there whole.
        if node - kept[-1] >= nearest * min(1.0, 0.02 + (kept[-1] - nodes[0]) / np.ptp(nodes)):
            kept.append(node)
    found = np.array([*kept, nodes[-1]])
    while len(found) > NODES:
        gaps = found[2:] - found[:-2]
        found = np.delete(found, 1 + int(np.argmin(gaps)))
    while len(found) < NODES:
        widest = int(np.argmax(np.diff(found)))
        found = np.insert(found, widest + 1, (found[widest] + found[widest + 1]) / 2)
    return found


def positions(nodes: Doubles, values: Floats) -> Floats:
    """Places of values among nodes: 0 at the first, NODES − 1 at the last and beyond.

    Args:
        nodes: C×n, increasing.
        values: N×C×h×w.

    Returns:
        N×C×h×w; the whole part is the node below, the rest the share of the way to the next.
    """
    index = np.arange(nodes.shape[1])

    def of(c: int) -> Floats:
        return np.asarray(np.interp(values[:, c], nodes[c], index), np.float32)

    return np.stack(of_each_channel(of, len(nodes), values[:, 0].size), 1)


def fit_curves(
    position: Floats,
    values: NDArray[np.floating[Any]],
    nodes: Doubles,
    weights: Doubles | None = None,
    scale: Doubles | None = None,
) -> Doubles:
    """Least-squares curve of each channel.

    Args:
        position: N×C×h×w, from :func:`positions`.
        values: N×C×h×w, what the curve should pass through on average.
        nodes: C×n; a curve that is straight against them bends nowhere.
        weights: N×C×h×w, of the values; all 1 where left out.
        scale: C×n, what size of bend counts as one unit; 1 where left out.

    Returns:
        C×n.
    """
    curves = np.empty(nodes.shape)
    for c in range(len(nodes)):
        here = position[:, c].ravel()
        value = values[:, c].ravel()
        weight = np.ones(value.shape) if weights is None else weights[:, c].ravel()
        normal, right = _normal_equations(here, value, weight, nodes.shape[1])
        unit = 1 / np.maximum(scale[c], 1e-30) if scale is not None else np.ones(len(nodes[c]))
        curves[c] = np.linalg.solve(normal + _penalty(nodes[c], unit), right)
    return curves


def _normal_equations(
    here: Floats, value: NDArray[np.floating[Any]], weight: Doubles, count: int
) -> tuple[Doubles, Doubles]:
    lower = np.minimum(here.astype(np.intp), count - 2)
    share = (here - lower).astype(np.float64)
    sums = [
        np.bincount(lower, weight * part, count).astype(np.float64)
        for part in (
            (1 - share) ** 2,
            share**2,
            share * (1 - share),
            value * (1 - share),
            value * share,
        )
    ]
    below, above, across, left, right = sums
    normal = np.diag(below) + np.diag(np.roll(above, 1))
    normal += np.diag(across[:-1], 1) + np.diag(across[:-1], -1)
    return normal, left + np.roll(right, 1)


def _penalty(nodes: Doubles, unit: Doubles) -> Doubles:
    """Penalty on bends and slopes; a bend compares a line's two parts, each over its own length."""
    count, gaps = len(nodes), np.diff(nodes)
    slope = np.diff(np.eye(count), axis=0)
    before, after = gaps[:-1, None], gaps[1:, None]
    bending = 2 * (before * slope[1:] - after * slope[:-1]) / (before + after)
    bending *= unit[1:-1, None]
    slope *= np.minimum(unit[1:], unit[:-1])[:, None]
    penalty: Doubles = BENDING * bending.T @ bending + DRIFTING * slope.T @ slope
    return penalty


def read_curves(curves: Doubles, position: Floats) -> Floats:
    """Curves (C×n) at positions (N×C×h×w), held constant at the ends."""
    index = np.arange(curves.shape[1])

    def of(c: int) -> Floats:
        return np.asarray(np.interp(position[:, c], index, curves[c]), np.float32)

    return np.stack(of_each_channel(of, len(curves), position[:, 0].size), 1)
