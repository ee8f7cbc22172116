"""AVIF: 8 bits by Pillow's own plugin, more by imagecodecs; gain maps are left aside."""

from __future__ import annotations

from typing import BinaryIO

import imagecodecs
import numpy as np
from PIL.ImageFile import ImageFile

from noisegen.files.opening import Description, RefusedError
from noisegen.files.orientation import orientation_in_exif
from noisegen.files.picture import DEPTHS, Pixels, stretched

_SEARCHED = 2**16
"""Bytes in which the main picture's own properties stand."""


def describe(file: BinaryIO) -> Description:
    """Read the header of a file; no pixel is decoded.

    Raises:
        RefusedError: it is animated, or this Pillow cannot read AVIF.
    """
    image = _open(file)
    return Description(
        width=image.width,
        height=image.height,
        channels=3,
        has_alpha=image.mode == "RGBA",
        dtype=DEPTHS[_bits(file) > 8],
        icc=image.info.get("icc_profile") or None,
        orientation=orientation_in_exif(image.info.get("exif")),
    )


def decode(file: BinaryIO) -> Pixels:
    """Decode the samples, H×W×S, as they are stored; 10 and 12 bits are stretched to 16."""
    image, bits = _open(file), _bits(file)
    if bits == 8:
        return np.asarray(image)
    file.seek(0)
    samples = imagecodecs.avif_decode(file.read())
    if samples.ndim == 2:
        samples = samples[:, :, None]
    if samples.shape[2] < 3:
        samples = np.concatenate([samples[:, :, :1].repeat(3, axis=2), samples[:, :, 1:]], axis=2)
    return stretched(samples, bits)


def _open(file: BinaryIO) -> ImageFile:
    try:
        from PIL.AvifImagePlugin import SUPPORTED, AvifImageFile
    except ImportError:
        SUPPORTED = False  # noqa: N806 (Pillow's name)
    if not SUPPORTED:
        raise RefusedError("an AVIF file, which needs Pillow 11.3 or later: pip install -U pillow")
    file.seek(0)
    image = AvifImageFile(file)
    if getattr(image, "is_animated", False):
        raise RefusedError("an animated AVIF, which is not supported: save one frame of it")
    return image


def _bits(file: BinaryIO) -> int:
    """Bits of a sample, as the first AV1 configuration (``av1C``) declares them."""
    file.seek(0)
    _, _, configuration = file.read(_SEARCHED).partition(b"av1C")
    flags = configuration[2] if len(configuration) > 2 else 0
    return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10
