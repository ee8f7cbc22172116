"""Pictures of any file by channel: the stacks, channels and floats of microscopes' TIFFs too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import tifffile
from numpy.typing import NDArray

from noisegen.files.description import RefusedError
from noisegen.files.limits import check_declared_size
from noisegen.files.orientation import packed, upright, valid_orientation
from noisegen.files.picture import Container
from noisegen.files.read import opened, read_picture
from noisegen.files.stack_layout import Layout, layout_of
from noisegen.files.stack_planes import planes_of
from noisegen.files.stack_support import check_kind, check_pages, holds_planes
from noisegen.files.tiff import ORIENTATION, check_data, joined
from noisegen.files.tiff_chain import check_chain
from noisegen.files.tiff_expand import expanded

Samples: TypeAlias = NDArray[Any]
"""H×W×C samples, C is 1 or 3, of dtype uint8, uint16 or float32."""


@dataclass(frozen=True, eq=False)
class Planes:
    """All pictures of one file, without alpha."""

    channels: tuple[str, ...]
    """Names of the channels, fit for file names and all different; one, empty, where the file
    has no channels but gray or RGB."""
    frames: tuple[tuple[Samples, ...], ...]
    """The pictures of each channel in the file's order: slices, moments or pages; all of one
    shape and type, as many in every channel."""


def read_planes(path: str | Path) -> Planes:
    """Read every picture of a file.

    Several gray samples of a pixel, and the C axis that OME, ImageJ and tifffile write, are
    channels; every other axis and page is a frame. An RGB file is one channel of RGB frames.

    Args:
        path: a PNG, JPEG, TIFF, WebP or BMP file. TIFFs may have many pages, and samples of 8 or 16
            bits or floats; 32-bit integers where they fit into 16 bits.

    Returns:
        The pictures, upright; floats as float32, in their own range.

    Raises:
        ImageError: the file is missing, damaged, not supported, larger than the limits of
            ``noisegen.files.limits``, or holds NaN or infinite values.
    """
    with opened(Path(path)) as (file, container):
        if container is Container.TIFF:
            file_size = file.seek(0, 2)
            file.seek(0)
            with tifffile.TiffFile(file) as tiff:
                check_chain(tiff)
                layout = layout_of(tiff)
                if holds_planes(tiff) or layout.in_one_page:
                    return _planes(tiff, layout, file, file_size)
    return Planes(("",), ((read_picture(path).pixels,),))


def _planes(tiff: tifffile.TiffFile, layout: Layout, file: BinaryIO, file_size: int) -> Planes:
    check_kind(tiff)
    used = sorted({index for channel in layout.planes for index in channel})
    pages = [tiff.pages[0 if layout.in_one_page else index] for index in used]
    first = pages[0]
    check_pages(pages)
    samples = first.samplesperpixel * len(pages)
    check_declared_size(first.imagewidth, first.imagelength, samples, file_size)
    if layout.in_one_page:
        read = _following(first, file, file_size, len(pages))
    else:
        read = (_page(page, file_size) for page in pages)
    orientation = valid_orientation(first.tags.valueof(ORIENTATION))
    pictures = dict(zip(used, (upright(stored, orientation) for stored in read), strict=True))
    return _by_channel(layout, pictures, first)


def _page(page: tifffile.TiffPage, file_size: int) -> Samples:
    check_data(page, file_size)
    return expanded(joined(page.asarray(squeeze=False)), page)


def _following(
    page: tifffile.TiffPage, file: BinaryIO, file_size: int, count: int
) -> Iterator[Samples]:
    """Pictures that lie one after the other in the file, described by one page."""
    check_data(page, file_size)
    start = page.dataoffsets[0]
    if not page.is_final or start + count * page.nbytes > file_size:
        raise RefusedError(
            f"says that it holds {count} pictures, but is cut short or compressed: get an intact "
            "copy of the file"
        )
    for index in range(count):
        file.seek(start + index * page.nbytes)
        stored = np.frombuffer(
            file.read(page.nbytes), page.dtype.newbyteorder(page.parent.byteorder)
        )
        yield expanded(joined(stored.reshape(page.shaped).astype(page.dtype)), page)


def _by_channel(layout: Layout, pictures: dict[int, Samples], page: tifffile.TiffPage) -> Planes:
    """The planes of pictures H×W×S."""
    channels = planes_of(layout, page)
    return Planes(
        tuple(planes[0].channel for planes in channels),
        tuple(
            tuple(_sound(pictures[plane.page][:, :, plane.samples]) for plane in planes)
            for planes in channels
        ),
    )


def _sound(samples: Samples) -> Samples:
    """Samples of a supported type."""
    if samples.dtype.kind == "f":
        with np.errstate(over="ignore"):
            floats = packed(samples.astype(np.float32))
        if not np.isfinite(floats).all():
            raise RefusedError("holds NaN or infinite values: replace them")
        return floats
    if samples.dtype.itemsize <= 2:
        return packed(samples)
    largest = int(samples.max())
    if largest > np.iinfo(np.uint16).max:
        raise RefusedError(f"32-bit integers up to {largest} are not supported: save it as float")
    return packed(samples.astype(np.uint16))
