"""GIF of one frame: 8-bit gray or RGB, with transparency; never written."""

from __future__ import annotations

import struct
from typing import BinaryIO

import numpy as np
from PIL.GifImagePlugin import GifImageFile

from noisegen.files.description import Description, RefusedError
from noisegen.files.limits import check_declared_size
from noisegen.files.orientation import UPRIGHT
from noisegen.files.picture import Pixels


def describe(file: BinaryIO) -> Description:
    """Read the header of a GIF; no pixel is decoded.

    Raises:
        RefusedError: the file is animated, or declares an absurd size.
    """
    # Pillow may fill the whole canvas when it opens a GIF.
    size = file.seek(0, 2)
    file.seek(6)
    width, height = struct.unpack("<HH", file.read(4))
    check_declared_size(width, height, 1, size)
    image = _open(file)
    if image.is_animated:
        raise RefusedError("an animated GIF, which is not supported: save one frame of it")
    return Description(
        width=image.width,
        height=image.height,
        channels=1 if image.mode == "L" else 3,
        has_alpha="transparency" in image.info,
        dtype=np.dtype(np.uint8),
        icc=image.info.get("icc_profile") or None,
        orientation=UPRIGHT,
        verbatim=False,
    )


def decode(file: BinaryIO) -> Pixels:
    """Decode the samples, H×W for grays, else H×W×S; the palette is looked up."""
    image = _open(file)
    colours = "L" if image.mode == "L" else "RGB"
    return np.asarray(image.convert(colours + ("A" if "transparency" in image.info else "")))


def _open(file: BinaryIO) -> GifImageFile:
    file.seek(0)
    return GifImageFile(file)
