"""One page of a TIFF: what its tags mean, and its samples, all of them or by rows."""

from __future__ import annotations

import math

import numpy as np
import tifffile
from numpy.typing import NDArray

from noisegen.files.lzw import check_lzw
from noisegen.files.opening import FREE_SAMPLES, RefusedError
from noisegen.files.orientation import valid_orientation
from noisegen.files.picture import Samples

MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, YCBCR = 0, 1, 2, 3, 6
UNSPECIFIED, MULTIPLIED, UNASSOCIATED = 0, 1, 2
"""Kinds of samples beside the colours: unknown, and two of alpha."""
TOGETHER, APART = 1, 2
"""Samples pixel by pixel, or each sample's plane by itself."""
LZW, JPEG = 5, 7

# None, LZW, deflate (two numbers), PackBits, LZMA, Zstandard.
_LOSSLESS = (1, 5, 8, 32946, 32773, 34925, 50000)
# JPEG's tables and header lie outside its strips and tiles.
_JPEGS = (6, JPEG, 34892, 33007)
_ORIENTATION = 274


class Page:
    """Meaning of one TIFF page's tags.

    Args:
        raw: the page as tifffile read it.
        number: how many pictures of its size lie between its own data and this picture's, where
            one page stands for several.
    """

    def __init__(self, raw: tifffile.TiffPage, number: int = 0) -> None:
        self.raw = raw
        self.number = number
        self.file = raw.parent.filehandle
        self.height, self.width = int(raw.imagelength), int(raw.imagewidth)
        self.stored_samples = int(raw.samplesperpixel)
        self.bits = int(raw.bitspersample)
        self.colours = int(raw.photometric)
        self.extra = tuple(int(kind) for kind in raw.extrasamples)
        # Alpha that is not multiplied into the others.
        self.has_alpha = self.extra[-1:] == (UNASSOCIATED,)
        self.is_rgb = self.colours in (RGB, PALETTE, YCBCR)
        self.is_apart = self.stored_samples > 1 and raw.planarconfig == APART
        self.is_lossless = int(raw.compression) in _LOSSLESS
        self.orientation = valid_orientation(raw.tags.valueof(_ORIENTATION))
        # Samples that are stored otherwise than they are meant, and their number and type then.
        self.is_expanded = self.bits == 1 or self.colours in (PALETTE, MIN_IS_WHITE)
        self.samples = 3 if self.colours == PALETTE else self.stored_samples
        few = self.bits == 1 or self.colours == PALETTE
        self.dtype = np.dtype(np.uint8) if few or raw.dtype is None else np.dtype(raw.dtype)

    @property
    def palette(self) -> NDArray[np.uint8]:
        """The 8-bit colours, entries×3, that a TIFF's 16-bit colour map (3×entries) holds.

        Writers scale 8 bits to 16 by 257, as the specification says, or by 256.

        Raises:
            RefusedError: there is none, or it is of 16-bit colours.
        """
        colormap = self.raw.colormap
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
        page: whose data are checked.
    """

    def __init__(self, page: Page) -> None:
        self._page, self._raw = page, page.raw
        self._step = min(page.raw.tilelength or page.raw.rowsperstrip, page.height)
        self._decoded: dict[int, Samples] = {}

    def whole(self) -> Samples:
        """Decode all rows, H×W×S; compressed ones by several threads."""
        if self._raw.is_final:
            return self.rows(0, self._page.height)
        if self._raw.compression == LZW:
            for number in range(len(self._raw.dataoffsets)):
                self._coded(number)
        # Five axes: separate sample, depth (1), row, column, sample.
        stored = self._raw.asarray(squeeze=False)
        return self._expanded(np.moveaxis(stored[:, 0], 0, -1).reshape(*stored.shape[2:4], -1))

    def rows(self, top: int, bottom: int) -> Samples:
        """Rows top to bottom − 1, h×W×S.

        Raises:
            RefusedError: a strip or row of tiles is too large to be decoded at once, or damaged.
        """
        stored = self._stored_plainly if self._raw.is_final else self._stored_in_parts
        return self._expanded(stored(top, bottom))

    def _stored_plainly(self, top: int, bottom: int) -> Samples:
        """Rows of samples that lie in the file as they are, one after the other."""
        raw = self._raw
        apart, _, height, width, together = raw.shaped
        dtype = raw.dtype.newbyteorder(raw.parent.byteorder)
        row = width * together
        planes = []
        for plane in range(apart):
            start = raw.dataoffsets[0] + self._page.number * raw.nbytes
            start += (plane * height + top) * row * dtype.itemsize
            stored = self._page.file.read_array(dtype, (bottom - top) * row, start)
            planes.append(stored.reshape(bottom - top, width, together))
        return np.concatenate(planes, axis=2).astype(raw.dtype, copy=False)

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
        page, raw, step = self._page, self._raw, self._step
        across = math.ceil(page.width / raw.tilewidth) if raw.is_tiled else 1
        width = across * raw.tilewidth if raw.is_tiled else page.width
        # A tile is decoded whole, though it go far beyond the picture.
        tall = raw.tilelength if raw.is_tiled else step
        if tall * width * page.stored_samples > FREE_SAMPLES:
            raise RefusedError(
                f"its strips or tiles of {tall}×{width} pixels are too large to be read one by "
                "one: save it in tiles, as of 256×256 pixels"
            )
        height, down = min(step, page.height - index * step), math.ceil(page.height / step)
        apart = page.stored_samples if page.is_apart else 1
        together = page.stored_samples // apart
        outside = {"jpegtables": raw.jpegtables, "jpegheader": raw.jpegheader}
        outside = outside if raw.compression in _JPEGS else {}
        samples = np.empty((height, page.width, page.stored_samples), raw.dtype)
        firsts = ((plane * down + index) * across for plane in range(apart))
        for number in (first + column for first in firsts for column in range(across)):
            coded = self._coded(number)
            part, (plane, _, y, x, _), _ = raw.decode(
                coded, number, **outside, _fullsize=raw.is_tiled
            )
            part = part[0, :height, : page.width - x]
            target = samples[:, x : x + (raw.tilewidth or width), plane * together :]
            target = target[..., :together]
            if part.shape != target.shape or y != index * step:
                raise RefusedError("a strip or tile of it is cut short: get an intact copy")
            target[...] = part
        return samples

    def _coded(self, number: int) -> bytes:
        """A strip or tile as it lies in the file; LZW that would crash the decoder is refused."""
        self._page.file.seek(self._raw.dataoffsets[number])
        coded = bytes(self._page.file.read(self._raw.databytecounts[number]))
        if self._raw.compression == LZW:
            check_lzw(coded)
        return coded

    def _expanded(self, stored: Samples) -> Samples:
        """Samples as they are meant: bits, palettes and min-is-white expanded."""
        page, samples = self._page, stored
        if page.bits == 1:
            samples = samples.astype(np.uint8) * np.uint8(255)
        if page.colours == PALETTE:
            colours: Samples = page.palette[samples[:, :, 0]]
            return colours
        if page.colours == MIN_IS_WHITE:
            samples = samples.copy()
            samples[:, :, 0] = np.iinfo(samples.dtype).max - samples[:, :, 0]
        return samples
