"""BMP: uncompressed 1-, 4-, 8-, 24- and 32-bit pictures.

Read here rather than by Pillow, which takes 8-bit indices for bits where the palette is black
and white, and fills up run-length data that are cut short.
"""

from __future__ import annotations

import io
import struct
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from noisegen.files.description import Description, RefusedError
from noisegen.files.orientation import UPRIGHT
from noisegen.files.picture import Picture, Pixels

_CORE_HEADER, _INFO_HEADERS = 12, (40, 52, 56, 64, 108, 124)
_V4, _V5 = 108, 124
_UNCOMPRESSED, _BITFIELDS = 0, 3
_BGRX_MASKS = (0xFF0000, 0xFF00, 0xFF)
_EMBEDDED_PROFILES = (b"DEBM", b"KNIL")  # 'MBED' and 'LINK', little-endian
_DEPTHS = (1, 4, 8, 24, 32)


class _Layout(NamedTuple):
    """Where the rows are and how they are stored."""

    offset: int
    width: int
    height: int
    bottom_up: bool
    bits: int
    palette: NDArray[np.uint8] | None
    """Entries×3, RGB."""

    @property
    def stride(self) -> int:
        """Bytes of a row, padded to four."""
        return (self.width * self.bits + 31) // 32 * 4


def describe(file: BinaryIO) -> Description:
    """Read the header and palette of a BMP; no pixel is decoded.

    Raises:
        RefusedError: compressed, with alpha, with a profile, or of another depth.
    """
    layout = _layout(file)
    palette = layout.palette
    gray = palette is not None and _is_gray(palette)
    return Description(
        width=layout.width,
        height=layout.height,
        channels=1 if gray else 3,
        has_alpha=False,
        dtype=np.dtype(np.uint8),
        icc=None,
        orientation=UPRIGHT,
        verbatim=layout.bits == 24 or (palette is not None and _is_full_ramp(palette)),
    )


def decode(file: BinaryIO) -> Pixels:
    """Decode the samples, H×W (a palette of grays) or H×W×3."""
    layout = _layout(file)
    size = layout.height * layout.stride
    if file.seek(0, 2) < layout.offset + size:
        raise RefusedError("the BMP is cut short: get an intact copy of the file")
    file.seek(layout.offset)
    rows = np.frombuffer(file.read(size), np.uint8).reshape(layout.height, layout.stride)
    rows = rows[::-1] if layout.bottom_up else rows
    if layout.palette is None:
        bytes_a_pixel = layout.bits // 8
        pixels = rows[:, : layout.width * bytes_a_pixel]
        return pixels.reshape(layout.height, layout.width, bytes_a_pixel)[:, :, 2::-1]
    colours = layout.palette[_indices(rows, layout.bits)[:, : layout.width]]
    return colours[:, :, 0] if _is_gray(layout.palette) else colours


def encode(picture: Picture, _: int) -> bytes:
    """The picture as an uncompressed BMP.

    Raises:
        ValueError: alpha, a profile or 16 bits, which a plain BMP cannot hold.
    """
    if picture.alpha is not None or picture.icc is not None or picture.dtype != np.uint8:
        raise ValueError("a BMP holds 8-bit gray or RGB without alpha and profile")
    gray = picture.channels == 1
    buffer = io.BytesIO()
    Image.fromarray(picture.pixels[:, :, 0] if gray else picture.pixels).save(buffer, "BMP")
    return buffer.getvalue()


def _layout(file: BinaryIO) -> _Layout:
    file.seek(0)
    lead = file.read(14 + _V5)
    offset, header = struct.unpack_from("<II", lead, 10)
    if header == _CORE_HEADER:
        width, height, _, bits = struct.unpack_from("<HHHH", lead, 18)
        colours, entry_bytes = 0, 3
    elif header in _INFO_HEADERS:
        width, height, _, bits = struct.unpack_from("<iiHH", lead, 18)
        (colours,) = struct.unpack_from("<I", lead, 46)
        entry_bytes = 4
        _check_coding(lead, header, bits)
    else:
        raise RefusedError(f"a BMP with an unknown header of {header} bytes: save it again as PNG")
    if bits not in _DEPTHS:
        raise RefusedError(f"a BMP of {bits} bits a pixel is not supported: convert it to 24 bits")
    palette = None
    if bits <= 8:
        file.seek(14 + header)
        count = min(colours or 1 << bits, 1 << bits)
        entries = np.frombuffer(file.read(count * entry_bytes), np.uint8)
        palette = entries.reshape(count, entry_bytes)[:, 2::-1]
    return _Layout(offset, width, abs(height), height > 0, bits, palette)


def _check_coding(lead: bytes, header: int, bits: int) -> None:
    """Refuse what would be lost or misread: compression, alpha, unusual masks, a profile."""
    (compression,) = struct.unpack_from("<I", lead, 30)
    if compression == _BITFIELDS and bits == 32:
        masks = struct.unpack_from("<III", lead, 54)
        alpha = struct.unpack_from("<I", lead, 66)[0] if header in (56, _V4, _V5) else 0
        if alpha or masks != _BGRX_MASKS:
            raise RefusedError("a BMP with alpha or unusual masks is not supported: save it as PNG")
    elif compression != _UNCOMPRESSED:
        raise RefusedError("a compressed BMP is not supported: save it uncompressed or as PNG")
    if header == _V5 and lead[70:74] in _EMBEDDED_PROFILES:
        raise RefusedError("a BMP with a colour profile is not supported: save it as PNG")


def _is_gray(palette: NDArray[np.uint8]) -> bool:
    return bool((palette == palette[:, :1]).all())


def _is_full_ramp(palette: NDArray[np.uint8]) -> bool:
    """Whether indices are the gray values themselves."""
    return np.array_equal(palette, np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1))


def _indices(rows: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Palette indices of packed rows, the highest bits of a byte leftmost."""
    shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
    indices = rows[:, :, None] >> shifts & np.uint8((1 << bits) - 1)
    return indices.reshape(rows.shape[0], -1)
