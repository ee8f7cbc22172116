"""A picture cut into small blocks, in steps of 8 bits, and what is seen in blocks and windows.

What a reference is recognised by shows in small places; a few thousand of them, evenly spread,
stand for a picture of any size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisegen.model.config import WINDOW
from noisegen.noise.arrays import Doubles, Floats, Pixels
from noisegen.noise.windows import spread_evenly

SIDE = 8
"""Of a block: that of JPEG's."""

SURFACE_ORDER = 4
"""A smooth surface has 4 × 4 cosine terms: it follows shading, not grain."""

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
    trimmed = picture[down : down + rows * side, across : across + columns * side]
    # The channels are named, for a picture of less than a block leaves nothing to derive them from.
    split = trimmed.reshape(rows, side, columns, side, picture.shape[2]).transpose(0, 2, 4, 1, 3)
    blocks: Floats = split[np.divmod(spread_evenly(rows * columns, most), columns)].astype(
        np.float32
    )
    return blocks * np.float32(255 / white_level)


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
    return np.asarray(whole.reshape(*whole.shape[:-2], rows, side, columns, side).mean((-3, -1)))


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
    values: NDArray[Any], brightness: Floats, count: int, statistic: Callable[[NDArray[Any]], float]
) -> NDArray[Any]:
    """A statistic of each window's value with those of the windows nearest to it in brightness.

    Args:
        values: N, one a window.
        brightness: N.
        count: of the windows, itself included; all N where there are fewer.
        statistic: of their values.

    Returns:
        N, of the values' type.
    """
    order = np.argsort(brightness, kind="stable")
    ranked, count = values[order], max(1, min(count, len(order)))
    result = np.empty_like(values)
    for rank, window in enumerate(order):
        start = max(0, min(rank - count // 2, len(order) - count))
        result[window] = statistic(ranked[start : start + count])
    return result


def roughness(blocks: Floats) -> Floats:
    """Variance of each N×C×8×8 block about its own plane, mean over channels.

    White noise of variance v gives v; slow shading gives nothing.
    """
    energy = cosine_transform(blocks) ** 2
    plane = energy[..., 0, 0] + energy[..., 0, 1] + energy[..., 1, 0]
    return np.asarray((energy.sum((2, 3)) - plane).mean(1) / (SIDE * SIDE - 3))
