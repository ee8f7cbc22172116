"""Rows of one TIFF page, read without the rest of it."""

from __future__ import annotations

import math
from typing import Any, BinaryIO, Protocol

import numpy as np
import tifffile
from numpy.typing import NDArray

from noisegen.files.description import RefusedError
from noisegen.files.limits import FREE_SAMPLES
from noisegen.files.orientation import upright
from noisegen.files.tiff_expand import expanded
from noisegen.files.tiff_support import PLANES_APART

Samples = NDArray[Any]

# JPEG's tables and header lie outside its strips and tiles.
_JPEGS = (6, 7, 34892, 33007)


class PageRows(Protocol):
    """A page that is read by rows."""

    def rows(self, top: int, bottom: int) -> Samples:
        """Rows top to bottom − 1, h×W×S."""
        ...


class FollowingRows:
    """Samples that lie in the file as they are, one after the other.

    Args:
        file: that they are in.
        start: offset of the first.
        page: that describes them.
    """

    def __init__(self, file: BinaryIO, start: int, page: tifffile.TiffPage) -> None:
        self._file = file
        self._start = start
        self._dtype = page.dtype.newbyteorder(page.parent.byteorder)
        apart, _, self._height, self._width, together = page.shaped
        self._planes, self._samples = apart, together

    def rows(self, top: int, bottom: int) -> Samples:
        """Rows top to bottom − 1, h×W×S."""
        row = self._width * self._samples * self._dtype.itemsize
        planes = []
        for plane in range(self._planes):
            self._file.seek(self._start + (plane * self._height + top) * row)
            data = self._file.read((bottom - top) * row)
            stored = np.frombuffer(data, self._dtype)
            planes.append(stored.reshape(bottom - top, self._width, self._samples))
        samples = planes[0] if len(planes) == 1 else np.concatenate(planes, axis=2)
        return samples.astype(self._dtype.newbyteorder("="))


class CodedRows:
    """Strips or tiles, of which only those that are asked for are decoded.

    Those of the last request stay in memory, so that bands which follow each other decode none
    twice.

    Args:
        file: that they are in.
        page: that describes them.

    Raises:
        RefusedError: a strip or row of tiles is too large to be decoded at once.
    """

    def __init__(self, file: BinaryIO, page: tifffile.TiffPage) -> None:
        self._file = file
        self._page = page
        self._step = page.tilelength if page.is_tiled else page.rowsperstrip
        self._step = min(self._step, page.imagelength)
        self._across = math.ceil(page.imagewidth / page.tilewidth) if page.is_tiled else 1
        self._down = math.ceil(page.imagelength / self._step)
        width = self._across * page.tilewidth if page.is_tiled else page.imagewidth
        if self._step * width * page.samplesperpixel > FREE_SAMPLES:
            raise RefusedError(
                f"its strips or tiles of {self._step}×{width} pixels are too large to be read one "
                "by one: save it in tiles, as of 256×256 pixels"
            )
        self._decoded: dict[int, Samples] = {}

    def rows(self, top: int, bottom: int) -> Samples:
        """Rows top to bottom − 1, h×W×S."""
        wanted = range(top // self._step, math.ceil(bottom / self._step))
        kept = {index: self._decoded[index] for index in wanted if index in self._decoded}
        # What is not wanted any more goes before more is decoded.
        self._decoded = kept
        for index in wanted:
            if index not in kept:
                kept[index] = self._decode(index)
        first = wanted.start * self._step
        parts = [
            kept[index][max(top - index * self._step, 0) : bottom - index * self._step]
            for index in wanted
        ]
        samples = parts[0] if len(parts) == 1 else np.concatenate(parts)
        if samples.shape[0] != bottom - top or first > top:
            raise RefusedError("its strips hold fewer rows than it declares: the file is damaged")
        return samples

    def _decode(self, index: int) -> Samples:
        """A strip of all samples, or a row of tiles: h×W×S."""
        page = self._page
        height = min(self._step, page.imagelength - index * self._step)
        apart = page.samplesperpixel if page.planarconfig == PLANES_APART else 1
        together = page.samplesperpixel // apart
        samples = np.empty((height, page.imagewidth, page.samplesperpixel), page.dtype)
        for plane in range(apart):
            for column in range(self._across):
                number = (plane * self._down + index) * self._across + column
                segment, (_, _, y, x, _), _ = page.decode(
                    self._coded(number), number, **self._outside(), _fullsize=page.is_tiled
                )
                part = segment[0, :height, : page.imagewidth - x]
                expected = (height, min(part.shape[1], page.imagewidth - x), together)
                if part.shape != expected or y != index * self._step:
                    raise RefusedError("a strip or tile of it is cut short: get an intact copy")
                target = samples[:, x : x + part.shape[1], plane * together :][..., :together]
                target[...] = part
        return samples

    def _coded(self, number: int) -> bytes:
        self._file.seek(self._page.dataoffsets[number])
        return self._file.read(self._page.databytecounts[number])

    def _outside(self) -> dict[str, Any]:
        if self._page.compression not in _JPEGS:
            return {}
        return {"jpegtables": self._page.jpegtables, "jpegheader": self._page.jpegheader}


class ExpandedRows:
    """A page whose bits, palette or min-is-white are expanded.

    Args:
        stored: its rows as they are stored.
        page: that describes them.
    """

    def __init__(self, stored: PageRows, page: tifffile.TiffPage) -> None:
        self._stored, self._page = stored, page

    def rows(self, top: int, bottom: int) -> Samples:
        """Rows top to bottom − 1, h×W×S."""
        return expanded(self._stored.rows(top, bottom), self._page)


class TurnedRows:
    """A page that is turned upright in memory.

    Args:
        stored: its rows as they are stored.
        height: of the stored page.
        orientation: EXIF's 2–8.
    """

    def __init__(self, stored: PageRows, height: int, orientation: int) -> None:
        self._upright = upright(stored.rows(0, height), orientation)

    def rows(self, top: int, bottom: int) -> Samples:
        """Rows top to bottom − 1 of the upright page, h×W×S."""
        return np.ascontiguousarray(self._upright[top:bottom])
