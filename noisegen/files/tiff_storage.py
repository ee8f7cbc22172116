"""Two ways of storing the pages of a TIFF: plain, one after the other, and in deflated strips."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from noisegen.files.tiff_tags import LONG, LONG8, SHORT, Entry, directories, header, numbers

Samples = NDArray[Any]

_NONE, _DEFLATE = 1, 8
_UNSIGNED, _FLOAT = 1, 3
_TOGETHER, _APART = 1, 2
_STRIP_BYTES = 2**20
_FIRST = 16


@dataclass(frozen=True)
class Form:
    """What pages are written.

    Attributes:
        pages: how many.
        height: of each.
        width: of each.
        samples: of a pixel.
        apart: each sample's plane by itself, not pixel by pixel.
        dtype: of the samples, with the file's byte order.
        order: this order, ``<`` or ``>``, of all other numbers too.
        photometric: TIFF's number of what the samples mean.
        tags: the other tags of each directory; one directory may stand for all pages.
        big: as BigTIFF.
    """

    pages: int
    height: int
    width: int
    samples: int
    apart: bool
    dtype: np.dtype[Any]
    order: str
    photometric: int
    tags: Sequence[Sequence[Entry]]
    big: bool

    @property
    def planes(self) -> int:
        """How many parts a page is stored in."""
        return self.samples if self.apart else 1

    @property
    def row_bytes(self) -> int:
        """Bytes of a row of one part."""
        return self.width * (self.samples // self.planes) * self.dtype.itemsize

    def directory(
        self, number: int, compression: int, rows: int, offsets: list[int], counts: list[int]
    ) -> list[Entry]:
        """All tags of a page, whose strips have so many rows."""
        place = LONG8 if self.big else LONG
        kind = _FLOAT if self.dtype.kind == "f" else _UNSIGNED
        own: list[tuple[int, int, Sequence[int]]] = [
            (256, LONG, [self.width]),
            (257, LONG, [self.height]),
            (258, SHORT, [self.dtype.itemsize * 8] * self.samples),
            (259, SHORT, [compression]),
            (262, SHORT, [self.photometric]),
            (273, place, offsets),
            (277, SHORT, [self.samples]),
            (278, LONG, [rows]),
            (279, place, counts),
            (284, SHORT, [_APART if self.apart else _TOGETHER]),
            (339, SHORT, [kind] * self.samples),
        ]
        written = [numbers(code, kind, values, self.order) for code, kind, values in own]
        return [*self.tags[number], *written]

    def split(self, band: Samples) -> list[bytes]:
        """The bytes of each part of a band h×W×S."""
        parts = np.split(band, self.planes, axis=2)
        return [np.ascontiguousarray(part, self.dtype).tobytes() for part in parts]


class Plain:
    """Uncompressed: the directories first, then page after page without a gap.

    Args:
        file: empty.
        form: of the pages.
    """

    def __init__(self, file: BinaryIO, form: Form) -> None:
        self._file, self._form = file, form
        # The directories' length does not depend on the offsets in them.
        self._start = _FIRST + len(self._directories(0))
        file.write(header(_FIRST, form.order, form.big).ljust(_FIRST, b"\0"))
        file.write(self._directories(self._start))

    def add(self, page: int, row: int, band: Samples) -> None:
        """Writes rows h×W×S of a page."""
        form = self._form
        for plane, part in enumerate(form.split(band)):
            before = (page * form.planes + plane) * form.height + row
            self._file.seek(self._start + before * form.row_bytes)
            self._file.write(part)

    def finish(self) -> None:
        """Nothing is left to write."""

    def _directories(self, start: int) -> bytes:
        form = self._form
        size = form.height * form.row_bytes
        pages = [
            form.directory(
                number,
                _NONE,
                form.height,
                [start + (number * form.planes + plane) * size for plane in range(form.planes)],
                [size] * form.planes,
            )
            for number in range(len(form.tags))
        ]
        return directories(pages, _FIRST, form.order, form.big)


class Deflated:
    """Compressed strips as they come, then the directories.

    Args:
        file: empty.
        form: of the pages.
        level: zlib's.
    """

    def __init__(self, file: BinaryIO, form: Form, level: int) -> None:
        self._file, self._form, self._level = file, form, level
        self._rows = max(1, min(form.height, _STRIP_BYTES // form.row_bytes))
        self._strips = -(-form.height // self._rows)
        self._offsets = [[0] * (self._strips * form.planes) for _ in range(form.pages)]
        self._counts = [list(page) for page in self._offsets]
        self._waiting: list[Samples] = []
        self._at = _FIRST
        file.write(bytes(_FIRST))

    def add(self, page: int, row: int, band: Samples) -> None:
        """Takes the next rows h×W×S of a page, and writes the strips that they complete."""
        first = row - sum(rows.shape[0] for rows in self._waiting)
        end = row + band.shape[0]
        whole = end if end == self._form.height else end // self._rows * self._rows
        self._waiting.append(band)
        if whole <= first:
            return
        rows = np.concatenate(self._waiting)
        for top in range(first, whole, self._rows):
            self._write(page, top, rows[top - first : min(top + self._rows, whole) - first])
        self._waiting = [rows[whole - first :].copy()] if whole < end else []

    def finish(self) -> None:
        """Writes the directories, and the header that points to them."""
        start = self._at + -self._at % 8
        self._file.write(bytes(start - self._at))
        pages = [
            self._form.directory(number, _DEFLATE, self._rows, offsets, counts)
            for number, (offsets, counts) in enumerate(
                zip(self._offsets, self._counts, strict=True)
            )
        ]
        self._file.write(directories(pages, start, self._form.order, self._form.big))
        self._file.seek(0)
        self._file.write(header(start, self._form.order, self._form.big))

    def _write(self, page: int, top: int, rows: Samples) -> None:
        for plane, part in enumerate(self._form.split(rows)):
            coded = zlib.compress(part, self._level)
            strip = plane * self._strips + top // self._rows
            self._offsets[page][strip], self._counts[page][strip] = self._at, len(coded)
            self._file.write(coded)
            self._at += len(coded)
