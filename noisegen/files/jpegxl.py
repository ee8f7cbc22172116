"""JPEG XL by imagecodecs, which turns it upright; 8 bits stay, more become 16.

Nothing but the size is read from the header: type and channels are those of the decoded samples.
The profile is compressed with the picture and not handed out, so none is kept, as a remark says.
"""

from __future__ import annotations

from typing import BinaryIO

import imagecodecs
import numpy as np

from noisegen.files.opening import Description, RefusedError, check_declared_size
from noisegen.files.picture import DEPTHS, Pixels

_STREAM = b"\xff\x0a"
_GAIN_MAP = b"jhgm"
_BOXES = (b"jxlc", b"jxlp")
_LEAD = 2**22
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_SIDE_BITS = (9, 13, 18, 30)


def describe(file: BinaryIO) -> Description:
    """Find what a file holds; its declared size is checked before it is decoded.

    Raises:
        RefusedError: an absurd size, several frames, or floats.
    """
    samples = decode(file)
    file.seek(0)
    channels = samples.shape[2] if samples.ndim == 3 else 1
    return Description(
        width=samples.shape[1],
        height=samples.shape[0],
        channels=1 if channels < 3 else 3,
        has_alpha=channels in (2, 4),
        dtype=samples.dtype,
        gain_map=_GAIN_MAP in file.read(),
    )


def decode(file: BinaryIO) -> Pixels:
    """Decode the samples, H×W or H×W×S, upright."""
    file.seek(0)
    data = file.read()
    check_declared_size(*_declared_size(data[:_LEAD]), 1, len(data))
    samples: Pixels = np.asarray(imagecodecs.jpegxl_decode(data))
    if samples.ndim > 3:
        raise RefusedError("an animated JPEG XL, which is not supported: save one frame of it")
    if samples.dtype not in DEPTHS:
        raise RefusedError("a JPEG XL of floats is not supported: save it in 16 bits")
    return samples


def _declared_size(lead: bytes) -> tuple[int, int]:
    """Width and height of the code stream's first header (ISO/IEC 18181-1, D.2)."""
    start = 0
    if not lead.startswith(_STREAM):
        start = min((at + 4 for box in _BOXES if (at := lead.find(box)) >= 0), default=-1)
        start = lead.find(_STREAM, start, start + 8) if start >= 0 else -1
    if start < 0:
        raise RefusedError("a JPEG XL file without a code stream: get an intact copy of it")
    bits = int.from_bytes(lead[start + 2 : start + 14], "little")

    def take(count: int) -> int:
        nonlocal bits
        taken, bits = bits & (1 << count) - 1, bits >> count
        return taken

    def side(small: int) -> int:
        return 8 * (take(5) + 1) if small else take(_SIDE_BITS[take(2)]) + 1

    small = take(1)
    height, ratio = side(small), take(3)
    if ratio == 0:
        return side(small), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height
