"""A TIFF of any layout, read by rows: pages, channels, floats, more pixels than memory holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray

from noisegen.errors import ImageError
from noisegen.files.description import RefusedError
from noisegen.files.limits import FREE_SAMPLES
from noisegen.files.orientation import UPRIGHT, swaps_sides, valid_orientation
from noisegen.files.page_rows import CodedRows, ExpandedRows, FollowingRows, PageRows, TurnedRows
from noisegen.files.picture import Container
from noisegen.files.read import container_at_start, one_error, open_file
from noisegen.files.stack_layout import Layout, layout_of
from noisegen.files.stack_planes import Plane, planes_of
from noisegen.files.stack_support import check_pages, holds_planes
from noisegen.files.tiff import ORIENTATION
from noisegen.files.tiff_chain import check_chain
from noisegen.files.tiff_expand import expanded_samples, expanded_type, is_expanded
from noisegen.files.tiff_support import is_lossless
from noisegen.files.volume_check import check_volume
from noisegen.files.volume_hash import VolumeHash
from noisegen.files.volume_header import VolumeHeader

Samples = NDArray[Any]

HASHED_AT_ONCE = 2**24
"""Samples that are read at once for the hash of a file."""


class Volume:
    """An opened file of pages, read by rows. :func:`open_volume` makes it.

    Attributes:
        path: of the file.
        header: what it declares.
        first: its first page's tags, as tifffile read them.
    """

    def __init__(self, path: Path, file: BinaryIO, tiff: tifffile.TiffFile, layout: Layout) -> None:
        self.path = path
        self.file = file
        self.tiff = tiff
        self.in_one_page = layout.in_one_page
        used = sorted({index for channel in layout.planes for index in channel})
        self._pages = [tiff.pages[0 if layout.in_one_page else index] for index in used]
        self.first = self._pages[0]
        self._orientation = valid_orientation(self.first.tags.valueof(ORIENTATION))
        check_volume(tiff, layout, self._pages, self._orientation)
        self.header = self._header(layout, used)
        self._reading: tuple[int, PageRows] | None = None

    def rows(self, page: int, top: int, bottom: int) -> Samples:
        """Rows top to bottom − 1 of a page, all its samples.

        Args:
            page: its number, up to ``header.pages`` − 1.
            top: the first row.
            bottom: the one after the last.

        Returns:
            h×W×S of the header's type, in native byte order.

        Raises:
            ImageError: the file is damaged there.
        """
        with one_error(self.path):
            if self._reading is None or self._reading[0] != page:
                # The rows of the page before go before others are read.
                self._reading = None
                self._reading = (page, self._open(page))
            return self._reading[1].rows(top, bottom)

    def plane(self, index: int) -> PlaneRows:
        """One of the header's planes."""
        return PlaneRows(self, self.header.planes[index])

    @property
    def described_pages(self) -> list[tifffile.TiffPage]:
        """Those that have tags of their own: the first alone where it stands for all."""
        return self._pages[:1] if self.in_one_page else self._pages

    @property
    def is_turned(self) -> bool:
        """Whether the rows are upright where the stored ones are not."""
        return self._orientation != UPRIGHT

    def _header(self, layout: Layout, used: list[int]) -> VolumeHeader:
        first = self.first
        channels = planes_of(layout, first)
        positions = {index: number for number, index in enumerate(used)}
        planes = [
            Plane(p.channel, p.frame, positions[p.page], p.first, p.channels)
            for channel in channels
            for p in channel
        ]
        height, width = first.imagelength, first.imagewidth
        if swaps_sides(self._orientation):
            height, width = width, height
        return VolumeHeader(
            pages=len(self._pages),
            height=height,
            width=width,
            samples=expanded_samples(first),
            dtype=expanded_type(first),
            planes=tuple(sorted(planes, key=lambda plane: (plane.page, plane.first))),
            channels=tuple(channel[0].channel for channel in channels),
            copyable=not self.is_turned
            and not is_expanded(first)
            and all(is_lossless(page.compression) for page in self._pages),
        )

    def _open(self, number: int) -> PageRows:
        page = self._pages[number]
        reader: PageRows
        if page.is_final:
            follows = number * page.nbytes if self.in_one_page else 0
            reader = FollowingRows(self.file, page.dataoffsets[0] + follows, page)
        else:
            reader = CodedRows(self.file, page)
        if is_expanded(page):
            reader = ExpandedRows(reader, page)
        if self.is_turned:
            return TurnedRows(reader, page.imagelength, self._orientation)
        return reader


@dataclass(frozen=True)
class PlaneRows:
    """One plane of a volume, read by rows.

    Attributes:
        volume: that it belongs to.
        plane: which of it.
    """

    volume: Volume
    plane: Plane

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        header = self.volume.header
        return header.height, header.width, self.plane.channels

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of its samples."""
        return self.volume.header.dtype

    def rows(self, top: int, bottom: int) -> Samples:
        """Rows top to bottom − 1, h×W×C.

        Raises:
            ImageError: the file is damaged there.
        """
        rows = self.volume.rows(self.plane.page, top, bottom)
        # A copy, unless it is all: a view would keep the other samples in memory.
        return np.ascontiguousarray(rows[:, :, self.plane.samples])


def read_volume_header(path: str | Path) -> VolumeHeader | None:
    """What a file of several planes, of floats or 32 bits, or larger than memory declares.

    Args:
        path: any picture file.

    Returns:
        None for a plain picture, which ``read_picture`` reads.

    Raises:
        ImageError: the file is missing, damaged or not supported.
    """
    with _opened(Path(path)) as volume:
        return None if volume is None else volume.header


@contextmanager
def open_volume(path: str | Path) -> Iterator[Volume]:
    """The volume that a file holds, open as long as the context.

    Args:
        path: a file for which :func:`read_volume_header` is not None.

    Raises:
        ImageError: the file is missing, damaged, not supported, or a plain picture.
    """
    with _opened(Path(path)) as volume:
        if volume is None:
            raise ImageError(
                path, "a plain picture by now, not a volume: let it be while it is read"
            )
        yield volume


@contextmanager
def _opened(path: Path) -> Iterator[Volume | None]:
    """Errors of reading are wrapped where something is read: the caller's own go through."""
    with one_error(path):
        file = open_file(path)
    with file:
        with one_error(path):
            volume = _volume_in(path, file)
        yield volume


def _volume_in(path: Path, file: BinaryIO) -> Volume | None:
    if container_at_start(file) is not Container.TIFF:
        return None
    file.seek(0)
    tiff = tifffile.TiffFile(file)
    check_chain(tiff)
    layout = layout_of(tiff)
    if holds_planes(tiff) or layout.in_one_page:
        return Volume(path, file, tiff, layout)
    page = tiff.pages[0]
    if page.imagewidth * page.imagelength * page.samplesperpixel <= FREE_SAMPLES:
        return None
    try:
        check_pages([page])
    except RefusedError:
        # Other bits, colours or the like: what it is, and whether it is too large, is the plain
        # reader's to say.
        return None
    return Volume(path, file, tiff, layout)


def volume_hash(path: str | Path) -> str:
    """Hash of all samples of a file for which :func:`read_volume_header` is not None.

    Raises:
        ImageError: it cannot be read.
    """
    with open_volume(path) as volume:
        header = volume.header
        digest = VolumeHash(header.pages, header.height, header.width, header.samples, header.dtype)
        rows = max(1, HASHED_AT_ONCE // (header.width * header.samples))
        for page in range(header.pages):
            for top in range(0, header.height, rows):
                digest.update(volume.rows(page, top, min(top + rows, header.height)))
    return digest.hexdigest()
