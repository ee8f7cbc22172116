"""Which volumes can be read by rows, and written again, without losing anything."""

from __future__ import annotations

from collections.abc import Sequence

import tifffile

from noisegen.files.description import RefusedError
from noisegen.files.limits import FREE_SAMPLES, check_declared_size
from noisegen.files.orientation import UPRIGHT, swaps_sides
from noisegen.files.stack_layout import Layout
from noisegen.files.stack_support import check_kind, check_pages
from noisegen.files.tiff import check_segments
from noisegen.files.tiff_expand import expanded_samples


def check_volume(
    tiff: tifffile.TiffFile, layout: Layout, pages: Sequence[tifffile.TiffPage], orientation: int
) -> None:
    """Refuse what cannot be read, or not be written in the same structure.

    Args:
        tiff: the file.
        layout: of its pages.
        pages: those that are read; the only one as often as there are pictures behind it.
        orientation: EXIF's 1–8 of all of them.

    Raises:
        RefusedError: says what, and the way out.
    """
    check_kind(tiff)
    check_pages(pages)
    _check_data(tiff, layout, pages)
    _check_orientation(pages[0], orientation)
    in_use = 1 if layout.in_one_page else len(pages)
    if "<OME" in pages[0].description and in_use != len(tiff.pages):
        # Its numbers of pages would be wrong in a file without the others.
        raise RefusedError(
            f"has {len(tiff.pages)} pages, but its OME description speaks of {in_use}: save it "
            "again without the others"
        )


def _check_data(
    tiff: tifffile.TiffFile, layout: Layout, pages: Sequence[tifffile.TiffPage]
) -> None:
    first, size = pages[0], tiff.filehandle.size
    samples = expanded_samples(first) * len(pages)
    check_declared_size(first.imagewidth, first.imagelength, samples, size, by_rows=True)
    following = len(pages) if layout.in_one_page else 1
    for page in pages[:1] if layout.in_one_page else pages:
        check_segments(page, size)
        if page.is_final and page.dataoffsets[0] + following * page.nbytes > size:
            raise RefusedError("the TIFF is cut short: get an intact copy of the file")
    if layout.in_one_page and not first.is_final:
        raise RefusedError(
            f"says that it holds {following} pictures, but is compressed: save it uncompressed"
        )


def _check_orientation(first: tifffile.TiffPage, orientation: int) -> None:
    samples = first.imagewidth * first.imagelength * expanded_samples(first)
    if orientation != UPRIGHT and samples > FREE_SAMPLES:
        raise RefusedError(
            f"too large to be turned upright in memory (orientation {orientation}): save it upright"
        )
    described = first.description.startswith("{") or "<OME" in first.description
    if swaps_sides(orientation) and described:
        raise RefusedError(
            "its description is of the picture before it is turned upright (orientation "
            f"{orientation}): save it upright"
        )
