"""Which TIFFs hold one picture that can be read without losing anything."""

from __future__ import annotations

import tifffile

from noisegen.files.description import RefusedError

MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, YCBCR = 0, 1, 2, 3, 6
PLANES_APART = 2
SAMPLES_OF_PLAIN_PICTURES = {MIN_IS_WHITE: 1, MIN_IS_BLACK: 1, RGB: 3, YCBCR: 3}
"""Colour samples of a pixel for each photometric interpretation but the palette."""

_PHOTOMETRIC, _DNG_VERSION = 262, 50706
_UNSIGNED = 1
_ASSOCIATED, _UNASSOCIATED = 1, 2
_JPEG = 7
# None, LZW, deflate (two numbers), PackBits, LZMA, Zstandard.
_LOSSLESS = (1, 5, 8, 32946, 32773, 34925, 50000)
_CONVERT = "not supported yet: convert to 8 or 16 bit gray or RGB"
_COLOUR_NAMES = {5: "CMYK", 8: "CIELab", 9: "ICCLab", 10: "ITULab", 32803: "camera raw (CFA)"}


def is_lossless(compression: int) -> bool:
    """Whether the compression gives every sample back as it was."""
    return compression in _LOSSLESS


def check_supported(tiff: tifffile.TiffFile) -> tifffile.TiffPage:
    """The file's only page.

    Raises:
        RefusedError: there are more, or its samples are not 8- or 16-bit gray or RGB with at
            most an unassociated alpha.
    """
    pages = len(tiff.pages)
    if pages != 1:
        raise RefusedError(f"a TIFF of {pages} pages is {_CONVERT}, one page a file")
    page = tiff.pages[0]
    _check_is_main_picture(tiff, page)
    _check_samples(page)
    _check_colour(page)
    _check_extra_samples(page)
    return page


def check_is_no_raw_file(page: tifffile.TiffPage) -> None:
    """Refuse the first page of raw files, which is a preview.

    Raises:
        RefusedError: it is one.
    """
    if _DNG_VERSION in page.tags or page.is_reduced:
        raise RefusedError("a camera raw file is not supported: develop it to 16-bit TIFF or PNG")


def _check_is_main_picture(tiff: tifffile.TiffFile, page: tifffile.TiffPage) -> None:
    """Refuse previews of raw files, and stacks that hide behind one page."""
    check_is_no_raw_file(page)
    frames = int((tiff.imagej_metadata or {}).get("images", 1)) if tiff.is_imagej else 1
    if frames > 1:
        raise RefusedError(f"an ImageJ stack of {frames} images is {_CONVERT}, one image a file")
    if page.imagedepth != 1:
        raise RefusedError(f"a TIFF volume of {page.imagedepth} slices is {_CONVERT}")


def _check_samples(page: tifffile.TiffPage) -> None:
    if page.sampleformat != _UNSIGNED:
        raise RefusedError(f"a TIFF of {page.dtype} samples is {_CONVERT}")
    bits = page.bitspersample
    one_bit_gray = bits == 1 and page.samplesperpixel == 1 and page.photometric != PALETTE
    if bits not in (8, 16) and not one_bit_gray:
        raise RefusedError(f"a TIFF of {bits} bits a sample is {_CONVERT}")


def _check_colour(page: tifffile.TiffPage) -> None:
    photometric = int(page.photometric)
    if _PHOTOMETRIC not in page.tags:
        raise RefusedError(f"a TIFF without a photometric interpretation is {_CONVERT}")
    if photometric == PALETTE or photometric in SAMPLES_OF_PLAIN_PICTURES:
        # tifffile gives RGB for YCbCr only where JPEG holds it.
        if photometric != YCBCR or page.compression == _JPEG:
            return
        raise RefusedError(f"a TIFF in YCbCr without JPEG compression is {_CONVERT}")
    name = _COLOUR_NAMES.get(photometric, f"photometric {photometric}")
    raise RefusedError(f"a TIFF in {name} is {_CONVERT}")


def _check_extra_samples(page: tifffile.TiffPage) -> None:
    colours = SAMPLES_OF_PLAIN_PICTURES.get(int(page.photometric), 1)
    extra = page.samplesperpixel - colours
    if extra == 0:
        return
    kinds = tuple(int(kind) for kind in page.extrasamples)
    if kinds == (_ASSOCIATED,):
        raise RefusedError(
            "alpha that is multiplied into the colours is not supported: "
            "save the TIFF with unassociated alpha, or as PNG"
        )
    if extra != 1 or kinds != (_UNASSOCIATED,) or page.photometric == PALETTE:
        raise RefusedError(f"a TIFF of {page.samplesperpixel} channels is {_CONVERT}")
