"""Which TIFFs are stacks, and which of them can be read without losing anything."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tifffile

from noisegen.files.description import RefusedError
from noisegen.files.tiff_support import (
    MIN_IS_BLACK,
    MIN_IS_WHITE,
    PALETTE,
    RGB,
    check_is_no_raw_file,
)

_ONE_BIT, _UNSIGNED, _FLOAT = 1, 1, 3
_UNSPECIFIED, _UNASSOCIATED = 0, 2
_SAMPLES = {
    (_UNSIGNED, 8): np.uint8,
    (_UNSIGNED, 16): np.uint16,
    (_UNSIGNED, 32): np.uint32,
    (_FLOAT, 16): np.float16,
    (_FLOAT, 32): np.float32,
    (_FLOAT, 64): np.float64,
}
_CONVERT = "save it as 8 or 16 bit or float gray or RGB"
# Their pages mean something else than pictures of one kind, each in a way of its own.
_VENDORS = {
    "lsm": "a Zeiss LSM",
    "stk": "a MetaMorph STK",
    "fluoview": "an Olympus FluoView",
    "scanimage": "a ScanImage",
    "sis": "an Olympus SIS",
    "mdgel": "a Molecular Dynamics GEL",
    "ndpi": "a Hamamatsu NDPI",
    "svs": "an Aperio SVS",
    "scn": "a Leica SCN",
    "bif": "a Ventana BIF",
    "qpi": "a PerkinElmer QPI",
    "eer": "an EER",
}


def holds_planes(tiff: tifffile.TiffFile) -> bool:
    """Whether a TIFF's pages are more than one 8- or 16-bit gray or RGB picture, or deeper."""
    first = tiff.pages[0]
    if len(tiff.pages) > 1 or first.bitspersample == 32 or first.sampleformat == _FLOAT:
        return True
    extra = tuple(first.extrasamples) or (_UNSPECIFIED,) * (first.samplesperpixel - 1)
    return first.photometric == MIN_IS_BLACK and _UNSPECIFIED in extra


def check_kind(tiff: tifffile.TiffFile) -> None:
    """Refuse raw files, and vendors' files whose pages are not what they seem.

    Raises:
        RefusedError: it is one of them; names it.
    """
    check_is_no_raw_file(tiff.pages[0])
    if tiff.pages[0].photometric == PALETTE and (tiff.is_imagej or tiff.is_ome):
        raise RefusedError(
            "a stack of gray values with a table of colours: save it with gray ones (in ImageJ: "
            "Image, Lookup Tables, Grays)"
        )
    for kind, name in _VENDORS.items():
        if getattr(tiff, f"is_{kind}", False):
            raise RefusedError(
                f"{name} file, whose pages are not all pictures: save it as OME or ImageJ TIFF"
            )


def check_pages(pages: Sequence[tifffile.TiffPage]) -> None:
    """Refuse pages that differ, or that are neither gray nor RGB.

    Raises:
        RefusedError: names what cannot be read.
    """
    first = pages[0]
    for index, page in enumerate(pages):
        if _kind(page) != _kind(first):
            raise RefusedError(
                f"its pages differ: the first is {_described(first)}, number {index + 1} is "
                f"{_described(page)}; save those that belong together in a file of their own"
            )
    one_bit = first.bitspersample == _ONE_BIT and first.photometric != PALETTE
    if (first.sampleformat, first.bitspersample) not in _SAMPLES and not one_bit:
        kind = {_UNSIGNED: "unsigned", 2: "signed", _FLOAT: "float"}.get(first.sampleformat, "odd")
        raise RefusedError(
            f"a stack of {kind} samples of {first.bitspersample} bits is not supported: {_CONVERT}"
        )
    few = first.sampleformat == _UNSIGNED and first.bitspersample <= 16
    plain = first.samplesperpixel == 1 and few
    if first.photometric not in (MIN_IS_BLACK, RGB) and not (
        plain and first.photometric in (MIN_IS_WHITE, PALETTE)
    ):
        raise RefusedError(
            f"a stack whose colours are {_name(first.photometric)} is not supported: {_CONVERT}"
        )
    if first.imagedepth != 1:
        raise RefusedError(
            f"a TIFF volume of {first.imagedepth} slices is not supported: save a page a slice"
        )
    extra = tuple(int(kind) for kind in first.extrasamples)
    colours = 3 if first.photometric == RGB else 1
    # A writer that says nothing of a gray page's further samples leaves the tag out.
    others = extra[:-1] if has_alpha(first) else extra
    if first.samplesperpixel < colours or (
        others and (set(others) != {_UNSPECIFIED} or colours == 3)
    ):
        raise RefusedError(
            f"{first.samplesperpixel} samples a pixel, of the kinds {extra}, are not supported: "
            f"{_CONVERT}, without alpha"
        )


def has_alpha(page: tifffile.TiffPage) -> bool:
    """Whether the last sample of a pixel is alpha that is not multiplied into the others."""
    return bool(page.extrasamples) and int(page.extrasamples[-1]) == _UNASSOCIATED


def _kind(page: tifffile.TiffPage) -> tuple[object, ...]:
    return (
        page.imagewidth,
        page.imagelength,
        page.imagedepth,
        page.samplesperpixel,
        page.bitspersample,
        page.sampleformat,
        int(page.photometric),
        tuple(page.extrasamples),
    )


def _described(page: tifffile.TiffPage) -> str:
    return (
        f"{page.imagewidth}×{page.imagelength} of {page.samplesperpixel} samples of "
        f"{page.bitspersample} bits, {_name(page.photometric)}"
    )


def _name(photometric: int) -> str:
    names = {0: "min-is-white", 1: "gray", 2: "RGB", 3: "palette", 5: "CMYK", 6: "YCbCr"}
    return names.get(int(photometric), f"photometric {int(photometric)}")
