"""Measured curves read at intensities of the reader's choice, and which of these were shown."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisegen.noise.arrays import Doubles, Floats
from noisegen.noise.statistics import NoiseStatistics

SEEN = 1e-4
"""Share of the references' pixels above which an intensity counts as shown."""

EVEN = np.linspace(0, 1, 16)
"""Intensities that curves are printed and compared at, from black to white."""


def read_at(curve: NDArray[Any], measured: NoiseStatistics, intensities: NDArray[Any]) -> Doubles:
    """A measured curve at N intensities: straight between its nodes, held beyond.

    Args:
        curve: C×n, at the nodes.
        measured: whose nodes they are.
        intensities: N, or C×N, in units of the white level.

    Returns:
        C×N.
    """
    wanted = np.broadcast_to(intensities, (len(curve), np.shape(intensities)[-1]))
    return np.stack(
        [np.interp(x, n, c) for x, n, c in zip(wanted, measured.nodes, curve, strict=True)]
    )


def level_at(
    measured: NoiseStatistics, intensities: NDArray[Any], level: Floats | None = None
) -> Doubles:
    """The standard deviation, C×N: variances are interpolated, as the generator does.

    Args:
        measured: whose nodes they are.
        intensities: N, or C×N, in units of the white level.
        level: C×n, another than the measured level.
    """
    curve = measured.level if level is None else level
    return np.sqrt(read_at(curve.astype(np.float64) ** 2, measured, intensities))


def shown_at(measured: NoiseStatistics, intensities: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether the references show N rising intensities, C×N.

    An intensity is shown if some of their pixels lie as near to it as to no other of the N, or
    nodes with pixels on both sides.
    """
    between = read_at(measured.pixels, measured, intensities) > SEEN
    wanted = np.broadcast_to(intensities, between.shape)
    shown = np.empty(between.shape, bool)
    for c, (x, nodes) in enumerate(zip(wanted, measured.nodes, strict=True)):
        inside = (x >= nodes[0]) & (x <= nodes[-1])
        place = np.searchsorted((x[1:] + x[:-1]) / 2, nodes)
        pixels = np.bincount(place, measured.pixels[c], len(x))
        shown[c] = (between[c] & inside) | (pixels > SEEN)
    return shown
