"""JPEG: 8-bit gray and RGB through Pillow, with profile and orientation; never written.

A camera's multi-picture file (MPO, gain maps) is read as its main picture, the one shown.
"""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
from PIL.JpegImagePlugin import JpegImageFile

from noisegen.files.description import Description, RefusedError
from noisegen.files.jpeg_quality import quality_of_table
from noisegen.files.orientation import orientation_in_exif
from noisegen.files.picture import Pixels

_CHANNELS = {"L": 1, "RGB": 3}


def describe(file: BinaryIO) -> Description:
    """Read the markers of a JPEG up to its scan; no pixel is decoded.

    Raises:
        RefusedError: the colours are CMYK or YCCK.
    """
    image = _open(file)
    if image.mode not in _CHANNELS:
        raise RefusedError(f"{image.mode} colour is not supported: convert it to RGB")
    return Description(
        width=image.width,
        height=image.height,
        channels=_CHANNELS[image.mode],
        has_alpha=False,
        dtype=np.dtype(np.uint8),
        icc=image.info.get("icc_profile") or None,
        orientation=orientation_in_exif(image.info.get("exif")),
        verbatim=False,
    )


def decode(file: BinaryIO) -> Pixels:
    """Decode the samples, H×W or H×W×3."""
    return np.asarray(_open(file))


def quality(file: BinaryIO) -> float:
    """Quality of the luma on libjpeg's scale, by the file's quantisation table."""
    tables = _open(file).quantization
    return quality_of_table(tables[min(tables)])


def _open(file: BinaryIO) -> JpegImageFile:
    # The plugin's own class: Image.open would bring a process-wide size limit with warnings,
    # and try other formats.
    file.seek(0)
    return JpegImageFile(file)
