"""What a TIFF of many planes declares of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from noisegen.files.stack_planes import Plane


@dataclass(frozen=True)
class VolumeHeader:
    """What a file declares of its pages, which are all alike; nothing is decoded.

    Attributes:
        pages: how many are read; thumbnails are none.
        height: rows of each, upright.
        width: columns of each, upright.
        samples: of a pixel: the channels of its planes, and alpha where there is one.
        dtype: uint8, uint16, uint32, float16, float32 or float64.
        planes: in the file's order; ``Plane.page`` counts from 0 to ``pages`` − 1.
        channels: names of the channels; one, empty, where all planes are of one kind.
        copyable: whether the file itself holds exactly these pixels, losslessly and upright.
    """

    pages: int
    height: int
    width: int
    samples: int
    dtype: np.dtype[Any]
    planes: tuple[Plane, ...]
    channels: tuple[str, ...]
    copyable: bool

    @property
    def plane_channels(self) -> int:
        """1 where the planes are gray, 3 where they are RGB."""
        return self.planes[0].channels

    @property
    def pixels(self) -> int:
        """Of all planes together."""
        return self.height * self.width * len(self.planes)
