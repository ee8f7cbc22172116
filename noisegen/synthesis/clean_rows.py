"""The clean as the generator reads it, by rows of an array or a file, and whether it fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from noisegen.noise.arrays import Pixels
from noisegen.profiles.profile import NoiseProfile
from noisegen.synthesis.blocks import SIDE, Region
from noisegen.synthesis.levels import CleanError, Extent, Levels, levels_for

_INTEGERS = (np.uint8, np.uint16, np.uint32, np.int16)
BAND_SAMPLES = 2**24
"""Most samples of the rows that are looked at, or generated, at a time."""


def band_rows(width: int, samples: int, tile: int) -> int:
    """Rows of a band: whole blocks, up to the tile's side, of at most BAND_SAMPLES if that is one.

    Args:
        width: of the picture.
        samples: of a pixel.
        tile: side of a tile.
    """
    return max(1, min(tile, BAND_SAMPLES // (width * samples)) // SIDE) * SIDE


class CleanRows(Protocol):
    """A picture H×W×C that is read by rows."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of its samples."""
        ...

    def rows(self, top: int, bottom: int) -> Pixels:
        """Rows top to bottom − 1, h×W×C."""
        ...


class ArrayRows:
    """A picture that is in memory.

    Args:
        pixels: H×W×C.
    """

    def __init__(self, pixels: Pixels) -> None:
        self._pixels = pixels

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        height, width, channels = self._pixels.shape
        return height, width, channels

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of its samples."""
        return self._pixels.dtype

    def rows(self, top: int, bottom: int) -> Pixels:
        """A view of rows top to bottom − 1."""
        return self._pixels[top:bottom]


class HeldRows:
    """Keeps the rows last read: the tiles that lie side by side ask for the same ones.

    Args:
        clean: that they are read from.
    """

    def __init__(self, clean: CleanRows) -> None:
        self._clean = clean
        self._top = 0
        self._held: Pixels | None = None

    @property
    def area(self) -> Region:
        """The whole picture."""
        height, width, _ = self._clean.shape
        return Region(0, 0, height, width)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of its samples."""
        return self._clean.dtype

    def part(self, region: Region) -> Pixels:
        """A region inside the picture, h×w×C."""
        held = self._held
        if held is None or region.y < self._top or region.bottom > self._top + held.shape[0]:
            self._held = None
            held = self._held = self._clean.rows(region.y, region.bottom)
            self._top = region.y
        return held[region.y - self._top : region.bottom - self._top, region.x : region.right]


def checked_levels(
    planes: Sequence[CleanRows], profile: NoiseProfile, white_level: float | None
) -> Levels:
    """Levels of the planes of one picture, once they are known to fit the profile.

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
        raise CleanError(f"has {dtype} pixels; give uint8, uint16, uint32, int16 or float")
    levels = _whatever_it_holds(dtype, profile, white_level)
    return levels or levels_for(dtype, extent_of(planes), profile, white_level)


def _whatever_it_holds(
    dtype: np.dtype[Any], profile: NoiseProfile, white_level: float | None
) -> Levels | None:
    """Levels of a clean whose type holds nothing that does not fit: it need not be read."""
    if dtype.kind == "f":
        return None
    ends = np.iinfo(dtype)
    try:
        levels = levels_for(dtype, Extent(ends.min, ends.max, True), profile, white_level)
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
        need = kinds[profile.channels]
        if channels not in kinds:
            raise CleanError(
                f"has {channels} channels, but profile {profile.name} is {need}; give H×W for "
                "gray, H×W×3 for RGB"
            )
        raise CleanError(
            f"is {kinds[channels]}, but profile {profile.name} is {need}; give {need} pictures, or "
            f"a profile from {kinds[channels]} references"
        )
