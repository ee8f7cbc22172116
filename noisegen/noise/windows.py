"""A camera's noise cut into 32×32 windows, on the 8×8 grid of the picture's corner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisegen.model.config import WINDOW
from noisegen.noise.arrays import Floats, Places
from noisegen.noise.record import Recording, widest

BLOCK = 4
"""Side, in windows, of the blocks of neighbours that large references are thinned out by."""


@dataclass(frozen=True)
class Windows:
    """Windows of one or more references; units of the white level.

    Attributes:
        residual: N×C×32×32 float32, noisy − clean.
        clean: N×C×32×32 float32.
        estimated: the clean was estimated from the noisy picture alone.
        made_up: share of the noise's power that no residual shows, where the clean was estimated.
        averaged: the clean is made of recorded, so of clipped shots: its residual has no mean.
        recording: how the noisy pictures were clipped and rounded.
        places: N×3, picture, row and column of each window in the pictures' grid of windows.
    """

    residual: Floats
    clean: Floats
    estimated: bool
    recording: Recording
    places: Places
    averaged: bool = False
    made_up: float = 0.0

    def __len__(self) -> int:
        return len(self.residual)

    @property
    def unclipped(self) -> NDArray[np.bool_]:
        """N×C×32×32, where the noisy pictures lie between the ends of what is recorded."""
        noisy = self.clean + self.residual
        low, high = (x.reshape(1, -1, 1, 1) for x in (self.recording.low, self.recording.high))
        return np.asarray((noisy > low + 1e-6) & (noisy < high - 1e-6))

    def take(self, count: int) -> Windows:
        """Take at most ``count`` windows, evenly spread."""
        if len(self) <= count:
            return self
        return self.where(spread_evenly(len(self), count))

    def take_blocks(self, count: int) -> Windows:
        """About ``count`` windows in blocks of BLOCK×BLOCK neighbours, evenly spread."""
        if len(self) <= count:
            return self
        _, block = np.unique(self.places // [1, BLOCK, BLOCK], axis=0, return_inverse=True)
        block = block.ravel()
        blocks = int(block.max()) + 1
        wanted = max(1, round(blocks * count / len(self)))
        return self.where(np.isin(block, spread_evenly(blocks, wanted)))

    def chessboard(self) -> NDArray[np.bool_]:
        """N, half of the windows: black squares of a chess board, of several neighbours each."""
        for side in (BLOCK, 1):
            square = self.places[:, 1:] // side
            black = (square.sum(1) + self.places[:, 0]) % 2 == 1
            if 0.25 <= black.mean() <= 0.75:
                return np.asarray(black, np.bool_)
        return np.asarray(np.arange(len(self)) % 2 == 1, np.bool_)

    def where(self, index: NDArray[np.integer[Any]] | NDArray[np.bool_]) -> Windows:
        """The windows of an index or mask."""
        return replace(
            self,
            residual=self.residual[index],
            clean=self.clean[index],
            places=self.places[index],
        )


def spread_evenly(count: int, most: int) -> NDArray[np.int_]:
    """Places of at most so many of ``count`` things, evenly spread, the first and last included."""
    return np.linspace(0, count - 1, min(count, most)).round().astype(int)


def cut(
    image: NDArray[Any], side: int = WINDOW, index: NDArray[np.integer[Any]] | None = None
) -> NDArray[Any]:
    """Cut whole squares out of a picture, H×W×C → N×C×side×side, in reading order.

    Args:
        image: the picture.
        side: of the squares.
        index: numbers of those that are wanted; all where left out.
    """
    height, width, channels = image.shape
    rows, columns = height // side, width // side
    trimmed = image[: rows * side, : columns * side]
    split = trimmed.reshape(rows, side, columns, side, channels).transpose(0, 2, 4, 1, 3)
    if index is not None:
        return np.asarray(split[np.divmod(index, columns)])
    return np.ascontiguousarray(split.reshape(-1, channels, side, side))


def put_together(windows: Floats, image: Floats) -> Floats:
    """A picture like ``image``, H×W×C, whose whole windows are replaced by these of :func:`cut`."""
    rows, columns = (side // WINDOW for side in image.shape[:2])
    split = windows.reshape(rows, columns, -1, WINDOW, WINDOW).transpose(0, 3, 1, 4, 2)
    result = image.copy()
    result[: rows * WINDOW, : columns * WINDOW] = split.reshape(rows * WINDOW, columns * WINDOW, -1)
    return result


def cut_places(height: int, width: int) -> Places:
    """N×3: picture 0, row and column of every window that :func:`cut` makes of a picture."""
    rows, columns = np.mgrid[: height // WINDOW, : width // WINDOW]
    return np.stack([np.zeros_like(rows), rows, columns], -1).reshape(-1, 3)


def join(parts: Sequence[Windows]) -> Windows:
    """Join the windows of several references; estimated if any of them is."""
    places, pictures = [], 0
    for part in parts:
        places.append(part.places + np.array([pictures, 0, 0]))
        pictures += int(part.places[:, 0].max(initial=-1)) + 1
    return Windows(
        np.concatenate([part.residual for part in parts]),
        np.concatenate([part.clean for part in parts]),
        any(part.estimated for part in parts),
        widest([part.recording for part in parts]),
        np.concatenate(places),
        any(part.averaged for part in parts),
        max(part.made_up for part in parts),
    )
