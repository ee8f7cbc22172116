"""What each format's module tells of a file before decoding, and how large that may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from noisegen.files.picture import DEPTHS

MAX_SAMPLES = 2**31
"""Most samples (width × height × samples of a pixel) of one picture: 715 megapixels of RGB."""

MAX_SAMPLES_PER_BYTE = 4096
"""Most samples a byte of the file may stand for, once there are more than :data:`FREE_SAMPLES`.

Deflate, the densest common compression, cannot pass 1,032 bytes a byte."""

FREE_SAMPLES = 2**28
"""Pictures up to this many samples are decoded however small their file is: a plain surface
compresses without bound in some formats, and this much memory does no harm. TIFFs beyond it are
read by rows."""


class RefusedError(Exception):
    """A file that is not read: the reason and the way out, as a clause without a full stop.

    It never leaves this folder: ``one_error`` turns it into an ``ImageError`` that names the file.
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
    dtype: np.dtype[Any] = DEPTHS[0]
    """uint8 or uint16, after fewer bits are expanded."""
    icc: bytes | None = None
    orientation: int = 1
    """EXIF's 1–8: 1 is upright."""
    verbatim: bool = False
    """Whether the file holds these samples losslessly and as they are: nothing to expand,
    invert, look up or rearrange but the orientation."""

    @property
    def samples(self) -> int:
        """Samples of a pixel: the channels, and alpha where there is one."""
        return self.channels + self.has_alpha


def check_declared_size(
    width: int, height: int, samples: int, file_size: int, *, by_rows: bool = False
) -> None:
    """Refuse a picture that is empty, too large, or absurdly large for its file.

    Args:
        width: declared columns.
        height: declared rows.
        samples: samples of a pixel.
        file_size: bytes of the whole file.
        by_rows: it is never in memory as a whole, so that only its file limits its size.

    Raises:
        RefusedError: the declared size is outside the limits.
    """
    if width < 1 or height < 1:
        raise RefusedError(f"declares an empty picture of {width}×{height} pixels")
    total = width * height * samples
    declared = f"declares {width}×{height} pixels of {samples} samples"
    if total > MAX_SAMPLES and not by_rows:
        raise RefusedError(
            f"{declared}, more than the limit of {MAX_SAMPLES} samples: cut it into smaller images"
        )
    if total > FREE_SAMPLES and total > MAX_SAMPLES_PER_BYTE * file_size:
        raise RefusedError(
            f"{declared} in a file of {file_size} bytes, which cannot hold them: "
            "the file is damaged or made to exhaust memory"
        )
