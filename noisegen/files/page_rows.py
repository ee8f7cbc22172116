"""One TIFF page: what its tags mean, and its samples, all of them or by rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from noisegen.files.opening import FREE_SAMPLES, RefusedError
from noisegen.files.orientation import valid_orientation
from noisegen.files.picture import Samples

MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, YCBCR = 0, 1, 2, 3, 6
UNSPECIFIED, MULTIPLIED, UNASSOCIATED = 0, 1, 2
"""Kinds of samples beside the colours: unknown, and two of alpha."""
TOGETHER, APART = 1, 2
"""Samples pixel by pixel, or each sample's plane by itself."""
JPEG = 7

# None, LZW, deflate (two numbers), PackBits, LZMA, Zstandard.
_LOSSLESS = (1, 5, 8, 32946, 32773, 34925, 50000)
# JPEG's tables and header lie outside its strips and tiles.
_JPEGS = (6, JPEG, 34892, 33007)
_ORIENTATION = 274


def has_alpha(page: tifffile.TiffPage) -> bool:
    """Whether the last sample of a pixel is alpha that is not multiplied into the others."""
    return bool(page.extrasamples) and int(page.extrasamples[-1]) == UNASSOCIATED


def is_rgb(page: tifffile.TiffPage) -> bool:
    """Whether the page's expanded samples are colours."""
    return int(page.photometric) in (RGB, PALETTE, YCBCR)


def is_apart(page: tifffile.TiffPage) -> bool:
    """Whether each sample's plane lies by itself."""
    return bool(page.samplesperpixel > 1 and page.planarconfig == APART)


def is_lossless(page: tifffile.TiffPage) -> bool:
    """Whether the page's compression gives every sample back as it was."""
    return page.compression in _LOSSLESS


def orientation_of(page: tifffile.TiffPage) -> int:
    """EXIF's 1–8."""
    return valid_orientation(page.tags.valueof(_ORIENTATION))


def is_expanded(page: tifffile.TiffPage) -> bool:
    """Whether the page's samples are stored otherwise than they are meant."""
    return page.bitspersample == 1 or page.photometric in (PALETTE, MIN_IS_WHITE)


def expanded_samples(page: tifffile.TiffPage) -> int:
    """Samples of an expanded pixel, with alpha."""
    return 3 if page.photometric == PALETTE else int(page.samplesperpixel)


def expanded_type(page: tifffile.TiffPage) -> np.dtype[Any]:
    """Type of the expanded samples."""
    few = page.bitspersample == 1 or page.photometric == PALETTE
    return np.dtype(np.uint8) if few else np.dtype(page.dtype).newbyteorder("=")


def palette_of(page: tifffile.TiffPage) -> NDArray[np.uint8]:
    """The 8-bit colours, entries×3, that a TIFF's 16-bit colour map (3×entries) holds.

    Writers scale 8 bits to 16 by 257, as the specification says, or by 256.
    """
    colormap = page.colormap
    if colormap is None:
        raise RefusedError("the TIFF has palette indices but no palette: convert it to RGB")
    for scale in (257, 256):
        if not (colormap % scale).any():
            colours: NDArray[np.uint8] = (colormap // scale).astype(np.uint8).T
            return colours
    raise RefusedError("a palette of 16-bit colours is not supported: convert it to RGB")


class PageRows:
    """The samples of one page as they are meant, all of them or by rows.

    Strips or tiles of the last request stay in memory, so that bands which follow each other decode
    none twice.

    Args:
        page: that describes them; its data are checked.
        number: how many pictures of the page's size lie between its own and this one, where one
            page stands for several.
    """

    def __init__(self, page: tifffile.TiffPage, number: int = 0) -> None:
        self._page = page
        self._start = page.dataoffsets[0] + number * page.nbytes
        self._step = min(page.tilelength or page.rowsperstrip, page.imagelength)
        self._decoded: dict[int, Samples] = {}

    def whole(self) -> Samples:
        """All rows, H×W×S; what is compressed is decoded by several threads."""
        if self._page.is_final:
            return self.rows(0, self._page.imagelength)
        # Five axes: separate sample, depth (1), row, column, sample.
        stored = self._page.asarray(squeeze=False)
        return self._expanded(np.moveaxis(stored[:, 0], 0, -1).reshape(*stored.shape[2:4], -1))

    def rows(self, top: int, bottom: int) -> Samples:
        """Rows top to bottom − 1, h×W×S.

        Raises:
            RefusedError: a strip or row of tiles is too large to be decoded at once, or damaged.
        """
        stored = self._stored_plainly if self._page.is_final else self._stored_in_parts
        return self._expanded(stored(top, bottom))

    def _stored_plainly(self, top: int, bottom: int) -> Samples:
        """Rows of samples that lie in the file as they are, one after the other."""
        page, handle = self._page, self._page.parent.filehandle
        apart, _, height, width, together = page.shaped
        dtype = page.dtype.newbyteorder(page.parent.byteorder)
        row = width * together
        planes = []
        for plane in range(apart):
            start = self._start + (plane * height + top) * row * dtype.itemsize
            stored = handle.read_array(dtype, (bottom - top) * row, start)
            planes.append(stored.reshape(bottom - top, width, together))
        return np.concatenate(planes, axis=2).astype(page.dtype, copy=False)

    def _stored_in_parts(self, top: int, bottom: int) -> Samples:
        """Rows of strips or tiles, of which only those that are asked for are decoded."""
        step = self._step
        wanted = range(top // step, math.ceil(bottom / step))
        # What is not wanted any more goes before more is decoded.
        self._decoded = {index: rows for index, rows in self._decoded.items() if index in wanted}
        for index in wanted:
            if index not in self._decoded:
                self._decoded[index] = self._decode(index)
        parts = [
            self._decoded[index][max(top - index * step, 0) : bottom - index * step]
            for index in wanted
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _decode(self, index: int) -> Samples:
        """A strip of all samples, or a row of tiles: h×W×S."""
        page, handle, step = self._page, self._page.parent.filehandle, self._step
        across = math.ceil(page.imagewidth / page.tilewidth) if page.is_tiled else 1
        width = across * page.tilewidth if page.is_tiled else page.imagewidth
        if step * width * page.samplesperpixel > FREE_SAMPLES:
            raise RefusedError(
                f"its strips or tiles of {step}×{width} pixels are too large to be read one by "
                "one: save it in tiles, as of 256×256 pixels"
            )
        height = min(step, page.imagelength - index * step)
        apart = page.samplesperpixel if is_apart(page) else 1
        together = page.samplesperpixel // apart
        down = math.ceil(page.imagelength / step)
        samples = np.empty((height, page.imagewidth, page.samplesperpixel), page.dtype)
        for number in (
            (p * down + index) * across + x for p in range(apart) for x in range(across)
        ):
            handle.seek(page.dataoffsets[number])
            coded = handle.read(page.databytecounts[number])
            part, (plane, _, y, x, _), _ = page.decode(
                coded, number, **self._outside(), _fullsize=page.is_tiled
            )
            part = part[0, :height, : page.imagewidth - x]
            target = samples[:, x : x + (page.tilewidth or width), plane * together :]
            target = target[..., :together]
            if part.shape != target.shape or y != index * step:
                raise RefusedError("a strip or tile of it is cut short: get an intact copy")
            target[...] = part
        return samples

    def _outside(self) -> dict[str, Any]:
        page = self._page
        if page.compression not in _JPEGS:
            return {}
        return {"jpegtables": page.jpegtables, "jpegheader": page.jpegheader}

    def _expanded(self, stored: Samples) -> Samples:
        """Samples as they are meant: bits, palettes and min-is-white expanded."""
        page, samples = self._page, stored
        if page.bitspersample == 1:
            samples = samples.astype(np.uint8) * np.uint8(255)
        if page.photometric == PALETTE:
            colours: Samples = palette_of(page)[samples[:, :, 0]]
            return colours
        if page.photometric == MIN_IS_WHITE:
            samples = samples.copy()
            samples[:, :, 0] = np.iinfo(samples.dtype).max - samples[:, :, 0]
        return samples
