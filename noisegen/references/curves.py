"""Piecewise linear curves against intensity or activity, fitted to pixels by least squares.

A least-squares fit of hat functions has no bias on what is linear (a Poisson variance is), where
an average per bin flattens every slope and stops half a bin short of black and white.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from noisegen.model.config import BINS

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

BENDING = 2000.0
"""Pixels that a unit of bending weighs as much as: bends that fewer pixels ask for are noise."""

DRIFTING = 2.0
"""The same of a unit of slope, faint: beyond the pixels seen, a curve runs level."""


def intensity_position(clean: Floats) -> Floats:
    """Position of intensities among a curve's nodes: node 0 is black, the last one white."""
    position: Floats = np.clip(clean * np.float32(BINS - 1), 0, BINS - 1)
    return position


def fit_curves(position: Floats, values: Floats, nodes: int) -> Doubles:
    """Least-squares curve of each channel.

    Args:
        position: N×C×h×w, in nodes.
        values: N×C×h×w, what the curve should pass through on average.
        nodes: of the curve.

    Returns:
        C×nodes.
    """
    bending, slope = np.diff(np.eye(nodes), 2, axis=0), np.diff(np.eye(nodes), axis=0)
    penalty = BENDING * bending.T @ bending + DRIFTING * slope.T @ slope
    curves = np.empty((position.shape[1], nodes))
    for c in range(position.shape[1]):
        here = position[:, c].ravel().astype(np.float64)
        lower = np.minimum(here.astype(np.intp), nodes - 2)
        share = here - lower
        value = values[:, c].ravel().astype(np.float64)
        below, above, across = (
            np.bincount(lower, weight, nodes)
            for weight in ((1 - share) ** 2, share**2, share * (1 - share))
        )
        normal = np.diag(below) + np.diag(np.roll(above, 1))
        normal += np.diag(across[:-1], 1) + np.diag(across[:-1], -1)
        right = np.bincount(lower, value * (1 - share), nodes)
        right += np.roll(np.bincount(lower, value * share, nodes), 1)
        curves[c] = np.linalg.solve(normal + penalty, right)
    return curves


def node_sums(position: Floats, values: Floats, nodes: int) -> Doubles:
    """Sums per channel and node, each pixel shared between its two nearest nodes; C×nodes."""
    sums = np.empty((position.shape[1], nodes))
    for c in range(position.shape[1]):
        here = position[:, c].ravel()
        lower = np.minimum(here.astype(np.intp), nodes - 2)
        share = here - lower
        value = values[:, c].ravel()
        sums[c] = np.bincount(lower, value * (1 - share), nodes)
        sums[c] += np.bincount(lower + 1, value * share, nodes)
    return sums


def read_curves(curves: Doubles, position: Floats) -> Floats:
    """Curves (C×nodes) at positions (N×C×h×w, in nodes), held constant at the ends."""
    nodes = np.arange(curves.shape[1])
    channels = [np.interp(position[:, c], nodes, curves[c]) for c in range(len(curves))]
    return np.stack(channels, 1).astype(np.float32)
