"""TIFF: one page of 8- or 16-bit gray or RGB, exact, with alpha, profile and orientation.

Pillow truncates 16-bit RGB, so tifffile reads and writes. What one picture cannot stand for
(several pages, float samples, CMYK, premultiplied alpha) is refused by name.
"""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray

from noisegen.files.description import Description, RefusedError
from noisegen.files.limits import check_declared_size
from noisegen.files.orientation import valid_orientation
from noisegen.files.picture import Picture, Pixels, with_alpha
from noisegen.files.tiff_chain import check_chain
from noisegen.files.tiff_expand import expanded, palette_of
from noisegen.files.tiff_support import (
    MIN_IS_WHITE,
    PALETTE,
    PLANES_APART,
    SAMPLES_OF_PLAIN_PICTURES,
    check_supported,
    is_lossless,
)

# tifffile logs every oddity of a damaged file; where no program has set up logging that would
# reach stderr, beside the one error that tells the user.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

ORIENTATION, _PROFILE = 274, 34675
# Beyond this the offsets of a classic TIFF could overflow; tifffile decides by itself only for
# uncompressed data.
_BIG = 2**32 - 2**25


def describe(file: BinaryIO) -> Description:
    """Read the tags of a TIFF; no pixel is decoded.

    Raises:
        RefusedError: it holds something else than one 8- or 16-bit gray or RGB picture, or its
            data are not all there.
    """
    with _page(file) as page:
        palette = page.photometric == PALETTE
        bits = page.bitspersample
        return Description(
            width=page.imagewidth,
            height=page.imagelength,
            channels=3 if palette else SAMPLES_OF_PLAIN_PICTURES[page.photometric],
            has_alpha=len(page.extrasamples) == 1,
            dtype=np.dtype(np.uint16 if bits == 16 and not palette else np.uint8),
            icc=page.tags.valueof(_PROFILE) or None,
            orientation=valid_orientation(page.tags.valueof(ORIENTATION)),
            verbatim=bits >= 8
            and not palette
            and page.photometric != MIN_IS_WHITE
            and (page.samplesperpixel == 1 or page.planarconfig != PLANES_APART)
            and is_lossless(page.compression),
        )


def decode(file: BinaryIO) -> Pixels:
    """Decode the samples, H×W×S; palettes and single bits are expanded, min-is-white inverted."""
    with _page(file) as page:
        stored = page.asarray(squeeze=False)
        return expanded(joined(stored), page)


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


@contextmanager
def _page(file: BinaryIO) -> Iterator[tifffile.TiffPage]:
    """The file's only page, checked for what is supported, for size and for missing data."""
    file_size = file.seek(0, 2)
    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        check_chain(tiff)
        page = check_supported(tiff)
        if page.photometric == PALETTE:
            palette_of(page)
        check_data(page, file_size)
        yield page


def joined(stored: NDArray[Any]) -> NDArray[Any]:
    """H×W×S samples of tifffile's five axes: separate sample, depth (1), row, column, sample."""
    return np.moveaxis(stored[:, 0], 0, -1).reshape(*stored.shape[2:4], -1)


def check_data(page: tifffile.TiffPage, file_size: int) -> None:
    """The page's size is within the limits, and every strip or tile lies inside the file.

    Raises:
        RefusedError: too large, or cut short.
    """
    samples = page.samplesperpixel
    check_declared_size(page.imagewidth, page.imagelength, samples, file_size)
    if page.is_tiled:
        # Tiles are decoded whole, so an absurd tile costs what an absurd picture does.
        width = math.ceil(page.imagewidth / page.tilewidth) * page.tilewidth
        height = math.ceil(page.imagelength / page.tilelength) * page.tilelength
        check_declared_size(width, height, samples, file_size)
    check_segments(page, file_size)


def check_segments(page: tifffile.TiffPage, file_size: int) -> None:
    """Every strip or tile of the page lies inside the file: tifffile fills up missing ones.

    Raises:
        RefusedError: the file is cut short.
    """
    segments = list(zip(page.dataoffsets, page.databytecounts, strict=False))
    complete = page.is_contiguous or len(segments) >= math.prod(page.chunked)
    inside = all(start > 0 and size > 0 and start + size <= file_size for start, size in segments)
    if not segments or not complete or not inside:
        raise RefusedError("the TIFF is cut short or lacks data: get an intact copy of the file")
