"""What each format's module tells about a file, before orientation is applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


class RefusedError(Exception):
    """A file that is not read: the reason and the way out, as a clause without a full stop.

    It never leaves this folder: ``read`` turns it into an ``ImageError`` that names the file.
    """


@dataclass(frozen=True)
class Description:
    """What a file declares of the picture that it holds, as it is stored."""

    width: int
    """Columns as stored."""
    height: int
    """Rows as stored."""
    channels: int
    """1 for gray, 3 for RGB, after palettes are expanded."""
    has_alpha: bool
    dtype: np.dtype[Any]
    """uint8 or uint16, after fewer bits are expanded."""
    icc: bytes | None
    orientation: int
    """EXIF's 1–8: 1 is upright."""
    verbatim: bool
    """Whether the file holds these samples losslessly and as they are: nothing to expand,
    invert, look up or rearrange but the orientation."""

    @property
    def samples(self) -> int:
        """Samples of a pixel: the channels, and alpha where there is one."""
        return self.channels + self.has_alpha
