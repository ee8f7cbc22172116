"""Streams of LZW that would make imagecodecs read wild memory, found before they are decoded.

The code after one that clears the table stands for itself. imagecodecs (to 2026.8 at least) takes
any other for a place in a table that is empty then. How many bits each code has depends on its
number since the clearing alone, so the codes of a whole table are read at once.
"""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from noisegen.files.opening import RefusedError

_Numbers: TypeAlias = NDArray[np.intp]

_CLEAR, _END, _FIRST, _TABLE = 256, 257, 258, 4096


def check_lzw(coded: bytes) -> None:
    """Refuse a strip or tile whose codes no encoder can have written.

    Raises:
        RefusedError: a code after the table was cleared stands for an entry of it.
    """
    stream = np.frombuffer(coded + bytes(3), np.uint8)
    # Old writers packed bits from the lowest up, and took a wider code one entry later.
    lowest_first = len(coded) > 1 and coded[0] == 0 and bool(coded[1] & 1)
    widths, starts = _layout(lowest_first)
    at, end = 0, 8 * len(coded)
    while at + int(widths[0]) <= end:
        count = int(np.searchsorted(starts, end - at))
        codes = _codes(stream, at + starts[:count], widths[:count], lowest_first)
        ends = np.flatnonzero((codes == _CLEAR) | (codes == _END))
        if at and codes[0] >= _FIRST:
            raise RefusedError("its LZW data are damaged: get an intact copy of the file")
        if not len(ends) or codes[ends[0]] == _END:
            return
        at += int(starts[ends[0]] + widths[ends[0]])


@cache
def _layout(lowest_first: bool) -> tuple[_Numbers, _Numbers]:
    """Bits of each code since the table was cleared, to a full one, and where it starts."""
    number = np.arange(_TABLE - _FIRST + 1)
    entries = _FIRST - 1 + number - lowest_first
    widths = 9 + (entries > 510).astype(np.intp) + (entries > 1022) + (entries > 2046)
    return widths, np.cumsum(widths) - widths


def _codes(
    stream: NDArray[np.uint8], at: _Numbers, widths: _Numbers, lowest_first: bool
) -> _Numbers:
    """The codes that start at some bits of a stream, which goes on for three bytes."""
    first, second, third = (stream[(at >> 3) + step].astype(np.intp) for step in range(3))
    if lowest_first:
        bits = (first | second << 8 | third << 16) >> (at & 7)
    else:
        bits = (first << 16 | second << 8 | third) >> (24 - (at & 7) - widths)
    codes: _Numbers = bits & ((1 << widths) - 1)
    return codes
