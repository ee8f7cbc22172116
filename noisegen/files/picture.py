"""A decoded picture, what is known of it before decoding, and the hash of its pixels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[Any]
"""Samples of any type that is read, most often H×W×C."""

Pixels: TypeAlias = NDArray[np.unsignedinteger[Any]]
"""Integer samples of dtype uint8 or uint16."""

DEPTHS = (np.dtype(np.uint8), np.dtype(np.uint16))
"""The sample types that a picture may have."""


class Container(str, Enum):
    """The file formats that are read."""

    PNG = "png"
    JPEG = "jpeg"
    TIFF = "tiff"
    WEBP = "webp"
    BMP = "bmp"
    GIF = "gif"
    PNM = "pnm"
    AVIF = "avif"
    HEIF = "heif"
    JPEG_XL = "jpeg xl"
    JPEG_2000 = "jpeg 2000"
    RAW = "camera raw"


@dataclass(frozen=True)
class Header:
    """What a file declares of its picture, known without decoding it."""

    width: int
    """Columns of the upright picture."""
    height: int
    """Rows of the upright picture."""
    channels: int
    """1 for gray, 3 for RGB; alpha does not count."""
    has_alpha: bool
    dtype: np.dtype[Any]
    """uint8 or uint16."""
    container: Container
    remarks: tuple[str, ...] = ()
    """What there is to tell of it beside its pixels, as clauses."""

    @property
    def plane_channels(self) -> int:
        """Channels, by the name that they have in ``VolumeHeader``."""
        return self.channels


@dataclass(frozen=True, eq=False)
class Picture:
    """The pixels of one file, upright, at the file's own depth.

    Raises:
        ValueError: the arrays do not fit each other or this description.
    """

    pixels: Pixels
    """H×W×C, C = 1 (gray) or 3 (RGB)."""
    alpha: Pixels | None
    """H×W of the pixels' dtype, not multiplied into them; None where the file has none."""
    icc: bytes | None
    """The embedded colour profile, byte for byte."""
    container: Container
    """The format of the file that the picture came from."""
    copyable: bool
    """Whether the file itself holds exactly these pixels losslessly in this very layout."""

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] not in (1, 3) or 0 in self.pixels.shape:
            raise ValueError(f"pixels must be H×W×1 or H×W×3, not {self.pixels.shape}")
        if self.pixels.dtype not in DEPTHS:
            raise ValueError(f"pixels must be uint8 or uint16, not {self.pixels.dtype}")
        if self.alpha is not None and (
            self.alpha.shape != self.pixels.shape[:2] or self.alpha.dtype != self.pixels.dtype
        ):
            raise ValueError(
                f"alpha {self.alpha.dtype} {self.alpha.shape} does not fit "
                f"pixels {self.pixels.dtype} {self.pixels.shape}"
            )

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])

    @property
    def channels(self) -> int:
        """1 for gray, 3 for RGB."""
        return int(self.pixels.shape[2])

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8 or uint16."""
        return self.pixels.dtype


def stretched(samples: Pixels, bits: int) -> Pixels:
    """Samples of so many bits over the whole range of their type, so that white is its largest."""
    most, white = np.iinfo(samples.dtype).max, 2**bits - 1
    if white == most:
        return samples
    whole: Pixels = (samples.astype(np.uint32) * most + white // 2) // white
    return whole.astype(samples.dtype)


def with_alpha(picture: Picture) -> Pixels:
    """The samples as files store them: H×W×C, or H×W×(C+1) with alpha last."""
    if picture.alpha is None:
        # NumPy lets an axis of length 1 have any stride; imagecodecs wants the usual one.
        return np.ascontiguousarray(picture.pixels).reshape(-1).reshape(picture.pixels.shape)
    return np.concatenate([picture.pixels, picture.alpha[:, :, None]], axis=2)


class PixelHash:
    """SHA-256 of samples that come in bands of rows, equal on every platform.

    File bytes would not do: a PNG's depend on the zlib that wrote it. The digest covers the name
    of the dtype, the shape (H×W×S, or pages×H×W×S where there are several pages), and the samples
    as little-endian bytes, rows first, with alpha as a last channel.

    Args:
        pages: how many.
        shape: of each page, H×W×S, alpha included.
        dtype: of the samples.
    """

    def __init__(self, pages: int, shape: tuple[int, int, int], dtype: np.dtype[Any]) -> None:
        covered = shape if pages == 1 else (pages, *shape)
        self._digest = hashlib.sha256(f"{dtype.name} {covered}\n".encode())
        self._dtype = dtype.newbyteorder("<")

    def update(self, rows: Samples) -> None:
        """Add the next rows, h×W×S."""
        self._digest.update(np.ascontiguousarray(rows, self._dtype).data)

    def hexdigest(self) -> str:
        """64 hexadecimal digits."""
        return self._digest.hexdigest()


def pixel_hash(picture: Picture) -> str:
    """The :class:`PixelHash` of a picture; its profile and container do not count."""
    samples = with_alpha(picture)
    digest = PixelHash(1, samples.shape, samples.dtype)
    digest.update(samples)
    return digest.hexdigest()
