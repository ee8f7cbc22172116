"""WebP: 8-bit RGB and RGBA, with profile and orientation; never written.

The header is read here, because Pillow allocates the whole canvas when it opens a WebP.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

import imagecodecs
import numpy as np

from noisegen.files.description import Description, RefusedError
from noisegen.files.orientation import orientation_in_exif
from noisegen.files.picture import Pixels

_ANIMATED, _HAS_ALPHA = 0x02, 0x10
_LOSSY_START_CODE = b"\x9d\x01\x2a"
_LOSSLESS_SIGNATURE = 0x2F


def describe(file: BinaryIO) -> Description:
    """Read the chunks of a WebP; no pixel is decoded.

    Raises:
        RefusedError: the file is animated or has no valid header.
    """
    chunks = _chunks(file)
    width, height, has_alpha = _canvas(chunks)
    return Description(
        width=width,
        height=height,
        channels=3,
        has_alpha=has_alpha,
        dtype=np.dtype(np.uint8),
        icc=chunks.get(b"ICCP") or None,
        orientation=orientation_in_exif(chunks.get(b"EXIF")),
        verbatim=False,
    )


def decode(file: BinaryIO) -> Pixels:
    """Decode the samples, H×W×3 or H×W×4."""
    _, _, has_alpha = _canvas(_chunks(file))
    file.seek(0)
    samples: Pixels = imagecodecs.webp_decode(file.read(), hasalpha=has_alpha)
    return samples


def _chunks(file: BinaryIO) -> dict[bytes, bytes]:
    """The chunks by name; of the coded picture only the first bytes, which hold its header."""
    end = file.seek(0, 2)
    chunks: dict[bytes, bytes] = {}
    start = 12
    while start + 8 <= end:
        file.seek(start)
        name, length = struct.unpack("<4sI", file.read(8))
        if start + 8 + length > end:
            raise RefusedError("the WebP is cut short: get an intact copy of the file")
        wanted = length if name in (b"ICCP", b"EXIF") else min(length, 10)
        chunks.setdefault(name, file.read(wanted))
        start += 8 + length + length % 2
    return chunks


def _canvas(chunks: dict[bytes, bytes]) -> tuple[int, int, bool]:
    """Width, height and whether there is alpha."""
    if b"VP8X" in chunks:
        body = chunks[b"VP8X"]
        if body[0] & _ANIMATED:
            raise RefusedError("an animated WebP, which is not supported: save one frame of it")
        width, height = (int.from_bytes(body[at : at + 3], "little") + 1 for at in (4, 7))
        return width, height, bool(body[0] & _HAS_ALPHA)
    if b"VP8L" in chunks:
        signature, bits = struct.unpack_from("<BI", chunks[b"VP8L"])
        if signature == _LOSSLESS_SIGNATURE:
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
    if b"VP8 " in chunks and chunks[b"VP8 "][3:6] == _LOSSY_START_CODE:
        width, height = struct.unpack_from("<HH", chunks[b"VP8 "], 6)
        return width & 0x3FFF, height & 0x3FFF, False
    raise RefusedError("the WebP has no valid header: get an intact copy of the file")
