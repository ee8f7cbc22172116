"""Stored TIFF samples → samples as they are meant: bits, palettes and min-is-white expanded."""

from __future__ import annotations

from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from noisegen.files.description import RefusedError
from noisegen.files.tiff_support import MIN_IS_WHITE, PALETTE, RGB


def is_expanded(page: tifffile.TiffPage) -> bool:
    """Whether the page's samples are stored otherwise than they are meant."""
    return page.bitspersample == 1 or page.photometric in (PALETTE, MIN_IS_WHITE)


def is_rgb(page: tifffile.TiffPage) -> bool:
    """Whether the page's expanded samples are colours."""
    return page.photometric in (RGB, PALETTE)


def expanded_samples(page: tifffile.TiffPage) -> int:
    """Samples of an expanded pixel, with alpha."""
    return 3 if page.photometric == PALETTE else int(page.samplesperpixel)


def expanded_type(page: tifffile.TiffPage) -> np.dtype[Any]:
    """Type of the expanded samples."""
    few = page.bitspersample == 1 or page.photometric == PALETTE
    return np.dtype(np.uint8) if few else np.dtype(page.dtype).newbyteorder("=")


def expanded(stored: NDArray[Any], page: tifffile.TiffPage) -> NDArray[Any]:
    """H×W×S samples as they are meant, of H×W×S stored ones.

    Raises:
        RefusedError: the palette is missing, or of 16-bit colours.
    """
    samples = stored
    if page.bitspersample == 1:
        samples = samples.astype(np.uint8) * np.uint8(255)
    if page.photometric == PALETTE:
        colours: NDArray[Any] = palette_of(page)[samples[:, :, 0]]
        return colours
    if page.photometric == MIN_IS_WHITE:
        samples = samples.copy()
        samples[:, :, 0] = np.iinfo(samples.dtype).max - samples[:, :, 0]
    return samples


def palette_of(page: tifffile.TiffPage) -> NDArray[np.uint8]:
    """The 8-bit colours, entries×3, that a TIFF's 16-bit colour map (3×entries) holds.

    Writers scale 8 bits to 16 by 257, as the specification says, or by 256.

    Raises:
        RefusedError: there is none, or it is of 16-bit colours.
    """
    colormap = page.colormap
    if colormap is None:
        raise RefusedError("the TIFF has palette indices but no palette: convert it to RGB")
    for scale in (257, 256):
        if not (colormap % scale).any():
            colours: NDArray[np.uint8] = (colormap // scale).astype(np.uint8).T
            return colours
    raise RefusedError("a palette of 16-bit colours is not supported: convert it to RGB")
