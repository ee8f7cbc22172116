"""Integer samples ↔ float planes, scaled by a white level."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from noisegen.files.picture import DEPTHS, Pixels

WHITE_LEVELS_16 = (1023, 4095, 16383, 65535)
"""White levels of sensors whose samples come in 16 bits: 10, 12, 14 and all 16 bits."""


def default_white_level(dtype: DTypeLike) -> int:
    """The largest value of a sample type: 255 or 65535.

    Raises:
        ValueError: the type is neither uint8 nor uint16.
    """
    sample_type = np.dtype(dtype)
    if sample_type not in DEPTHS:
        raise ValueError(f"samples must be uint8 or uint16, not {sample_type}")
    return int(np.iinfo(sample_type).max)


def white_level_of(arrays: Iterable[Pixels]) -> int:
    """The white level that samples show: 12-bit data in 16-bit files is the rule in microscopy.

    Args:
        arrays: samples of any shape, all of one dtype.

    Returns:
        255 for uint8; for uint16 the smallest of :data:`WHITE_LEVELS_16` that no sample passes.

    Raises:
        ValueError: no array, types that differ, or a type that is neither uint8 nor uint16.
    """
    largest: dict[np.dtype[Any], int] = {}
    for array in arrays:
        largest[array.dtype] = max(largest.get(array.dtype, 0), int(array.max(initial=0)))
    if len(largest) != 1:
        raise ValueError(f"need samples of one type to find a white level, not {list(largest)}")
    ((dtype, value),) = largest.items()
    if default_white_level(dtype) == 255:
        return 255
    return next(level for level in WHITE_LEVELS_16 if level >= value)


def level_words(level: float, dtype: str, source: str) -> str:
    """A white level for people: ``12 bits (white 4095, found)``, or ``white 1000 (given)``.

    Args:
        level: above 0.
        dtype: name of the sample type; of floats no number of bits is said.
        source: where the level is from: ``found``, ``given`` or the like.
    """
    bits = int(level).bit_length()
    if np.dtype(dtype).kind == "f" or level != 2**bits - 1:
        return f"white {level:g} ({source})"
    return f"{bits} bits (white {level:.0f}, {source})"


def to_float(pixels: Pixels, white_level: float) -> NDArray[np.float32]:
    """Scale samples to the white level.

    Args:
        pixels: integers or floats of any shape.
        white_level: the value that becomes 1, above 0.

    Returns:
        float32 of the same shape; above 1 where samples pass the white level.

    Raises:
        ValueError: the white level is not a positive number.
    """
    _check_white_level(white_level)
    scaled: NDArray[np.float32] = pixels.astype(np.float32)
    scaled /= np.float32(white_level)
    return scaled


def quantise(
    values: NDArray[np.float32], white_level: float, dtype: DTypeLike
) -> NDArray[np.unsignedinteger[Any]]:
    """Scale values back to integers, rounded half to even and clipped to [0, white_level].

    Args:
        values: floats of any shape, 1 meaning the white level.
        white_level: the value that 1 becomes, at most the dtype's largest.
        dtype: uint8 or uint16.

    Returns:
        Integers of the same shape.

    Raises:
        ValueError: a value is not finite (a cast would turn NaN into 0 without a word), or the
            white level or dtype is not valid.
    """
    _check_white_level(white_level)
    if white_level > default_white_level(dtype):
        raise ValueError(f"white level {white_level} does not fit {np.dtype(dtype)}")
    if not np.isfinite(values).all():
        raise ValueError("cannot quantise values that are not finite (NaN or infinite)")
    scaled = np.clip(values, 0, 1)
    scaled *= np.float32(white_level)
    np.rint(scaled, out=scaled)
    # A fractional white level may have been rounded up.
    np.minimum(scaled, np.floor(white_level), out=scaled)
    return scaled.astype(dtype)


def _check_white_level(white_level: float) -> None:
    if not 0 < white_level < np.inf:
        raise ValueError(f"the white level must be a positive number, not {white_level}")
