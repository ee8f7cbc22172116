"""The clean as the generator reads it: by rows, from an array or from a file as it goes."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from noisegen.synthesis.blocks import SIDE, Region

Pixels = NDArray[Any]

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
        """Of its samples."""
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
        """Of its samples."""
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
        """Of its samples."""
        return self._clean.dtype

    def part(self, region: Region) -> Pixels:
        """A region inside the picture, h×w×C."""
        held = self._held
        if held is None or region.y < self._top or region.bottom > self._top + held.shape[0]:
            self._held = None
            held = self._held = self._clean.rows(region.y, region.bottom)
            self._top = region.y
        return held[region.y - self._top : region.bottom - self._top, region.x : region.right]
