"""PNM (PBM, PGM, PPM) in binary: bits, 8- and 16-bit gray and RGB; never written.

Levels up to 255 are spread over 8 bits, as those of other formats are; those of 16-bit files stay
as they are, because 12 bits in 16 are the rule there. Pillow would stretch 16-bit grays to 65535,
cut 16-bit RGB to 8 bits, and take a file of several pictures for one.
"""

from __future__ import annotations

import re
from typing import BinaryIO, NamedTuple

import numpy as np

from noisegen.files.opening import Description, RefusedError
from noisegen.files.picture import Pixels

_LONGEST_HEADER = 2**16
_GAP = rb"(?:\s|#[^\n\r]*[\n\r])+"
_SIZE = re.compile(rb"P[456]" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})")
_LEVELS = re.compile(_GAP + rb"(\d{1,5})")


class _Header(NamedTuple):
    of_bits: bool
    shape: tuple[int, int, int]
    """H×W×C."""
    levels: int
    """The value of white."""
    start: int
    """Offset of the samples."""

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        _, width, channels = self.shape
        return (width + 7) // 8 if self.of_bits else width * channels * (1 + (self.levels > 255))


def describe(file: BinaryIO) -> Description:
    """Read the header of a PNM; no pixel is decoded.

    Raises:
        RefusedError: it is damaged.
    """
    header = _header(file)
    height, width, channels = header.shape
    dtype = np.dtype(np.uint8 if header.levels < 256 else np.uint16)
    return Description(width, height, channels, has_alpha=False, dtype=dtype)


def decode(file: BinaryIO) -> Pixels:
    """Decode the samples, H×W×1 or H×W×3.

    Raises:
        RefusedError: it is damaged, or more than one picture follows.
    """
    header = _header(file)
    height, width, _ = header.shape
    file.seek(header.start)
    data = file.read(height * header.row_bytes)
    if len(data) < height * header.row_bytes:
        raise RefusedError("the PNM is cut short: get an intact copy of the file")
    if file.read(16).strip():
        raise RefusedError("holds more than one picture, or is damaged: save one picture a file")
    if header.of_bits:
        rows = np.frombuffer(data, np.uint8).reshape(height, -1)
        black: Pixels = np.unpackbits(rows, axis=1)[:, :width, None]
        return (1 - black) * np.uint8(255)
    stored = np.frombuffer(data, ">u2" if header.levels > 255 else np.uint8).reshape(header.shape)
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
    end, levels = size.end(), 255
    if not lead.startswith(b"P4"):
        found = _LEVELS.match(lead, end)
        if found is None or not 0 < int(found[1]) < 2**16:
            raise RefusedError("the PNM states no valid white level: get an intact copy of it")
        end, levels = found.end(), int(found[1])
    if not lead[end : end + 1].isspace():
        raise RefusedError("the PNM has no valid header: get an intact copy of the file")
    shape = int(size[2]), int(size[1]), 3 if lead.startswith(b"P6") else 1
    return _Header(lead.startswith(b"P4"), shape, levels, end + 1)
