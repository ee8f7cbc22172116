"""A TIFF of any layout, read by rows: pages, channels, floats, more pixels than memory holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from noisegen.files.opening import FREE_SAMPLES, RefusedError, check_declared_size, one_error
from noisegen.files.orientation import UPRIGHT, swaps_sides, upright
from noisegen.files.page_order import PageOrder, channel_names
from noisegen.files.picture import Samples
from noisegen.files.tiff import check_data, check_kind, check_pages, check_segments
from noisegen.files.tiff_page import Page, PageRows


@dataclass(frozen=True)
class Plane:
    """One picture of a volume: gray, or RGB."""

    channel: str
    """Name of its channel, fit for file names; empty where the file has but one."""
    frame: int
    """Its number among the channel's pictures: slices, moments or pages."""
    page: int
    """The number of the page that it is part of, among those that are read."""
    first: int
    """The first of its samples among those of a pixel."""
    channels: int
    """Samples that it takes, 1 for gray, 3 for RGB."""

    @property
    def samples(self) -> slice:
        """Slice of its samples among those of a pixel."""
        return slice(self.first, self.first + self.channels)


@dataclass(frozen=True)
class VolumeHeader:
    """What a file declares of its pages, which are all alike; nothing is decoded."""

    pages: int
    """How many are read; thumbnails are none."""
    height: int
    """Rows of each, upright."""
    width: int
    """Columns of each, upright."""
    samples: int
    """Of a pixel: the channels of its planes, and alpha where there is one."""
    dtype: np.dtype[Any]
    """uint8, uint16, uint32, int16, float16, float32 or float64."""
    planes: tuple[Plane, ...]
    """In the file's order."""
    channels: tuple[str, ...]
    """Names of the channels; one, empty, where all planes are of one kind."""
    copyable: bool
    """Whether the file itself holds exactly these pixels, losslessly and upright."""

    @property
    def plane_channels(self) -> int:
        """1 where the planes are gray, 3 where they are RGB."""
        return self.planes[0].channels

    @property
    def pixels(self) -> int:
        """Number of pixels of all planes together."""
        return self.height * self.width * len(self.planes)

    @property
    def page_shape(self) -> tuple[int, int, int]:
        """H×W×S of a page."""
        return self.height, self.width, self.samples


class Volume:
    """The pages of an opened TIFF.

    Args:
        path: of the file, for errors.
        tiff: that is open.
        order: of its pages.
        by_rows: it is read by rows and written again, not read page by page into memory.

    Raises:
        RefusedError: the pages differ, cannot be read without losing anything, or are cut short.
    """

    def __init__(
        self, path: Path, tiff: tifffile.TiffFile, order: PageOrder, *, by_rows: bool
    ) -> None:
        self.path = path
        self.tiff = tiff
        self.in_one_page = order.in_one_page
        used = sorted({index for channel in order.planes for index in channel})
        self._pages = [
            Page(tiff.pages[0], number) if self.in_one_page else Page(tiff.pages[index])
            for number, index in enumerate(used)
        ]
        check_kind(tiff)
        check_pages(self._pages)
        self.first = self._pages[0]
        self._orientation = self.first.orientation
        self.header = self._header(order, {index: number for number, index in enumerate(used)})
        self._check_data(by_rows)
        if by_rows:
            self._check_rewritable()
        self._reading: tuple[int, Callable[[int, int], Samples]] | None = None

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
                self._reading = page, self._reader(page)
            return self._reading[1](top, bottom)

    def bands(self, samples: int) -> Iterator[Samples]:
        """Yield all rows of all pages in order, about so many samples at a time."""
        header = self.header
        step = max(1, samples // (header.width * header.samples))
        for page in range(header.pages):
            for top in range(0, header.height, step):
                yield self.rows(page, top, min(top + step, header.height))

    def plane(self, index: int) -> PlaneRows:
        """One of the header's planes."""
        return PlaneRows(self, self.header.planes[index])

    def whole(self, page: int) -> Samples:
        """A page of which all rows fit in memory, upright, H×W×S.

        Raises:
            RefusedError: it is damaged, or larger than a picture may be.
        """
        if not self.in_one_page:
            check_data(self._pages[page])
        return upright(PageRows(self._pages[page]).whole(), self._orientation)

    @property
    def described_pages(self) -> list[Page]:
        """Pages with tags of their own: the first alone where it stands for all."""
        return self._pages[:1] if self.in_one_page else self._pages

    @property
    def is_turned(self) -> bool:
        """Whether the rows are upright where the stored ones are not."""
        return self._orientation != UPRIGHT

    def _check_rewritable(self) -> None:
        """Refuse what cannot be written again, by rows and in the same structure."""
        first, header, turned = self.first, self.header, self._orientation
        if self.is_turned and header.height * header.width * header.samples > FREE_SAMPLES:
            raise RefusedError(
                f"too large to be turned upright in memory (orientation {turned}): save it upright"
            )
        said = first.raw.description
        if swaps_sides(turned) and (said.startswith("{") or "<OME" in said):
            raise RefusedError(
                "its description is of the picture before it is turned upright (orientation "
                f"{turned}): save it upright"
            )
        in_use = len(self.described_pages)
        if "<OME" in said and in_use != len(self.tiff.pages):
            # Its numbers of pages would be wrong in a file without the others.
            raise RefusedError(
                f"has {len(self.tiff.pages)} pages, but its OME description speaks of {in_use}: "
                "save it again without the others"
            )

    def _reader(self, page: int) -> Callable[[int, int], Samples]:
        """Reader of a page's rows; a page that is turned upright is held in memory."""
        if not self.is_turned:
            return PageRows(self._pages[page]).rows
        turned = self.whole(page)
        return lambda top, bottom: np.ascontiguousarray(turned[top:bottom])

    def _header(self, order: PageOrder, numbers: dict[int, int]) -> VolumeHeader:
        first = self.first
        height, width = first.height, first.width
        if swaps_sides(self._orientation):
            height, width = width, height
        planes, channels = _planes(order, first, numbers)
        return VolumeHeader(
            pages=len(self._pages),
            height=height,
            width=width,
            samples=first.samples,
            dtype=first.dtype,
            planes=planes,
            channels=channels,
            copyable=not self.is_turned
            and not first.is_expanded
            and all(page.is_lossless for page in self._pages),
        )

    def _check_data(self, by_rows: bool) -> None:
        first, header, size = self.first, self.header, self.tiff.filehandle.size
        samples = header.samples * header.pages
        check_declared_size(header.width, header.height, samples, size, by_rows=by_rows)
        following = header.pages if self.in_one_page else 1
        for page in self.described_pages:
            check_segments(page)
            raw = page.raw
            if raw.is_final and raw.dataoffsets[0] + following * raw.nbytes > size:
                raise RefusedError("the TIFF is cut short: get an intact copy of the file")
        if self.in_one_page and not first.raw.is_final:
            raise RefusedError(
                f"says that it holds {following} pictures, but is cut short or compressed: get an "
                "intact copy of the file, or save it uncompressed"
            )


def _planes(
    order: PageOrder, page: Page, numbers: dict[int, int]
) -> tuple[tuple[Plane, ...], tuple[str, ...]]:
    """The planes in the file's order, and the names of their channels.

    Gray samples of a pixel, and the C axis that OME, ImageJ and tifffile write, are channels; RGB
    pages are one channel. Alpha belongs to no plane.

    Args:
        order: of the pages.
        page: one of them; they are all alike.
        numbers: of each page among those that are read.

    Raises:
        RefusedError: channels whose pixels have several samples that are no colours.
    """
    apart = 1 if page.is_rgb else page.samples - page.has_alpha
    if apart > 1 and len(order.channels) > 1:
        raise RefusedError(
            f"has {len(order.channels)} channels of {apart} samples each: save a page a channel"
        )
    names = order.channels if apart == 1 else channel_names([None] * apart)
    names = names if len(names) > 1 else ("",)
    planes = [
        Plane(names[max(index, first)], frame, numbers[at], first, 3 if page.is_rgb else 1)
        for index, pages in enumerate(order.planes)
        for first in range(apart)
        for frame, at in enumerate(pages)
    ]
    return tuple(sorted(planes, key=lambda plane: (plane.page, plane.first))), names


@dataclass(frozen=True)
class PlaneRows:
    """One plane of a volume, read by rows."""

    volume: Volume
    plane: Plane

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        header = self.volume.header
        return header.height, header.width, self.plane.channels

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of its samples."""
        return self.volume.header.dtype

    def rows(self, top: int, bottom: int) -> Samples:
        """Rows top to bottom − 1, h×W×C.

        Raises:
            ImageError: the file is damaged there.
        """
        rows = self.volume.rows(self.plane.page, top, bottom)
        # A copy, unless it is all: a view would keep the other samples in memory.
        return np.ascontiguousarray(rows[:, :, self.plane.samples])
