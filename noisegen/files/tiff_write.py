"""Writing TIFFs through tifffile: a picture, and by rows the pages of a volume.

A volume's pages, channels, type, byte order, description (OME, ImageJ, any other), resolution and
profile stay as they are; tifffile's own description and dates are left out.
"""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import tifffile

from noisegen.files.opening import one_error
from noisegen.files.picture import Picture, PixelHash, Samples, with_alpha
from noisegen.files.tiff_page import APART, TOGETHER, Page
from noisegen.files.tiff_tags import kept_tags
from noisegen.files.volume import Volume, VolumeHeader

# Beyond this the offsets of a classic TIFF could overflow; tifffile decides by itself only for
# uncompressed data.
_BIG = 2**32 - 2**25
_STRIP_BYTES = 2**20
_RESOLUTION, _UNIT = (282, 283), 296

_Said: TypeAlias = dict[str, Any]
"""Arguments of ``TiffWriter.write``."""


def encode(picture: Picture, compression: int) -> bytes:
    """The picture as TIFF: deflated without predictor, so that plain tifffile reads it.

    Depth, alpha and profile are kept; no date and no program name is written.
    """
    samples = with_alpha(picture)
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        samples[:, :, 0] if samples.shape[2] == 1 else samples,
        photometric="minisblack" if picture.channels == 1 else "rgb",
        planarconfig=None if samples.shape[2] == 1 else "contig",
        extrasamples=None if picture.alpha is None else ["unassalpha"],
        compression="zlib",
        compressionargs={"level": compression},
        predictor=False,
        bigtiff=samples.nbytes > _BIG,
        iccprofile=picture.icc,
        software=False,
        metadata=None,
    )
    return buffer.getvalue()


def write_volume(
    file: BinaryIO,
    volume: Volume,
    bands: Iterable[Samples],
    *,
    size: tuple[int, int] | None = None,
    identity: str = "",
    compression: int = 1,
) -> str:
    """Write samples as a TIFF with the structure and metadata of a volume.

    The bytes follow from the samples, the volume, and the options, whatever the bands' heights.

    Args:
        file: where to, empty; it must be able to seek.
        volume: whose structure it gets.
        bands: h×W×S samples, alpha included, page after page, each from top to bottom.
        size: height and width of each page; the volume's where not given.
        identity: what tells this file from the volume and from its other versions.
        compression: zlib's level, 0 to 9.

    Returns:
        The :class:`PixelHash` of what was written.

    Raises:
        ImageError: the volume's metadata cannot be read.
        OSError: the file cannot be written.
        ValueError: the bands are not of the volume's samples, or do not fill its pages.
    """
    header = volume.header
    shape = (*(size or header.page_shape[:2]), header.samples)
    with one_error(volume.path):
        said = [_said_of(page, volume, shape, identity) for page in volume.described_pages]
    source = _Source(iter(bands), shape, header)
    _write_pages(file, volume, source, said, compression)
    return source.hexdigest()


def _write_pages(
    file: BinaryIO, volume: Volume, source: _Source, said: list[_Said], compression: int
) -> None:
    """Write all pages: an ImageJ file's uncompressed and one after the other, as ImageJ needs it.

    Others are written in deflated strips without predictor, which noise does not need; but where
    samples lie apart, uncompressed: their strips would have to come plane after plane.
    """
    pages, order = volume.header.pages, volume.tiff.byteorder
    total = pages * math.prod(source.shape) * source.dtype.itemsize
    # ImageJ passes 4 GB in classic files whose one directory stands for all pages.
    big = volume.tiff.is_bigtiff or (total > _BIG and not volume.in_one_page)
    with tifffile.TiffWriter(file, bigtiff=big, byteorder=order, shaped=False) as writer:
        if volume.in_one_page:
            _write_plainly(writer, file, source, said[0], following=pages)
        elif volume.tiff.is_imagej:
            _write_plainly(writer, file, source, said[0], pages=pages, following=pages)
        elif volume.first.is_apart:
            for page in said:
                _write_plainly(writer, file, source, page)
        else:
            for page in said:
                _write_deflated(writer, source, page, compression)


class _Source:
    """The bands that a volume's pages are written from, checked and hashed on the way.

    Raises:
        ValueError: the bands are not of the pages' samples, or do not fill them.
    """

    def __init__(
        self, bands: Iterator[Samples], shape: tuple[int, int, int], header: VolumeHeader
    ) -> None:
        self.shape, self.dtype = shape, header.dtype
        self._bands = bands
        self._digest = PixelHash(header.pages, shape, header.dtype)

    @property
    def page_shape(self) -> tuple[int, ...]:
        """Shape for tifffile: H×W where a pixel has one sample."""
        return self.shape[:2] if self.shape[2] == 1 else self.shape

    def of_page(self) -> Iterator[Samples]:
        """The bands of the next page, from top to bottom."""
        left = self.shape[0]
        while left:
            band = next(self._bands, None)
            if band is None:
                raise ValueError("fewer rows than the volume has")
            if band.dtype != self.dtype or band.shape[1:] != self.shape[1:]:
                raise ValueError(f"rows of {band.dtype} {band.shape[1:]} do not fit the volume")
            left -= band.shape[0]
            if left < 0:
                raise ValueError("more rows than the volume has")
            self._digest.update(band)
            yield band

    def hexdigest(self) -> str:
        """The hash of all pages, once they are written."""
        if next(self._bands, None) is not None:
            raise ValueError("more rows than the volume has")
        return self._digest.hexdigest()


def _write_plainly(
    writer: tifffile.TiffWriter,
    file: BinaryIO,
    source: _Source,
    said: _Said,
    *,
    pages: int = 1,
    following: int = 1,
) -> None:
    """Write pages uncompressed, one after the other without a gap.

    Args:
        writer: of the file.
        file: that it writes to.
        source: of the samples.
        said: what all the pages say.
        pages: that get a directory.
        following: pages in all.
    """
    height, width, samples = source.shape
    apart = said["planarconfig"] == APART
    shape = (samples, height, width) if apart else source.page_shape
    start, _ = writer.write(
        None, shape=(pages, *shape), dtype=source.dtype, returnoffset=True, **said
    )
    end = file.tell()
    planes, dtype = samples if apart else 1, source.dtype.newbyteorder(writer.tiff.byteorder)
    row_bytes = width * samples // planes * dtype.itemsize
    for page in range(following):
        top = 0
        for band in source.of_page():
            for plane, part in enumerate(np.split(band, planes, axis=2)):
                file.seek(start + ((page * planes + plane) * height + top) * row_bytes)
                file.write(np.ascontiguousarray(part, dtype).data)
            top += band.shape[0]
    file.seek(end)


def _write_deflated(
    writer: tifffile.TiffWriter, source: _Source, said: _Said, compression: int
) -> None:
    """Write a page in strips, which tifffile takes as bytes only where they come one by one."""
    height, width, samples = source.shape
    dtype = source.dtype.newbyteorder(writer.tiff.byteorder)
    rows = max(1, min(height, _STRIP_BYTES // (width * samples * dtype.itemsize)))
    strips = (
        zlib.compress(np.ascontiguousarray(strip, dtype).data, compression)
        for strip in _in_strips(source.of_page(), rows)
    )
    writer.write(
        strips,
        shape=source.page_shape,
        dtype=source.dtype,
        compression="zlib",
        predictor=False,
        rowsperstrip=rows,
        **said,
    )


def _in_strips(bands: Iterator[Samples], rows: int) -> Iterator[Samples]:
    """Cut bands into strips of so many rows; the last may have fewer."""
    waiting: list[Samples] = []
    for band in bands:
        waiting.append(band)
        held = sum(part.shape[0] for part in waiting)
        if held >= rows:
            joined, whole = np.concatenate(waiting), held // rows * rows
            yield from (joined[top : top + rows] for top in range(0, whole, rows))
            waiting = [joined[whole:].copy()]
    if sum(part.shape[0] for part in waiting):
        yield np.concatenate(waiting)


def _said_of(page: Page, volume: Volume, shape: tuple[int, int, int], identity: str) -> _Said:
    """Tags of a page that hold for its noisy version, as arguments of ``TiffWriter.write``."""
    resolution = [_ratio(page.raw.tags.valueof(code)) for code in _RESOLUTION]
    unit = page.raw.tags.valueof(_UNIT)
    colours = 3 if page.is_rgb else 1
    return {
        "photometric": "rgb" if page.is_rgb else "minisblack",
        "planarconfig": (APART if page.is_apart else TOGETHER) if shape[2] > 1 else None,
        "extrasamples": page.extra if len(page.extra) == shape[2] - colours else None,
        "subfiletype": page.raw.subfiletype,
        "resolution": None if None in resolution else resolution,
        "resolutionunit": int(unit) if unit in range(1, 6) else None,
        "extratags": kept_tags(page, volume, shape[:2], identity),
        "software": False,
        "metadata": None,
    }


def _ratio(value: object) -> tuple[int, int] | None:
    """A numerator and a denominator that is not 0."""
    if isinstance(value, tuple) and len(value) == 2 and value[1]:
        return int(value[0]), int(value[1])
    return None
