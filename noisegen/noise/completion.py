"""Measured curves completed over the whole range of intensities by what is known of cameras."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from noisegen.model.config import OUTSIDE
from noisegen.noise.arrays import Doubles, Floats
from noisegen.noise.cells import COVERED
from noisegen.noise.censoring import SMALLEST_LEVEL
from noisegen.noise.curves import NARROWEST
from noisegen.noise.prior import (
    FAINT_LEVEL,
    INTENSITIES,
    Cameras,
    Kind,
    Observed,
    posterior,
)
from noisegen.noise.statistics import NoiseStatistics

FEWEST = 0.5
"""Independent pixels of a node that is looked at."""

MISFIT = 0.05
"""Error of a level's logarithm at a node that no number of pixels lessens."""

OFFSET = 0.1
"""Error of all levels' logarithms together: flat patches stand for photographs."""

ESTIMATED = 0.08
"""Further error of a level's logarithm at a node where the clean was estimated."""

DOUBTFUL = 1.0
"""Deviation of a level's logarithm at which cameras count half, and holding what is seen half."""

QUIET = 0.25 / 255
"""Level below which an instrument is quieter than the cameras that are known."""

SURE = (13.0, 70.0)
"""Independent pixels from which a measured value counts, and from which it counts alone."""

REACH = 0.15
"""Of white, over which it fades what a measured curve is off from the cameras'."""

NEXT = 0.05
"""Share of the unseen range that lies between the outermost measured node and the next."""


def complete(measured: NoiseStatistics, cameras: Cameras, kind: Kind) -> NoiseStatistics:
    """Statistics whose level goes on over the whole range, and whose mean ends where it was seen.

    Where the references show enough, both stay as they were measured. Elsewhere there is no mean:
    what it would be hangs on how bright a pair's clean is beside the shot. Means of known cameras
    there gave the Sony across scenes (``polyu-unseen-across``) a KLD of 0.14, none 0.083.

    Args:
        measured: with curves of C×n.
        cameras: that are known, of as many channels, against the same kind of clean.
        kind: of the references' clean.

    Returns:
        The same with curves of C×(n + OUTSIDE), coverage and pixels 0 at the added nodes.
    """
    nodes, level = measured.nodes.astype(np.float64), measured.level.astype(np.float64)
    pixels = _independent(measured)
    logs = np.log(level + FAINT_LEVEL)
    seen = _observed(nodes, pixels, logs, kind)
    log_curve, doubt = (part.reshape(len(nodes), -1) for part in posterior(cameras, seen))
    sure = np.clip((pixels - SURE[0]) / (SURE[1] - SURE[0]), 0, 1)
    wide = np.stack([_with_outside(row) for row in nodes])
    common = float(((logs - _read(log_curve, nodes)) * sure).sum() / max(sure.sum(), 1e-9))
    through = _through(log_curve + common, logs, sure, nodes, wide)
    trust = _known(level, sure) / (1 + _read(doubt, wide) / DOUBTFUL**2)
    trust = np.maximum(trust, _widened(sure.astype(np.float32), nodes, wide))
    held = _held(logs, nodes, wide)
    whole = np.exp(held + trust * (through - held))
    whole = np.maximum(whole - FAINT_LEVEL, SMALLEST_LEVEL)
    # Another scene shows what this one does not, where a guess of the mean is a false brightness.
    mean = _widened((sure * measured.mean).astype(np.float32), nodes, wide)
    over = np.maximum(measured.usual, SMALLEST_LEVEL) / np.maximum(level, SMALLEST_LEVEL)
    usual = whole * _held(over, nodes, wide)
    return replace(
        measured,
        stripes=_stripes(measured, wide),
        nodes=wide.astype(np.float32),
        mean=mean,
        level=whole.astype(np.float32),
        usual=usual.astype(np.float32),
        coverage=_widened(measured.coverage, nodes, wide),
        pixels=_widened(measured.pixels, nodes, wide),
    )


def _held(curves: Doubles, nodes: Doubles, wide: Doubles) -> Doubles:
    """Curves, C×n, at all nodes, held beyond the measured."""
    return np.stack([np.interp(*row) for row in zip(wide, nodes, curves, strict=True)])


def _stripes(measured: NoiseStatistics, wide: Doubles) -> Floats:
    """Strengths of rows and columns at all nodes, C×2×(n + OUTSIDE), held beyond the measured."""
    strengths = [
        [np.interp(places, nodes, strength) for strength in both]
        for places, nodes, both in zip(wide, measured.nodes, measured.stripes, strict=True)
    ]
    return np.array(strengths, np.float32)


def _known(level: Doubles, sure: Doubles) -> float:
    """Weight in [0, 1] of the known cameras: 1 where they are as loud as what is seen.

    Deep data may be far quieter: their levels cannot be told from none among cameras of 8 bits.
    """
    loudness = float((level * sure).sum() / max(sure.sum(), 1e-9))
    return min(1.0, loudness / QUIET) ** 2


def _independent(measured: NoiseStatistics) -> Doubles:
    """C×n, pixels at a node, fewer where noise is correlated (Bartlett, JRSS Suppl. 1946)."""
    coverage = measured.coverage.astype(np.float64)
    alike = (measured.autocorrelation.astype(np.float64) ** 2).sum((1, 2))
    pixels: Doubles = COVERED * coverage / np.maximum(1 - coverage, 1e-6)
    pixels /= np.maximum(alike, 1)[:, None]
    return pixels


def _observed(nodes: Doubles, pixels: Doubles, logs: Doubles, kind: Kind) -> Observed:
    """Measured logarithms of levels, C×n, as an observation of a camera with its error."""
    seen = np.flatnonzero(pixels >= FEWEST)
    channels, count = nodes.shape
    size, units = len(INTENSITIES), np.eye(len(INTENSITIES))
    hats = np.zeros((channels, count, channels, size))
    for c, row in enumerate(nodes):
        hats[c, :, c] = np.stack([np.interp(row, INTENSITIES, unit) for unit in units], 1)
    further = ESTIMATED**2 if kind is Kind.LONE else 0.0
    error = np.diag(0.5 / pixels.ravel()[seen] + MISFIT**2 + further) + OFFSET**2
    return Observed(hats.reshape(channels * count, -1)[seen], logs.ravel()[seen], error)


def _with_outside(nodes: Doubles) -> Doubles:
    """A channel's n nodes and OUTSIDE more around them, down to black and up to white."""
    below, above = max(nodes[0], 0.0), max(1 - nodes[-1], 0.0)
    count = min(max(round(OUTSIDE * below / max(below + above, 1e-9)), 2), OUTSIDE - 2)
    least = 2 * NARROWEST / NEXT
    low = max(below, least) * np.linspace(NEXT, 1, count)
    high = max(above, least) * np.linspace(NEXT, 1, OUTSIDE - count)
    return np.concatenate([nodes[0] - low[::-1], nodes, nodes[-1] + high])


def _inner(nodes: Doubles, wide: Doubles) -> slice:
    """Indices of a channel's measured nodes among all nodes."""
    first = int(np.searchsorted(wide, nodes[0]))
    return slice(first, first + len(nodes))


def _widened(values: NDArray[np.float32], nodes: Doubles, wide: Doubles) -> NDArray[np.float32]:
    """C×n values at all nodes: 0 at those outside."""
    result = np.zeros(wide.shape, np.float32)
    for row, value, own, all_ in zip(result, values, nodes, wide, strict=True):
        row[_inner(own, all_)] = value
    return result


def _read(curves: Doubles, at: Doubles) -> Doubles:
    """Cameras' curves, C×G, at intensities, C×k."""
    rows = zip(at, curves, strict=True)
    return np.stack([np.interp(row, INTENSITIES, curve) for row, curve in rows])


def _through(
    curves: Doubles, measured: Doubles, sure: Doubles, nodes: Doubles, wide: Doubles
) -> Doubles:
    """Cameras' curves, C×G, at all nodes, bent to go through measured ones where these are sure."""
    result, off = _read(curves, wide), measured - _read(curves, nodes)
    for c, row in enumerate(result):
        known = sure[c] >= 0.5
        if known.any():
            away = np.abs(wide[c][:, None] - nodes[c][known]).min(1)
            row += np.interp(wide[c], nodes[c][known], off[c][known]) * np.exp(-away / REACH)
        inner = _inner(nodes[c], wide[c])
        row[inner] += sure[c] * (measured[c] - row[inner])
    return result
