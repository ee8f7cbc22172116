"""Camera raw (DNG, CR2, CR3, NEF, ARW, RAF), developed plainly by LibRaw through rawpy.

White balance of the shot, LibRaw's usual demosaicing (AHD), sRGB's primaries and curve, 16 bits; no
automatic brightness, no denoising. Noise of the raw values themselves is not what comes of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from noisegen.errors import from_checkout
from noisegen.files.opening import Description, RefusedError
from noisegen.files.picture import DEPTHS, Container, Pixels

SUFFIXES = (".dng", ".cr2", ".nef", ".arw", ".cr3", ".raf")
"""Endings, in lower case: all but the last two are TIFFs inside, so that the name has to tell."""

_IN_TIFF = SUFFIXES[:-2]
_SRGB_CURVE = (2.4, 12.92)
_TURNED = (5, 6)  # LibRaw's flips by a quarter


def by_name(path: Path, container: Container) -> Container:
    """A file's format, once its name has told whether a TIFF is camera raw."""
    is_raw = container is Container.TIFF and path.suffix.lower() in _IN_TIFF
    return Container.RAW if is_raw else container


def development() -> str:
    """How raw files are developed, and by what, for records."""
    try:
        import rawpy
    except ImportError:
        return "none"
    version = ".".join(map(str, rawpy.libraw_version))
    return f"LibRaw {version}: white balance of the shot, AHD, sRGB, 16 bits"


def with_development(name: str) -> str:
    """The name of a picture for records; that of a raw file says how it was developed."""
    if Path(name).suffix.lower() not in SUFFIXES:
        return name
    return f"{name} (developed plainly by noisegen from raw; {development()})"


def describe(file: BinaryIO) -> Description:
    """Read the header of a file; nothing is developed.

    Raises:
        RefusedError: rawpy is missing.
    """
    with _opened(file) as raw:
        width, height = raw.sizes.width, raw.sizes.height
        if raw.sizes.flip in _TURNED:
            width, height = height, width
        return Description(width, height, 1 if raw.num_colors == 1 else 3, False, DEPTHS[1])


def decode(file: BinaryIO) -> Pixels:
    """Develop the samples, H×W×C, upright."""
    with _opened(file) as raw:
        developed: Pixels = raw.postprocess(
            use_camera_wb=True, no_auto_bright=True, output_bps=16, gamma=_SRGB_CURVE
        )
        return np.array(developed)


@contextmanager
def _opened(file: BinaryIO) -> Iterator[Any]:
    try:
        import rawpy
    except ImportError:
        raise RefusedError(
            f"a camera raw file, which needs rawpy: {from_checkout('raw')}"
        ) from None
    file.seek(0)
    try:
        with rawpy.imread(file) as raw:
            yield raw
    except rawpy.LibRawError as error:
        cause = error.args[0].decode() if isinstance(error.args[0], bytes) else error
        raise RefusedError(
            f"a damaged camera raw file, or none that LibRaw knows ({cause}): get an intact copy "
            "of it, or convert it to DNG or TIFF"
        ) from error
