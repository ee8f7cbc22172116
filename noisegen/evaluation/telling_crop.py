"""The part of a picture that tells most of its noise: hardly clipped, and of many intensities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SIDE = 192
"""Side of the crop in pixels; a smaller picture gives all it has."""

BLOCK = 8
STRIDE = 4
"""Blocks between one crop and the next that is tried."""

CLIPPED_MORE = 0.01
"""Share of clipped pixels beyond the least that a crop may have."""


def telling_crop(noisy: Floats) -> tuple[slice, slice]:
    """Rows and columns of the most varied crop among the least clipped, on the 8×8 grid.

    Args:
        noisy: H×W×C in units of the white level, H and W 8 or more.
    """
    clipped = _blocks(((noisy <= 0) | (noisy >= 1)).mean(2))
    # Means of 64 pixels: what varies is the picture, not its noise.
    light = _blocks(noisy.mean(2))
    height, width = (min(SIDE // BLOCK, blocks) for blocks in light.shape)
    share, mean, square = (
        np.lib.stride_tricks.sliding_window_view(values, (height, width))[::STRIDE, ::STRIDE].mean(
            (2, 3)
        )
        for values in (clipped, light, light**2)
    )
    varied = np.where(share <= share.min() + CLIPPED_MORE, square - mean**2, -np.inf)
    row, column = np.unravel_index(int(varied.argmax()), varied.shape)
    top, left = int(row) * STRIDE * BLOCK, int(column) * STRIDE * BLOCK
    return slice(top, top + height * BLOCK), slice(left, left + width * BLOCK)


def _blocks(plane: Floats) -> NDArray[np.float64]:
    """H×W → means of whole 8×8 blocks."""
    rows, columns = plane.shape[0] // BLOCK, plane.shape[1] // BLOCK
    whole = plane[: rows * BLOCK, : columns * BLOCK].astype(np.float64)
    means: NDArray[np.float64] = whole.reshape(rows, BLOCK, columns, BLOCK).mean((1, 3))
    return means
