"""Whether a profile's noise can be put on a clean picture, and what its counts mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from noisegen.profiles.profile import NoiseProfile
from noisegen.synthesis.clean_rows import BAND_SAMPLES, CleanRows
from noisegen.synthesis.levels import CleanError as CleanError
from noisegen.synthesis.levels import Extent, Levels, levels_for

_INTEGERS = (np.uint8, np.uint16, np.uint32)


def checked_levels(
    planes: Sequence[CleanRows], profile: NoiseProfile, white_level: float | None
) -> Levels:
    """How the planes of one picture are taken, once they are known to fit the profile.

    Args:
        planes: of one type; all their rows are read, unless their type holds nothing that does not
            fit.
        profile: the noise.
        white_level: of the clean, as the user says; None to go by profile and type.

    Raises:
        CleanError: gray against RGB, a type that is not supported, NaN, values below black or above
            white, or a level that contradicts the profile's.
    """
    dtype = planes[0].dtype
    for plane in planes:
        _check_channels(plane.shape[2], profile)
    if dtype.kind != "f" and dtype not in _INTEGERS:
        raise CleanError(f"has {dtype} pixels; give 8, 16 or 32 bits, or float")
    levels = _whatever_it_holds(dtype, profile, white_level)
    return levels or levels_for(dtype, extent_of(planes), profile, white_level)


def _whatever_it_holds(
    dtype: np.dtype[Any], profile: NoiseProfile, white_level: float | None
) -> Levels | None:
    """How a clean is taken whose type holds nothing that does not fit: it need not be read."""
    if dtype.kind == "f":
        return None
    try:
        levels = levels_for(dtype, Extent(0, np.iinfo(dtype).max, True), profile, white_level)
    except CleanError:
        return None
    return None if levels.brighter else levels


def extent_of(planes: Sequence[CleanRows]) -> Extent:
    """The values of planes, all rows of which are read.

    Raises:
        CleanError: they hold NaN or infinite values.
    """
    found = Extent(np.inf, -np.inf, True)
    for plane in planes:
        height, width, channels = plane.shape
        step = max(1, BAND_SAMPLES // max(1, width * channels))
        for top in range(0, height if width else 0, step):
            rows = plane.rows(top, min(top + step, height))
            low, high = float(rows.min()), float(rows.max())
            if not (np.isfinite(low) and np.isfinite(high)):
                raise CleanError("holds NaN or infinite values; repair it")
            whole = rows.dtype.kind != "f" or (found.whole and not (rows % 1).any())
            found = found.joined(Extent(low, high, whole))
    return found


def _check_channels(channels: int, profile: NoiseProfile) -> None:
    if channels != profile.channels:
        kinds = {1: "gray", 3: "RGB"}
        have, need = kinds.get(channels, f"{channels} channels"), kinds[profile.channels]
        raise CleanError(
            f"is {have}, but profile {profile.name} is {need}; give {need} pictures, or a profile "
            f"from {have} references"
        )
