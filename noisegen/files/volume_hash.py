"""The hash of a volume's samples, which come in bands."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[Any]


class VolumeHash:
    """SHA-256 of samples that come in bands, equal on every platform.

    That of one page equals :func:`noisegen.files.picture.pixel_hash` of the same picture: it
    covers type, shape (pages × H × W × S where there are several pages) and the samples as
    little-endian bytes.

    Args:
        pages: how many.
        height: of each.
        width: of each.
        samples: of a pixel, with alpha.
        dtype: of the samples.
    """

    def __init__(
        self, pages: int, height: int, width: int, samples: int, dtype: np.dtype[Any]
    ) -> None:
        shape = (height, width, samples) if pages == 1 else (pages, height, width, samples)
        self._digest = hashlib.sha256(f"{dtype.name} {shape}\n".encode())
        self._dtype = dtype.newbyteorder("<")

    def update(self, rows: Samples) -> None:
        """Adds the next rows, h×W×S."""
        self._digest.update(np.ascontiguousarray(rows, self._dtype).data)

    def hexdigest(self) -> str:
        """64 hexadecimal digits."""
        return self._digest.hexdigest()
