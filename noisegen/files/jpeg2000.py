"""JPEG 2000 by imagecodecs: gray and RGB up to 16 bits; alpha is the last of 2 or 4 components."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

import imagecodecs

from noisegen.files.opening import Description, RefusedError, check_declared_size
from noisegen.files.picture import DEPTHS, Pixels, stretched

_SIZE = b"\xff\x4f\xff\x51"
"""Start of the code stream, and its size segment (SIZ, ITU-T T.800, A.5.1)."""
_LEAD = 2**22
"""Bytes in which the code stream must begin: what may stand before it is a profile."""
_BY_PROFILE, _BY_NUMBER, _YCC = 2, 1, 18


@dataclass(frozen=True)
class _Declared:
    """What the size segment says."""

    width: int
    height: int
    components: int
    bits: int


def describe(file: BinaryIO) -> Description:
    """Read the header of a file; no pixel is decoded.

    Raises:
        RefusedError: it is YCC, signed, subsampled, or of more than 16 bits or 4 components.
    """
    file.seek(0)
    lead = file.read(_LEAD)
    found = _declared(lead)
    return Description(
        width=found.width,
        height=found.height,
        channels=1 if found.components < 3 else 3,
        has_alpha=found.components in (2, 4),
        dtype=DEPTHS[found.bits > 8],
        icc=_profile(lead),
    )


def decode(file: BinaryIO) -> Pixels:
    """Decode the samples, H×W or H×W×S, stretched to 8 or 16 bits."""
    file.seek(0)
    data = file.read()
    found = _declared(data)
    check_declared_size(found.width, found.height, found.components, len(data))
    return stretched(imagecodecs.jpeg2k_decode(data), found.bits)


def _declared(data: bytes) -> _Declared:
    start = data.find(_SIZE)
    if start < 0:
        raise RefusedError("a JPEG 2000 file without a code stream: get an intact copy of it")
    right, bottom, left, top = struct.unpack_from(">4I", data, start + 8)
    (components,) = struct.unpack_from(">H", data, start + 40)
    if components > 4:
        raise RefusedError(f"{components} components are not supported: convert it to RGB")
    each = {data[at : at + 3] for at in range(start + 42, start + 42 + 3 * components, 3)}
    if len(each) != 1:
        raise RefusedError("a JPEG 2000 file of unlike components: convert it to RGB")
    sign_and_bits, *steps = each.pop()
    bits = sign_and_bits % 128 + 1
    if sign_and_bits >= 128 or bits > 16 or steps != [1, 1]:
        raise RefusedError(
            "a JPEG 2000 file of signed or subsampled values, or more than 16 bits: convert it"
        )
    return _Declared(right - left, bottom - top, components, bits)


def _profile(lead: bytes) -> bytes | None:
    """The profile of the colour box (``colr``), ahead of the code stream."""
    header = lead[: lead.find(_SIZE)]
    at = header.find(b"colr")
    if at < 4:
        return None
    method = header[at + 4]
    if method == _BY_NUMBER and struct.unpack_from(">I", header, at + 7) == (_YCC,):
        raise RefusedError("YCC colour is not supported: convert it to RGB")
    (length,) = struct.unpack_from(">I", header, at - 4)
    return header[at + 7 : at - 4 + length] if method == _BY_PROFILE else None
