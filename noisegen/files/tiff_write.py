"""Writing TIFFs through tifffile: a picture, and by rows the pages of a volume.

A volume's pages, channels, type, byte order, description (OME, ImageJ, any other), resolution and
profile stay as they are; tifffile's own description and dates are left out.
"""

from __future__ import annotations

import io
import json
import math
import re
import struct
import uuid
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import tifffile

from noisegen.files.declared import RefusedError
from noisegen.files.opening import one_error
from noisegen.files.picture import Picture, PixelHash, Samples, with_alpha
from noisegen.files.tiff import APART, PALETTE, TOGETHER, is_apart, is_rgb
from noisegen.files.volume import Volume, VolumeHeader

# Beyond this the offsets of a classic TIFF could overflow; tifffile decides by itself only for
# uncompressed data.
_BIG = 2**32 - 2**25
_STRIP_BYTES = 2**20
_MOST_TAG_BYTES = 2**27

_DESCRIPTION, _ORIENTATION, _RESOLUTION, _UNIT = 270, 274, (282, 283), 296
# How the samples are stored, and what else is said anew; extremes, previews and layers, which are
# those of the clean; and places of other data in the old file.
_LEFT_OUT = frozenset(
    {
        *(
            254,
            255,
            256,
            257,
            258,
            259,
            262,
            266,
            273,
            277,
            278,
            279,
            280,
            281,
            282,
            283,
            284,
            288,
            289,
        ),
        *(292, 293, 296, 317, 320, 322, 323, 324, 325, 330, 338, 339, 340, 341, 347, 400),
        *range(512, 522),
        *(529, 530, 531, 532, 32997, 32998, 34377, 34665, 34853, 37724, 40965),
    }
)
# Where a picture lies on the Earth: a crop of it lies elsewhere.
_PLACE = frozenset({33550, 33922, 34264, 34735, 34736, 34737})
_Said: TypeAlias = dict[str, Any]
"""Arguments of ``TiffWriter.write``."""

_IFDS, _RATIONALS = (13, 18), {5: "I", 10: "i"}


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

    The bytes follow from the samples, the volume, and the options, whatever the bands' heights. An
    ImageJ file is written uncompressed, each page after the other, as ImageJ needs it, and so are
    planes that lie apart; others in deflated strips without predictor, which noise does not need.

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
    total = header.pages * math.prod(shape) * header.dtype.itemsize
    # ImageJ passes 4 GB in classic files whose one directory stands for all pages.
    big = volume.tiff.is_bigtiff or (total > _BIG and not volume.in_one_page)
    order = volume.tiff.byteorder
    with tifffile.TiffWriter(file, bigtiff=big, byteorder=order, shaped=False) as writer:
        if volume.in_one_page or volume.tiff.is_imagej:
            # ImageJ looks for the pages of a stack one after the other, without a gap.
            pages = 1 if volume.in_one_page else header.pages
            _write_plainly(writer, file, source, said[0], pages=pages, following=header.pages)
        elif is_apart(volume.first):
            # Strips would have to come plane after plane; the bands hold all planes.
            for page in said:
                _write_plainly(writer, file, source, page)
        else:
            for page in said:
                _write_deflated(writer, source, page, compression)
    return source.hexdigest()


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
        """As tifffile wants it: H×W where a pixel has one sample."""
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
    """The same rows in strips of so many; the last may have fewer."""
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


def _said_of(
    page: tifffile.TiffPage, volume: Volume, shape: tuple[int, int, int], identity: str
) -> _Said:
    """What a page says that holds for its noisy version, as arguments of ``TiffWriter.write``."""
    extra = tuple(int(kind) for kind in page.extrasamples)
    resolution = [_ratio(page.tags.valueof(code)) for code in _RESOLUTION]
    unit = page.tags.valueof(_UNIT)
    return {
        "photometric": "rgb" if is_rgb(page) else "minisblack",
        "planarconfig": (APART if is_apart(page) else TOGETHER) if shape[2] > 1 else None,
        "extrasamples": extra or None,
        "subfiletype": page.subfiletype,
        "resolution": None if None in resolution else resolution,
        "resolutionunit": int(unit) if unit in range(1, 6) else None,
        "extratags": _kept_tags(page, volume, shape[:2], identity),
        "software": False,
        "metadata": None,
    }


def _ratio(value: object) -> tuple[int, int] | None:
    """A numerator and a denominator that is not 0."""
    sound = isinstance(value, tuple) and len(value) == 2 and value[1]
    return (int(value[0]), int(value[1])) if sound else None


def _kept_tags(
    page: tifffile.TiffPage, volume: Volume, size: tuple[int, int], identity: str
) -> list[tuple[int, int, int, Any, bool]]:
    is_moved = volume.is_turned or size != (page.imagelength, page.imagewidth)
    left_out = _LEFT_OUT | (_PLACE if is_moved else set())
    left_out |= {_ORIENTATION} if volume.is_turned else set()
    tags = [
        tag for tag in page.tags.values() if tag.code not in left_out and tag.dtype not in _IFDS
    ]
    if sum(tag.valuebytecount for tag in tags) > _MOST_TAG_BYTES:
        raise RefusedError("its metadata take more than 128 MiB: save it without them")
    last = volume.described_pages[-1].tags
    return [
        (
            tag.code,
            int(tag.dtype),
            tag.count,
            _value(tag, page, size, identity),
            # Of pages that are written together, the first alone may say it.
            tag.code not in last,
        )
        for tag in tags
    ]


def _value(
    tag: tifffile.TiffTag, page: tifffile.TiffPage, size: tuple[int, int], identity: str
) -> bytes | tuple[int, ...]:
    """A tag's value as it is stored; rationals as integers, as tifffile wants them."""
    handle = page.parent.filehandle
    handle.seek(tag.valueoffset)
    data: bytes = handle.read(tag.valuebytecount)
    if len(data) != tag.valuebytecount:
        raise RefusedError("its metadata are cut short: get an intact copy of the file")
    if tag.code == _DESCRIPTION:
        return _described(data, page, size, identity)
    if tag.dtype in _RATIONALS:
        layout = f"{page.parent.byteorder}{2 * tag.count}{_RATIONALS[tag.dtype]}"
        return struct.unpack(layout, data)
    return data


def _described(data: bytes, page: tifffile.TiffPage, size: tuple[int, int], identity: str) -> bytes:
    """The description, true of the new file: in OME its identity and size, in tifffile's size."""
    if b"<OME" in data:
        return _ome(data, size, identity)
    if data.startswith(b"{") and b'"shape"' in data:
        return _shaped(data, page, size)
    return data


def _ome(data: bytes, size: tuple[int, int], identity: str) -> bytes:
    # An OME file has a UUID of its own, by which readers put together sets of files: noisy and
    # clean must not be taken for one. The file names beside it are optional, and would be wrong
    # where a noisy file is called otherwise.
    own = re.search(rb"<(?:\w+:)?OME\b[^>]*?\bUUID=\"([^\"]+)\"", data)
    if own is not None:
        name = own[1].decode("ascii", "replace") + identity
        new = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, name)}".encode()
        for before, after in ((b'UUID="', b'"'), (b">", b"<")):
            data = data.replace(before + own[1] + after, before + new + after)
    data = re.sub(rb'(<(?:\w+:)?UUID)\s+FileName="[^"]*"', rb"\1", data)
    for axis, side in ((b"Y", size[0]), (b"X", size[1])):
        data = re.sub(rb'\bSize%s="\d+"' % axis, b'Size%s="%d"' % (axis, side), data)
    return data


def _shaped(data: bytes, page: tifffile.TiffPage, size: tuple[int, int]) -> bytes:
    meta = json.loads(data.rstrip(b"\0"))
    shape = list(meta["shape"])
    together = page.samplesperpixel > 1 and page.planarconfig == 1
    sides = slice(-3, -1) if together else slice(-2, None)
    if shape[sides] == [page.imagelength, page.imagewidth]:
        shape[sides] = size
        if page.photometric == PALETTE:
            # The samples of the colours that the palette was expanded to.
            shape.append(3)
            meta |= {"axes": meta["axes"] + "S"} if "axes" in meta else {}
        meta["shape"] = shape
    return json.dumps(meta).encode() + b"\0"
