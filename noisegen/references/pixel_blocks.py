"""A picture cut into small blocks, in steps of 8 bits, and what is seen in blocks and windows.

What a reference is recognised by shows in small places; a few thousand of them, evenly spread,
stand for a picture of any size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from noisegen.model.config import WINDOW
from noisegen.noise.arrays import Doubles, Floats, Pixels
from noisegen.noise.windows import cut, spread_evenly

SIDE = 8
"""Of a block: that of JPEG's."""

SURFACE_ORDER = 4
"""A smooth surface has 4 × 4 cosine terms: it follows shading, not grain."""

AT_ONCE = 256
"""Windows whose neighbours in brightness are looked at together."""

MOST_BLOCKS = 16384
"""Looked at of one picture (1 Mpx)."""


def spread_blocks(
    picture: Pixels,
    white_level: float,
    corner: tuple[int, int] = (0, 0),
    side: int = SIDE,
    most: int = MOST_BLOCKS,
) -> Floats:
    """Whole blocks of a picture in reading order, evenly spread over it.

    Args:
        picture: H×W×C, integers up to the white level, or floats.
        white_level: that becomes 255.
        corner: row and column where the first block begins.
        side: of a block.
        most: blocks to take.

    Returns:
        N×C×side×side in [0, 255].
    """
    down, across = corner
    rows, columns = (picture.shape[0] - down) // side, (picture.shape[1] - across) // side
    blocks = cut(picture[down:, across:], side, spread_evenly(rows * columns, most))
    return blocks.astype(np.float32) * np.float32(255 / white_level)


def clipped_share(blocks: Floats) -> Floats:
    """Share of black and saturated samples of each N×C×h×w block; below black is neither."""
    return np.asarray(((blocks == 0) | (blocks >= 255)).mean((1, 2, 3), dtype=np.float32))


def tiles(windows: Floats, side: int) -> Floats:
    """N×C×n×n → windows of side×side, those of each window in reading order."""
    count = windows.shape[-1] // side
    split = windows.reshape(*windows.shape[:2], count, side, count, side)
    return split.transpose(0, 2, 4, 1, 3, 5).reshape(-1, windows.shape[1], side, side)


def pooled(pictures: NDArray[Any], side: int) -> NDArray[Any]:
    """Means of the whole side×side squares of …×h×w pictures."""
    rows, columns = (length // side for length in pictures.shape[-2:])
    whole = pictures[..., : rows * side, : columns * side]
    # Whole lines are added up, and what little is left along them: three times as quick.
    lines = whole.reshape(*whole.shape[:-2], rows, side, columns * side).mean(-2)
    return np.asarray(lines.reshape(*lines.shape[:-1], columns, side).mean(-1))


def taper(height: int, width: int) -> Doubles:
    """A Hann window without its noughts, h×w, so that a spectrum's borders do not count."""
    return np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])


def cosines(count: int, length: int) -> Floats:
    """count×length orthonormal cosines of lowest frequency."""
    basis = np.cos(np.pi * np.arange(count)[:, None] * (np.arange(length) + 0.5) / length)
    return np.asarray(basis / np.sqrt((basis**2).sum(1, keepdims=True)), np.float32)


def cosine_transform(blocks: Floats) -> Floats:
    """Orthonormal cosine coefficients of …×8×8 blocks."""
    basis = cosines(SIDE, SIDE)
    return np.asarray(basis @ blocks @ basis.T)


def fit_surfaces(windows: Floats) -> Floats:
    """Least-squares smooth surface of each N×C×32×32 window: it takes few degrees of freedom."""
    basis = cosines(SURFACE_ORDER, WINDOW)
    projector = basis.T @ basis
    return projector @ windows @ projector


def of_similar(
    values: NDArray[Any],
    brightness: Floats,
    count: int,
    statistic: Callable[[NDArray[Any]], NDArray[Any]],
) -> NDArray[Any]:
    """A statistic of each window's value with those of the windows nearest to it in brightness.

    Args:
        values: N, one a window.
        brightness: N.
        count: of the windows, itself included; all N where there are fewer.
        statistic: of the values in each row of k×count.

    Returns:
        N, of the values' type.
    """
    if not len(values):
        return values
    order, count = np.argsort(brightness, kind="stable"), max(1, min(count, len(values)))
    near = sliding_window_view(values[order], count)
    found = [statistic(near[first : first + AT_ONCE]) for first in range(0, len(near), AT_ONCE)]
    start = np.clip(np.arange(len(order)) - count // 2, 0, len(order) - count)
    result = np.empty_like(values)
    result[order] = np.concatenate(found)[start]
    return result


def roughness(blocks: Floats) -> Floats:
    """Variance of each N×C×8×8 block about its own plane, mean over channels.

    White noise of variance v gives v; slow shading gives nothing.
    """
    energy = cosine_transform(blocks) ** 2
    plane = energy[..., 0, 0] + energy[..., 0, 1] + energy[..., 1, 0]
    return np.asarray((energy.sum((2, 3)) - plane).mean(1) / (SIDE * SIDE - 3))
