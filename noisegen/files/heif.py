"""HEIC and HEIF by pillow-heif: the main picture; others, depth and gain maps are left aside.

The file's own turn is applied by the decoder; its EXIF orientation does not count, as the format
says.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from noisegen.errors import from_checkout
from noisegen.files.avif import has_gain_map
from noisegen.files.opening import Description, RefusedError
from noisegen.files.picture import DEPTHS, Pixels, stretched

_MODES = {"L": (1, False), "I": (1, False), "RGB": (3, False), "RGBA": (3, True)}


def describe(file: BinaryIO) -> Description:
    """Read the header of a file; no pixel is decoded.

    Raises:
        RefusedError: pillow-heif is missing, or its alpha is multiplied.
    """
    image = _open(file)
    mode, _, _ = image.mode.partition(";")
    if mode not in _MODES:
        raise RefusedError(f"{mode} colour is not supported: convert it to RGB")
    channels, has_alpha = _MODES[mode]
    width, height = image.size
    return Description(
        width=width,
        height=height,
        channels=channels,
        has_alpha=has_alpha,
        dtype=DEPTHS[_bits(image) > 8],
        icc=image.info.get("icc_profile") or None,
        colours=_colours(image),
        gain_map=has_gain_map(file) or any("gainmap" in kind for kind in image.info.get("aux", ())),
    )


def decode(file: BinaryIO) -> Pixels:
    """Decode the samples, H×W or H×W×S; 10 and 12 bits are stretched to 16."""
    image = _open(file)
    bits = _bits(image)
    samples: Pixels = np.asarray(image)
    # pillow-heif puts the bits of a sample at the top of 16.
    return stretched(np.right_shift(samples, 16 - bits), bits) if bits > 8 else samples


def _open(file: BinaryIO) -> Any:  # noqa: ANN401 (pillow-heif may be missing)
    try:
        import pillow_heif
    except ImportError:
        raise RefusedError(
            f"a HEIF file (HEIC), which needs pillow-heif: {from_checkout('heic')}"
        ) from None
    file.seek(0)
    found = pillow_heif.open_heif(file, convert_hdr_to_8bit=False)
    return found[found.primary_index]


def _colours(image: Any) -> tuple[int, int] | None:  # noqa: ANN401
    coded = image.info.get("nclx_profile")
    return coded and (coded["color_primaries"], coded["transfer_characteristics"])


def _bits(image: Any) -> int:  # noqa: ANN401
    return int(image.info.get("bit_depth", 8))
