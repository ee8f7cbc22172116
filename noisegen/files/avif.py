"""AVIF: 8 bits by Pillow's own plugin, more by imagecodecs; gain maps are left aside."""

from __future__ import annotations

import struct
from typing import BinaryIO, NamedTuple

import imagecodecs
import numpy as np
from PIL.ImageFile import ImageFile

from noisegen.files.opening import Description, RefusedError, brands_of
from noisegen.files.orientation import orientation_in_exif
from noisegen.files.picture import DEPTHS, Pixels, stretched

_SEARCHED = 2**16
"""Bytes in which the main picture's own properties stand."""


def describe(file: BinaryIO) -> Description:
    """Read the header of a file; no pixel is decoded.

    Raises:
        RefusedError: it is animated, or this Pillow cannot read AVIF.
    """
    image, found = _open(file), _configuration(file)
    return Description(
        width=image.width,
        height=image.height,
        channels=1 if found.gray else 3,
        has_alpha=image.mode.endswith("A"),
        dtype=DEPTHS[found.bits > 8],
        icc=image.info.get("icc_profile") or None,
        colours=found.colours,
        gain_map=has_gain_map(file),
        orientation=orientation_in_exif(image.info.get("exif")),
    )


def decode(file: BinaryIO) -> Pixels:
    """Decode the samples, H×W×S, as they are stored; 10 and 12 bits are stretched to 16."""
    image, found = _open(file), _configuration(file)
    samples: Pixels = np.asarray(image)
    if found.bits > 8:
        file.seek(0)
        samples = imagecodecs.avif_decode(file.read())
    samples = samples[:, :, None] if samples.ndim == 2 else samples
    if found.gray:
        # Some versions of Pillow give gray as it is, others in three channels.
        samples = samples[:, :, [0, -1] if image.mode.endswith("A") else [0]]
    return stretched(samples, found.bits)


def has_gain_map(file: BinaryIO) -> bool:
    """Whether a file's brands announce one (``tmap``, ISO 21496-1), as AVIF's and HEIF's do."""
    return b"tmap" in brands_of(file)


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


class _Configuration(NamedTuple):
    """What the file's first AV1 configuration (``av1C``) declares."""

    bits: int
    gray: bool
    colours: tuple[int, int] | None
    """By the first colour box (``colr``) that has code points."""


def _configuration(file: BinaryIO) -> _Configuration:
    file.seek(0)
    lead = file.read(_SEARCHED)
    _, _, configuration = lead.partition(b"av1C")
    _, _, coded = lead.partition(b"colrnclx")
    flags = configuration[2] if len(configuration) > 2 else 0
    bits = 8 if not flags & 0x40 else 12 if flags & 0x20 else 10
    colours = struct.unpack_from(">HH", coded) if len(coded) >= 4 else None
    return _Configuration(bits, bool(flags & 0x10), colours)
