"""Writing a volume by rows, in the structure of the one that it was made from.

Pages, channels, type, byte order, description (OME, ImageJ, any other), resolution and profile stay
as they are. tifffile writes its own description and dates, and no ImageJ stack by rows: so the few
bytes around the samples are written here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from noisegen.files.read import one_error
from noisegen.files.tiff_expand import is_rgb
from noisegen.files.tiff_storage import Deflated, Form, Plain
from noisegen.files.tiff_support import MIN_IS_BLACK, PLANES_APART, RGB
from noisegen.files.tiff_tags import Entry, kept_entries
from noisegen.files.volume import Volume
from noisegen.files.volume_hash import VolumeHash

Samples = NDArray[Any]

# Beyond this the offsets of a classic TIFF could overflow.
_BIG = 2**32 - 2**25


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
    ImageJ file is written uncompressed, each page after the other, as ImageJ needs it; others in
    deflated strips without predictor, which noise does not need.

    Args:
        file: where to, empty; it must be able to seek.
        volume: whose structure it gets.
        bands: h×W×S samples, alpha included, page after page, each from top to bottom.
        size: height and width of each page; the volume's where not given.
        identity: what tells this file from the volume and from its other versions.
        compression: zlib's level, 0 to 9.

    Returns:
        The :class:`VolumeHash` of what was written.

    Raises:
        ImageError: the volume's metadata cannot be read.
        OSError: the file cannot be written.
        ValueError: the bands are not of the volume's samples, or do not fill its pages.
    """
    declared = volume.header
    height, width = size or (declared.height, declared.width)
    with one_error(volume.path):
        tags = [
            kept_entries(
                page, volume.file, (height, width), turned=volume.is_turned, identity=identity
            )
            for page in volume.described_pages
        ]
    form = _form(volume, height, width, tags)
    # ImageJ looks for the pages of a stack one after the other, without a gap.
    plain = volume.tiff.is_imagej or volume.in_one_page
    storage = Plain(file, form) if plain else Deflated(file, form, compression)
    digest = VolumeHash(declared.pages, height, width, declared.samples, declared.dtype)
    page, row = 0, 0
    for band in bands:
        if page == declared.pages or band.shape[0] > height - row:
            raise ValueError("more rows than the volume has")
        if band.dtype != declared.dtype or band.shape[1:] != (width, declared.samples):
            raise ValueError(f"rows of {band.dtype} {band.shape[1:]} do not fit the volume")
        digest.update(band)
        storage.add(page, row, band)
        row += band.shape[0]
        if row == height:
            page, row = page + 1, 0
    if page != declared.pages:
        raise ValueError("fewer rows than the volume has")
    storage.finish()
    return digest.hexdigest()


def _form(volume: Volume, height: int, width: int, tags: list[list[Entry]]) -> Form:
    first, declared = volume.first, volume.header
    total = declared.pages * height * width * declared.samples * declared.dtype.itemsize
    total += sum(len(entry.data) for page in tags for entry in page)
    return Form(
        pages=declared.pages,
        height=height,
        width=width,
        samples=declared.samples,
        apart=first.planarconfig == PLANES_APART and first.samplesperpixel > 1,
        dtype=np.dtype(declared.dtype).newbyteorder(volume.tiff.byteorder),
        order=volume.tiff.byteorder,
        photometric=RGB if is_rgb(first) else MIN_IS_BLACK,
        tags=tags,
        # ImageJ passes 4 GB in classic files whose one directory stands for all pages.
        big=bool(volume.tiff.is_bigtiff) or (total > _BIG and not volume.in_one_page),
    )
