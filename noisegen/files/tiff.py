"""TIFF through tifffile: opened, checked for what can be read exactly, one picture decoded.

Pillow truncates 16-bit RGB, so tifffile reads. It takes a chain of pages that breaks off for one
that ends, and fills up missing strips with zeros: so the file is checked before it is believed.
"""

from __future__ import annotations

import logging
import math
import struct
from collections.abc import Sequence
from typing import BinaryIO

import tifffile

from noisegen.files.opening import Description, RefusedError, check_declared_size
from noisegen.files.picture import Pixels
from noisegen.files.tiff_page import (
    JPEG,
    MIN_IS_BLACK,
    MIN_IS_WHITE,
    MULTIPLIED,
    PALETTE,
    RGB,
    UNSPECIFIED,
    YCBCR,
    Page,
    PageRows,
)

# tifffile logs every oddity of a damaged file; where no program has set up logging that would
# reach stderr, beside the one error that tells the user.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
_DEPTHS = {_UNSIGNED: (1, 8, 16, 32), _SIGNED: (16,), _FLOAT: (16, 32, 64)}
_PHOTOMETRIC, _PROFILE, _DNG_VERSION = 262, 34675, 50706
# Width, length, samples, rows of a strip, arrangement, sides of a tile: one number each.
_SINGLE = frozenset({256, 257, 277, 278, 284, 322, 323})
# Whose values are needed: bits, description (OME, ImageJ), strips, palette, tiles, kinds of
# samples, JPEG's tables, profile, ImageJ's metadata.
_NEEDED = frozenset({258, 270, 273, 279, 320, 324, 325, 338, 339, 347, 34675, 50838, 50839})
_COLOURS = {MIN_IS_WHITE: "min-is-white", MIN_IS_BLACK: "gray", RGB: "RGB", PALETTE: "palette"}
_COLOURS |= {5: "CMYK", YCBCR: "YCbCr", 8: "CIELab", 9: "ICCLab", 10: "ITULab"}
_COLOURS |= {32803: "camera raw (CFA)"}
_CONVERT = "not supported yet: convert to 8 or 16 bit gray or RGB"
_SAVE = "save it as 8 or 16 bit or float gray or RGB"
_INTACT = "get an intact copy of the file"
# Their pages mean something else than pictures of one kind, each in a way of its own.
_VENDORS = (
    *(("lsm", "a Zeiss LSM"), ("stk", "a MetaMorph STK"), ("fluoview", "an Olympus FluoView")),
    *(("scanimage", "a ScanImage"), ("sis", "an Olympus SIS"), ("svs", "an Aperio SVS")),
    *(("mdgel", "a Molecular Dynamics GEL"), ("ndpi", "a Hamamatsu NDPI"), ("eer", "an EER")),
    *(("scn", "a Leica SCN"), ("bif", "a Ventana BIF"), ("qpi", "a PerkinElmer QPI")),
)


def open_tiff(file: BinaryIO) -> tifffile.TiffFile:
    """The tags of a TIFF, whose chain of pages is whole.

    Raises:
        RefusedError: it breaks off, goes in a circle, or a tag that pixels depend on is cut short.
    """
    file.seek(0)
    tiff = tifffile.TiffFile(file)
    form, handle = tiff.tiff, tiff.filehandle

    def read(layout: str, size: int) -> int:
        data = handle.read(size)
        return int(struct.unpack(layout, data)[0]) if len(data) == size else handle.size

    handle.seek(8 if tiff.is_bigtiff else 4)
    seen: set[int] = set()
    while offset := read(form.offsetformat, form.offsetsize):
        if offset in seen or offset >= handle.size:
            raise RefusedError(f"the chain of the TIFF's pages breaks off: {_INTACT}")
        seen.add(offset)
        handle.seek(offset)
        table = handle.read(read(form.tagnoformat, form.tagnosize) * form.tagsize)
        for at in range(0, len(table), form.tagsize):
            _check_value(table[at : at + form.tagsize], tiff)
    return tiff


def _check_value(entry: bytes, tiff: tifffile.TiffFile) -> None:
    """A size is one number; values that pixels depend on lie in the file, others are left out."""
    form = tiff.tiff
    code, kind = struct.unpack_from(form.byteorder + "HH", entry)
    count, start = struct.unpack_from(form.byteorder + 2 * form.offsetformat[-1], entry, 4)
    size = count * struct.calcsize("<" + tifffile.TIFF.DATA_FORMATS.get(kind, "B"))
    if code in _SINGLE and count != 1:
        raise RefusedError(f"its tag {code} has {count} values instead of one: {_INTACT}")
    if code in _NEEDED and size > form.offsetsize and start + size > tiff.filehandle.size:
        raise RefusedError(f"the values of its tag {code} are cut short: {_INTACT}")


def describe(file: BinaryIO) -> Description:
    """Read the tags of a TIFF of one picture; no pixel is decoded.

    Raises:
        RefusedError: it holds something else than one 8- or 16-bit gray or RGB picture, or its
            data are not all there.
    """
    page = _only_page(file)
    return Description(
        width=page.width,
        height=page.height,
        channels=3 if page.is_rgb else 1,
        has_alpha=page.has_alpha,
        dtype=page.dtype,
        icc=page.raw.tags.valueof(_PROFILE) or None,
        orientation=page.orientation,
        verbatim=page.is_lossless and not page.is_expanded and not page.is_apart,
    )


def decode(file: BinaryIO) -> Pixels:
    """Decode the samples, H×W×S; palettes and single bits are expanded, min-is-white inverted."""
    return PageRows(_only_page(file)).whole()


def _only_page(file: BinaryIO) -> Page:
    """The file's only page, checked for what is supported, for size and for missing data."""
    tiff = open_tiff(file)
    if len(tiff.pages) != 1:
        raise RefusedError(f"a TIFF of {len(tiff.pages)} pages is {_CONVERT}, one page a file")
    page = Page(tiff.pages[0])
    _check_is_no_raw_file(page)
    frames = int((tiff.imagej_metadata or {}).get("images", 1)) if tiff.is_imagej else 1
    if frames > 1:
        raise RefusedError(f"an ImageJ stack of {frames} images is {_CONVERT}, one image a file")
    if _PHOTOMETRIC not in page.raw.tags:
        raise RefusedError(f"a TIFF without a photometric interpretation is {_CONVERT}")
    check_pages([page])
    if holds_planes(tiff):
        samples = f"{page.dtype} samples of {page.bits} bits"
        what = samples if _is_deep(page) else f"{page.samples} channels"
        raise RefusedError(f"a TIFF of {what} is {_CONVERT}")
    check_data(page)
    return page


def holds_planes(tiff: tifffile.TiffFile) -> bool:
    """Whether a TIFF's pages are more than one 8- or 16-bit gray or RGB picture, or deeper."""
    page = Page(tiff.pages[0])
    extra = page.extra or (UNSPECIFIED,) * (page.stored_samples - 1)
    channels = page.colours == MIN_IS_BLACK and UNSPECIFIED in extra
    return len(tiff.pages) > 1 or _is_deep(page) or channels


def _is_deep(page: Page) -> bool:
    return page.bits == 32 or page.raw.sampleformat in (_SIGNED, _FLOAT)


def check_kind(tiff: tifffile.TiffFile) -> None:
    """Refuse raw files, and vendors' files whose pages are not what they seem.

    Raises:
        RefusedError: it is one of them; names it.
    """
    page = Page(tiff.pages[0])
    _check_is_no_raw_file(page)
    if page.colours == PALETTE and (tiff.is_imagej or tiff.is_ome):
        raise RefusedError(
            "a stack of gray values with a table of colours: save it with gray ones (in ImageJ: "
            "Image, Lookup Tables, Grays)"
        )
    for kind, name in _VENDORS:
        if getattr(tiff, f"is_{kind}", False):
            raise RefusedError(
                f"{name} file, whose pages are not all pictures: save it as OME or ImageJ TIFF"
            )


def _check_is_no_raw_file(page: Page) -> None:
    """Refuse the first page of raw files, which is a preview."""
    if _DNG_VERSION in page.raw.tags or page.raw.is_reduced:
        raise RefusedError("a camera raw file is not supported: develop it to 16-bit TIFF or PNG")


def check_pages(pages: Sequence[Page]) -> None:
    """Refuse pages that differ, or that are neither gray nor RGB.

    Raises:
        RefusedError: names what cannot be read.
    """
    first, raw = pages[0], pages[0].raw
    for index, page in enumerate(pages):
        if _kind(page) != _kind(first):
            raise RefusedError(
                f"its pages differ: the first is {_described(first)}, number {index + 1} is "
                f"{_described(page)}; save those that belong together in a file of their own"
            )
    if raw.imagedepth != 1:
        raise RefusedError(
            f"a TIFF volume of {raw.imagedepth} slices is not supported: save a page a slice"
        )
    few = first.bits == 1 and first.is_rgb
    if few or first.bits not in _DEPTHS.get(int(raw.sampleformat), ()):
        sign = {_UNSIGNED: "unsigned", _SIGNED: "signed", _FLOAT: "float"}.get(
            raw.sampleformat, "odd"
        )
        raise RefusedError(
            f"a TIFF of {raw.dtype}, {sign} samples of {first.bits} bits, is not supported: {_SAVE}"
        )
    _check_colours(first)


def _check_colours(page: Page) -> None:
    colours, samples, extra = page.colours, page.stored_samples, page.extra
    few = page.raw.sampleformat == _UNSIGNED and page.bits <= 16
    # tifffile gives RGB for YCbCr only where JPEG holds it.
    known = colours in (MIN_IS_BLACK, RGB) or (colours == YCBCR and page.raw.compression == JPEG)
    if not known and not (colours in (MIN_IS_WHITE, PALETTE) and few):
        raise RefusedError(f"a TIFF whose colours are {_colours(page)} is not supported: {_SAVE}")
    if MULTIPLIED in extra:
        raise RefusedError(
            "alpha that is multiplied into the colours is not supported: save it without alpha, "
            "with unassociated alpha, or as PNG"
        )
    others = samples - (3 if colours in (RGB, YCBCR) else 1) - page.has_alpha
    # A writer that says nothing of a gray page's further samples leaves the tag out.
    unknown = set(extra[: len(extra) - page.has_alpha]) <= {UNSPECIFIED}
    unfit = colours == PALETTE and samples > 1
    unfit |= bool(others) and not (colours == MIN_IS_BLACK and unknown)
    if unfit or len(extra) > others + page.has_alpha:
        raise RefusedError(
            f"{samples} samples a pixel ({samples} channels), of the kinds {extra}, are not "
            f"supported: {_SAVE}, without alpha"
        )


def _kind(page: Page) -> tuple[object, ...]:
    return (
        *(page.width, page.height, page.raw.imagedepth, page.stored_samples),
        *(page.bits, page.raw.sampleformat, page.colours, page.extra),
    )


def _described(page: Page) -> str:
    return (
        f"{page.width}×{page.height} of {page.stored_samples} samples of {page.bits} bits, "
        f"{_colours(page)}"
    )


def _colours(page: Page) -> str:
    return _COLOURS.get(page.colours, f"photometric {page.colours}")


def check_data(page: Page) -> None:
    """The page is within the limits of what is decoded at once, and its data are all there.

    Raises:
        RefusedError: too large, cut short, or with no valid palette.
    """
    raw, size = page.raw, page.file.size
    if page.colours == PALETTE:
        _ = page.palette
    check_declared_size(page.width, page.height, page.stored_samples, size)
    if raw.is_tiled:
        # Tiles are decoded whole, so an absurd tile costs what an absurd picture does.
        width = math.ceil(page.width / raw.tilewidth) * raw.tilewidth
        height = math.ceil(page.height / raw.tilelength) * raw.tilelength
        check_declared_size(width, height, page.stored_samples, size)
    check_segments(page)


def check_segments(page: Page) -> None:
    """Every strip or tile of the page lies inside the file: tifffile fills up missing ones.

    Raises:
        RefusedError: the file is cut short.
    """
    raw, end = page.raw, page.file.size
    segments = list(zip(raw.dataoffsets, raw.databytecounts, strict=False))
    complete = raw.is_contiguous or len(segments) >= math.prod(raw.chunked)
    inside = all(start > 0 and size > 0 and start + size <= end for start, size in segments)
    if not segments or not complete or not inside:
        raise RefusedError(f"the TIFF is cut short or lacks data: {_INTACT}")
