"""PNM (PBM, PGM, PPM) in binary: bits, 8- and 16-bit gray and RGB; never written.

Levels up to 255 are spread over 8 bits, as those of other formats are; those of 16-bit files stay
as they are, because 12 bits in 16 are the rule there.
"""

from __future__ import annotations

import re
from typing import BinaryIO, NamedTuple

import numpy as np

from noisegen.files.description import Description, RefusedError
from noisegen.files.orientation import UPRIGHT
from noisegen.files.picture import Pixels

_BITS, _GRAY, _RGB = b"P4", b"P5", b"P6"
_LONGEST_HEADER = 2**16
_GAP = rb"(?:\s|#[^\n\r]*[\n\r])+"
_SIZE = re.compile(rb"P[456]" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})")
_LEVELS = re.compile(_GAP + rb"(\d{1,5})")


class _Header(NamedTuple):
    kind: bytes
    width: int
    height: int
    levels: int
    """The value of white."""
    start: int
    """Offset of the samples."""

    @property
    def channels(self) -> int:
        return 3 if self.kind == _RGB else 1

    @property
    def bytes(self) -> int:
        """Of all samples."""
        if self.kind == _BITS:
            return self.height * ((self.width + 7) // 8)
        return self.height * self.width * self.channels * (1 if self.levels < 256 else 2)


def describe(file: BinaryIO) -> Description:
    """Read the header of a PNM; no pixel is decoded.

    Raises:
        RefusedError: it is damaged, or more than one picture follows.
    """
    header = _header(file)
    return Description(
        width=header.width,
        height=header.height,
        channels=header.channels,
        has_alpha=False,
        dtype=np.dtype(np.uint8 if header.levels < 256 else np.uint16),
        icc=None,
        orientation=UPRIGHT,
        verbatim=False,
    )


def decode(file: BinaryIO) -> Pixels:
    """Decode the samples, H×W×1 or H×W×3."""
    header = _header(file)
    shape = (header.height, header.width, header.channels)
    file.seek(header.start)
    data = file.read(header.bytes)
    if len(data) < header.bytes:
        raise RefusedError("the PNM is cut short: get an intact copy of the file")
    if file.read(16).strip():
        raise RefusedError("holds more than one picture, or is damaged: save one picture a file")
    if header.kind == _BITS:
        rows = np.frombuffer(data, np.uint8).reshape(header.height, -1)
        black: Pixels = np.unpackbits(rows, axis=1)[:, : header.width, None]
        return (1 - black) * np.uint8(255)
    stored = np.frombuffer(data, ">u2" if header.levels > 255 else np.uint8).reshape(shape)
    if stored.max() > header.levels:
        raise RefusedError(f"holds samples above the white that it declares, {header.levels}")
    if header.levels > 255:
        return stored.astype(np.uint16)
    spread = (stored.astype(np.uint32) * 255 + header.levels // 2) // header.levels
    return spread.astype(np.uint8)


def _header(file: BinaryIO) -> _Header:
    file.seek(0)
    lead = file.read(_LONGEST_HEADER)
    size = _SIZE.match(lead)
    if size is None:
        raise RefusedError("the PNM has no valid header: get an intact copy of the file")
    kind, end, levels = lead[:2], size.end(), 255
    if kind != _BITS:
        found = _LEVELS.match(lead, end)
        if found is None or not 0 < int(found[1]) < 2**16:
            raise RefusedError("the PNM states no valid white level: get an intact copy of it")
        end, levels = found.end(), int(found[1])
    if not lead[end : end + 1].isspace():
        raise RefusedError("the PNM has no valid header: get an intact copy of the file")
    return _Header(kind, int(size[1]), int(size[2]), levels, end + 1)
