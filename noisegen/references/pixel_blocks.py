"""A picture cut into small blocks, in steps of 8 bits, and their cosine transform.

What a reference is recognised by shows in small places; a few thousand of them, evenly spread,
stand for a picture of any size.
"""

from __future__ import annotations

import numpy as np

from noisegen.noise.arrays import Floats, Pixels

SIDE = 8
"""Of a block: that of JPEG's."""

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
    split = trimmed.reshape(rows, side, columns, side, -1).transpose(0, 2, 4, 1, 3)
    count = rows * columns
    taken = np.linspace(0, count - 1, min(count, most)).round().astype(int)
    blocks: Floats = split[np.divmod(taken, columns)].astype(np.float32)
    return blocks * np.float32(255 / white_level)


def clipped_share(blocks: Floats) -> Floats:
    """Share of black and saturated samples of each N×C×h×w block; below black is neither."""
    ends: Floats = ((blocks == 0) | (blocks >= 255)).mean((1, 2, 3), dtype=np.float32)
    return ends


def cosine_transform(blocks: Floats) -> Floats:
    """Orthonormal cosine coefficients of …×8×8 blocks."""
    order = np.arange(SIDE)[:, None]
    basis = np.cos(np.pi * order * (np.arange(SIDE) + 0.5) / SIDE)
    basis = (basis / np.sqrt((basis**2).sum(1, keepdims=True))).astype(np.float32)
    coefficients: Floats = basis @ blocks @ basis.T
    return coefficients


def roughness(blocks: Floats) -> Floats:
    """Variance of each N×C×8×8 block about its own plane, mean over channels.

    White noise of variance v gives v; slow shading gives nothing.
    """
    energy = cosine_transform(blocks) ** 2
    plane = energy[..., 0, 0] + energy[..., 0, 1] + energy[..., 1, 0]
    rough: Floats = (energy.sum((2, 3)) - plane).mean(1) / (SIDE * SIDE - 3)
    return rough
