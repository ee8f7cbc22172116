"""Whether a profile's noise can be put on a clean picture, and what counts as white in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from noisegen.errors import NoisegenError
from noisegen.images import default_white_level
from noisegen.references.profile import NoiseProfile
from noisegen.synthesis.clean_rows import BAND_SAMPLES, CleanRows

_INTEGERS = (np.uint8, np.uint16, np.uint32)


class CleanError(NoisegenError):
    """A clean picture that this profile's noise cannot be put on."""


def checked_white(clean: CleanRows, profile: NoiseProfile, white_level: float | None) -> float:
    """The clean's white level, once the clean is known to fit the profile.

    Args:
        clean: all its rows are read, unless its type holds nothing that does not fit.
        profile: the noise.
        white_level: of the clean, as the user says; None to find it.

    Raises:
        CleanError: gray against RGB, a type that is not supported, NaN, or samples below 0 or above
            the white level.
    """
    _check_channels(clean.shape[2], profile)
    is_float = clean.dtype.kind == "f"
    if not is_float and clean.dtype not in _INTEGERS:
        raise CleanError(f"has {clean.dtype} pixels; give 8, 16 or 32 bits, or float")
    white = white_level or _default_white(clean.dtype, profile)
    if is_float or white < np.iinfo(clean.dtype).max:
        _check_range(clean, white)
    return white


def _check_channels(channels: int, profile: NoiseProfile) -> None:
    if channels != profile.channels:
        kinds = {1: "gray", 3: "RGB"}
        have, need = kinds.get(channels, f"{channels} channels"), kinds[profile.channels]
        raise CleanError(
            f"is {have}, but profile {profile.name} is {need}; give {need} pictures, or a profile "
            f"from {have} references"
        )


def _default_white(dtype: np.dtype[Any], profile: NoiseProfile) -> float:
    if dtype.kind == "f":
        return profile.white_level if np.dtype(profile.dtype).kind == "f" else 1.0
    if dtype == np.uint32:
        # References of 32 bits count as 16 bits, which they must fit into.
        if profile.dtype == "uint16":
            return profile.white_level
        raise CleanError(
            f"has 32-bit pixels, and profile {profile.name} does not say what is white in them; "
            "give it (--white-level)"
        )
    if dtype.name == profile.dtype:
        return profile.white_level
    return float(default_white_level(dtype))


def _check_range(clean: CleanRows, white: float) -> None:
    height, width, channels = clean.shape
    step = max(1, BAND_SAMPLES // max(1, width * channels))
    lowest, highest = np.inf, -np.inf
    for top in range(0, height if width else 0, step):
        rows = clean.rows(top, min(top + step, height))
        low, high = float(rows.min()), float(rows.max())
        if not (np.isfinite(low) and np.isfinite(high)):
            raise CleanError("holds NaN or infinite values; repair it")
        lowest, highest = min(lowest, low), max(highest, high)
    if lowest < 0:
        raise CleanError(
            f"has values below 0, down to {lowest:g}; add a constant that lifts them above it"
        )
    if highest > white:
        raise CleanError(
            f"has values from {lowest:g} to {highest:g}, outside [0, {white:g}]; give its white "
            "level (--white-level)"
        )
