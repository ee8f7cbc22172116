"""Reading: a path → its header, its picture, its planes or its rows, from one open file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Protocol

from noisegen.errors import ImageError
from noisegen.files import avif, heif, jpeg2000, jpegxl, pillow, png, pnm, raw, tiff
from noisegen.files.opening import (
    FREE_SAMPLES,
    Description,
    RefusedError,
    check_declared_size,
    container_of,
    one_error,
    open_file,
)
from noisegen.files.orientation import UPRIGHT, packed, swaps_sides, upright
from noisegen.files.page_order import order_of
from noisegen.files.picture import Container, Header, Picture, PixelHash, Pixels, pixel_hash
from noisegen.files.planes import Planes, planes_of
from noisegen.files.remarks import remarks_of
from noisegen.files.tiff_page import Page
from noisegen.files.volume import Volume, VolumeHeader


class _Format(Protocol):
    """A module that reads files of one format, or of several that are alike."""

    def describe(self, file: BinaryIO) -> Description:
        """What a file declares; no pixel is decoded."""

    def decode(self, file: BinaryIO) -> Pixels:
        """The samples, H×W or H×W×S."""


_FORMATS: dict[Container, _Format] = {
    Container.PNG: png,
    Container.TIFF: tiff,
    Container.PNM: pnm,
    Container.AVIF: avif,
    Container.HEIF: heif,
    Container.JPEG_2000: jpeg2000,
    Container.JPEG_XL: jpegxl,
    Container.RAW: raw,
    **dict.fromkeys((Container.JPEG, Container.WEBP, Container.GIF, Container.BMP), pillow),
}
_HASHED_AT_ONCE = 2**24  # samples
_COPIED_AT_ONCE = 2**20  # bytes


class ImageFile:
    """An open file of a picture or a volume; :func:`open_image` makes it.

    Args:
        path: of the file, for errors.
        file: open for reading, at its start.

    Raises:
        ImageError: it is in no format that is read.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file
        with one_error(path):
            self.container = raw.by_name(path, container_of(file))

    @cached_property
    def volume(self) -> Volume | None:
        """The pages of a TIFF of several planes, of floats or 32 bits, or larger than memory.

        None for a plain picture, which :meth:`picture` reads.
        """
        with one_error(self.path):
            return self._volume(by_rows=True)

    @property
    def header(self) -> Header | VolumeHeader:
        """What the file declares; no pixel is decoded."""
        return self.picture_header if self.volume is None else self.volume.header

    @cached_property
    def picture_header(self) -> Header:
        """What the file declares of its one picture."""
        with one_error(self.path):
            described = self._described()
        sides = described.width, described.height
        width, height = sides[::-1] if swaps_sides(described.orientation) else sides
        return Header(
            width=width,
            height=height,
            channels=described.channels,
            has_alpha=described.has_alpha,
            dtype=described.dtype,
            container=self.container,
            remarks=remarks_of(described, self.container),
        )

    def picture(self) -> Picture:
        """Decode its one picture; see :func:`read_picture`."""
        with one_error(self.path):
            described = self._described()
            samples = self._decoded(described)
            turned = upright(samples, described.orientation)
            colours = described.channels
            return Picture(
                pixels=packed(turned[:, :, :colours]),
                alpha=packed(turned[:, :, colours]) if described.has_alpha else None,
                icc=described.icc,
                container=self.container,
                copyable=described.verbatim and described.orientation == UPRIGHT,
            )

    def planes(self) -> Planes:
        """Decode all its pictures; see :func:`read_planes`."""
        with one_error(self.path):
            volume = self._volume(by_rows=False)
            if volume is not None:
                return planes_of(volume)
        return Planes(("",), ((self.picture().pixels,),))

    def jpeg_quality(self) -> float | None:
        """Quality of a JPEG on libjpeg's scale, 1 to 100; None of another format."""
        with one_error(self.path):
            jpeg = self.container is Container.JPEG
            return pillow.jpeg_quality(self._file) if jpeg else None

    def copy_to(self, target: BinaryIO) -> None:
        """Write the file's own bytes to another; for ``write_together``.

        Raises:
            ImageError: it cannot be read.
        """
        self._file.seek(0)
        for data in iter(self._read_some, b""):
            target.write(data)

    def _read_some(self) -> bytes:
        with one_error(self.path):
            return self._file.read(_COPIED_AT_ONCE)

    def _described(self) -> Description:
        described = _FORMATS[self.container].describe(self._file)
        size = self._file.seek(0, 2)
        check_declared_size(described.width, described.height, described.samples, size)
        return described

    def _decoded(self, described: Description) -> Pixels:
        samples = _FORMATS[self.container].decode(self._file)
        samples = samples[:, :, None] if samples.ndim == 2 else samples
        shape = (described.height, described.width, described.samples)
        if samples.shape != shape or samples.dtype != described.dtype:
            held = f"{samples.dtype} {samples.shape}"
            declared = f"{described.dtype} {shape}"
            raise RefusedError(f"declares {declared} but holds {held}: the file is damaged")
        return samples

    def _volume(self, *, by_rows: bool) -> Volume | None:
        if self.container is not Container.TIFF:
            return None
        opened = tiff.open_tiff(self._file)
        order = order_of(opened)
        if not (tiff.holds_planes(opened) or order.in_one_page or _is_large(Page(opened.pages[0]))):
            return None
        return Volume(self.path, opened, order, by_rows=by_rows)


def _is_large(page: Page) -> bool:
    """Whether a page that could be read plainly is read by rows."""
    if page.width * page.height * page.stored_samples <= FREE_SAMPLES:
        return False
    try:
        tiff.check_pages([page])
    except RefusedError:
        # Other bits, colours or the like: what it is, and whether it is too large, is the plain
        # reader's to say.
        return False
    return True


@contextmanager
def open_image(path: str | Path) -> Iterator[ImageFile]:
    """A picture file, open as long as the context: header, pixels and bytes from one opening.

    The format is told by content; of TIFFs alone the name says which are camera raw.

    Raises:
        ImageError: the file is missing, unreadable, or in no format that is read. Errors of the
            caller go through.
    """
    with one_error(Path(path)):
        file = open_file(Path(path))
    with file:
        yield ImageFile(Path(path), file)


def read_header(path: str | Path) -> Header:
    """Read what a file declares of its one picture; no pixel is decoded.

    Raises:
        ImageError: the file is missing, unreadable, or not supported.
    """
    with open_image(path) as image:
        return image.picture_header


def read_picture(path: str | Path) -> Picture:
    """Read a picture exactly: at its own depth, upright, with alpha and profile.

    Palettes, 1-, 2- and 4-bit grays and transparent colours are expanded to 8 bits (16 in a 16-bit
    file).

    Args:
        path: a PNG, JPEG, TIFF, WebP, BMP, GIF, PNM, AVIF, HEIC, JPEG XL or JPEG 2000 file.

    Returns:
        The picture, pixels H×W×C of dtype uint8 or uint16.

    Raises:
        ImageError: the file is missing, damaged, not supported, or larger than the limits of
            ``noisegen.files.opening``.
    """
    with open_image(path) as image:
        return image.picture()


def read_volume_header(path: str | Path) -> VolumeHeader | None:
    """Read what a volume declares: several planes, floats, 32 bits, or more than memory holds.

    Args:
        path: any picture file.

    Returns:
        None for a plain picture, which ``read_picture`` reads.

    Raises:
        ImageError: the file is missing, damaged or not supported.
    """
    with open_image(path) as image:
        return None if image.volume is None else image.volume.header


@contextmanager
def open_volume(path: str | Path) -> Iterator[Volume]:
    """The volume that a file holds, open as long as the context.

    Args:
        path: a file for which :func:`read_volume_header` is not None.

    Raises:
        ImageError: the file is missing, damaged, not supported, or a plain picture.
    """
    with open_image(path) as image:
        if image.volume is None:
            raise ImageError(
                path, "a plain picture by now, not a volume: let it be while it is read"
            )
        yield image.volume


def file_hash(path: str | Path) -> str:
    """The :class:`PixelHash` of all samples of a picture or volume.

    Raises:
        ImageError: it cannot be read.
    """
    with open_image(path) as image:
        if image.volume is None:
            return pixel_hash(image.picture())
        header = image.volume.header
        digest = PixelHash(header.pages, header.page_shape, header.dtype)
        for rows in image.volume.bands(_HASHED_AT_ONCE):
            digest.update(rows)
    return digest.hexdigest()


def read_planes(path: str | Path) -> Planes:
    """Read every picture of a file: the stacks, channels and floats of microscopes' TIFFs too.

    Several gray samples of a pixel, and the C axis that OME, ImageJ and tifffile write, are
    channels; every other axis and page is a frame. An RGB file is one channel of RGB frames.

    Args:
        path: any picture file. TIFFs may have many pages, and samples of 8 or 16 bits, signed
            ones of 16, or floats; 32-bit integers where they fit into 16 bits.

    Returns:
        The pictures, H×W×C, upright; floats and signed integers as float32, in their own range.

    Raises:
        ImageError: the file is missing, damaged, not supported, larger than the limits of
            ``noisegen.files.opening``, or holds NaN or infinite values.
    """
    with open_image(path) as image:
        return image.planes()
