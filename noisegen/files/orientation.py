"""EXIF orientation: reading it, and turning samples upright."""

from __future__ import annotations

import struct
from contextlib import suppress

import numpy as np

from noisegen.files.picture import Samples

UPRIGHT = 1
_ORIENTATION_TAG = 0x0112
_SHORT = 3


def valid_orientation(value: object) -> int:
    """The orientation 1–8 that a tag's value means; anything else means upright, as in viewers."""
    return value if isinstance(value, int) and 1 <= value <= 8 else UPRIGHT


def swaps_sides(orientation: int) -> bool:
    """Whether the upright picture's width is the stored height."""
    return orientation >= 5


def orientation_in_exif(block: bytes | None) -> int:
    """The orientation that an EXIF block states.

    Args:
        block: the EXIF data with or without its ``Exif`` prefix, or None.

    Returns:
        1–8; 1 where the block is missing, states none, or is damaged: cameras write broken
        EXIF, and the picture itself is sound.
    """
    if block is None:
        return UPRIGHT
    tiff = block.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return UPRIGHT
    with suppress(struct.error):
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, start)
        for at in range(start + 2, start + 2 + 12 * entries, 12):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, at)
            if (tag, kind) == (_ORIENTATION_TAG, _SHORT):
                return valid_orientation(value)
    return UPRIGHT


def upright(samples: Samples, orientation: int) -> Samples:
    """Turn stored samples upright.

    Args:
        samples: H×W×S as stored.
        orientation: EXIF's 1–8.

    Returns:
        A view of the samples, H×W×S or W×H×S.
    """
    if swaps_sides(orientation):
        samples = samples.swapaxes(0, 1)
    # Each of the eight is a transposition or none, then a flip of rows, of columns, or of both.
    flip_rows = orientation in (3, 4, 7, 8)
    flip_columns = orientation in (2, 3, 6, 7)
    rows = slice(None, None, -1 if flip_rows else 1)
    columns = slice(None, None, -1 if flip_columns else 1)
    turned: Samples = samples[rows, columns]
    return turned


def packed(samples: Samples) -> Samples:
    """The samples in C order and native byte order, copied only where they are not so yet."""
    return np.ascontiguousarray(samples, dtype=samples.dtype.newbyteorder("="))
