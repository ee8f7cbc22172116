"""Reading: a path → its header, or its picture; every failure → one ``ImageError``."""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from noisegen.errors import ImageError
from noisegen.files import bmp, gif, jpeg, png, pnm, tiff, webp
from noisegen.files.description import Description, RefusedError
from noisegen.files.detect import LEAD_BYTES, container_of
from noisegen.files.limits import check_declared_size
from noisegen.files.orientation import UPRIGHT, packed, swaps_sides, upright
from noisegen.files.picture import Container, Header, Picture, Pixels


class _Format(NamedTuple):
    describe: Callable[[BinaryIO], Description]
    decode: Callable[[BinaryIO], Pixels]


_FORMATS = {
    Container.PNG: _Format(png.describe, png.decode),
    Container.JPEG: _Format(jpeg.describe, jpeg.decode),
    Container.TIFF: _Format(tiff.describe, tiff.decode),
    Container.WEBP: _Format(webp.describe, webp.decode),
    Container.BMP: _Format(bmp.describe, bmp.decode),
    Container.GIF: _Format(gif.describe, gif.decode),
    Container.PNM: _Format(pnm.describe, pnm.decode),
}
_LONGEST_CAUSE = 160
# How tifffile says that imagecodecs, or one of its codecs, is not there.
_NO_CODEC = "requires the 'imagecodecs' package"
_GET_CODECS = "pip install 'noisegen[codecs]', or save it uncompressed or deflated"


def read_header(path: str | Path) -> Header:
    """What a file declares of its picture; no pixel is decoded.

    The format is told by content, not by name.

    Args:
        path: a PNG, JPEG, TIFF, WebP, BMP, GIF or PNM file.

    Returns:
        Size (upright), channels, alpha, depth and format.

    Raises:
        ImageError: the file is missing, unreadable, or not supported.
    """
    with opened(Path(path)) as (file, container):
        description = _describe(file, container)
    width, height = description.width, description.height
    if swaps_sides(description.orientation):
        width, height = height, width
    return Header(
        width=width,
        height=height,
        channels=description.channels,
        has_alpha=description.has_alpha,
        dtype=description.dtype,
        container=container,
    )


def read_picture(path: str | Path) -> Picture:
    """Read a picture exactly: at its own depth, upright, with alpha and profile.

    The format is told by content, not by name. Palettes, 1-, 2- and 4-bit grays and transparent
    colours are expanded to 8 bits (16 in a 16-bit file).

    Args:
        path: a PNG, JPEG, TIFF, WebP, BMP, GIF or PNM file.

    Returns:
        The picture, pixels H×W×C of dtype uint8 or uint16.

    Raises:
        ImageError: the file is missing, damaged, not supported, or larger than the limits of
            ``noisegen.files.limits``.
    """
    with opened(Path(path)) as (file, container):
        description = _describe(file, container)
        samples = _FORMATS[container].decode(file)
        samples = samples[:, :, None] if samples.ndim == 2 else samples
        _check_as_described(samples, description)
        turned = upright(samples, description.orientation)
        colours = description.channels
        return Picture(
            pixels=packed(turned[:, :, :colours]),
            alpha=packed(turned[:, :, colours]) if description.has_alpha else None,
            icc=description.icc,
            container=container,
            copyable=description.verbatim and description.orientation == UPRIGHT,
        )


def read_jpeg_quality(path: str | Path) -> float | None:
    """Quality of a JPEG on libjpeg's scale, 1 to 100; no pixel is decoded.

    Returns:
        None for a file of another format.

    Raises:
        ImageError: the file is missing, damaged or not supported.
    """
    with opened(Path(path)) as (file, container):
        return jpeg.quality(file) if container is Container.JPEG else None


def _describe(file: BinaryIO, container: Container) -> Description:
    description = _FORMATS[container].describe(file)
    check_declared_size(description.width, description.height, description.samples, file.seek(0, 2))
    return description


def _check_as_described(samples: Pixels, description: Description) -> None:
    shape = (description.height, description.width, description.samples)
    if samples.shape != shape or samples.dtype != description.dtype:
        raise RefusedError(
            f"declares {description.dtype} {shape} but holds {samples.dtype} {samples.shape}: "
            "the file is damaged"
        )


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, Container]]:
    """The open file and its format; whatever goes wrong inside becomes an ``ImageError``."""
    with one_error(path), open_file(path) as file:
        yield file, container_at_start(file)


def open_file(path: Path) -> BinaryIO:
    """A regular file, opened for reading.

    Raises:
        RefusedError: a folder, and a pipe or device, which could block for ever.
    """
    _check_is_file(path)
    return path.open("rb")


def container_at_start(file: BinaryIO) -> Container:
    """The format that a file's first bytes announce.

    Raises:
        RefusedError: it is empty, or in no format that is read.
    """
    lead = file.read(LEAD_BYTES)
    if not lead:
        raise RefusedError("the file is empty: get an intact copy of it")
    return container_of(lead)


def _check_is_file(path: Path) -> None:
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise RefusedError("a folder, not an image file")
    if not stat.S_ISREG(mode):
        raise RefusedError("a pipe or device, not an image file: copy its content to a file")


@contextmanager
def one_error(path: Path) -> Iterator[None]:
    """Whatever reading a file raises inside becomes an ``ImageError`` that names it."""
    try:
        yield
    except RefusedError as refusal:
        raise ImageError(path, str(refusal)) from refusal
    except FileNotFoundError as error:
        raise ImageError(path, "no such file: check the path") from error
    except PermissionError as error:
        raise ImageError(path, "may not be read: check its permissions") from error
    except MemoryError:
        raise
    # Decoders raise nearly anything on damaged files: struct.error, ZeroDivisionError, bare
    # SyntaxError, classes of their own. What they mean for the user is one thing.
    except Exception as error:
        raise ImageError(path, _reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return "a link that leads back to itself: remove it"
    cause = " ".join(str(error).split())[:_LONGEST_CAUSE] or type(error).__name__
    if isinstance(error, ImportError) or _NO_CODEC in cause:
        return f"its compression needs a codec that is missing ({cause}): {_GET_CODECS}"
    return f"damaged or not supported ({cause}): open it elsewhere and save it again as PNG"
