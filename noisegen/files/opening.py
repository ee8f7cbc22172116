"""Opening a file: its format by its first bytes, and every failure as one ``ImageError``."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from noisegen.errors import ImageError
from noisegen.files.declared import RefusedError
from noisegen.files.picture import Container

_LEAD_BYTES = 16

_CONTAINERS = (
    (b"\x89PNG\r\n\x1a\n", Container.PNG),
    (b"\xff\xd8\xff", Container.JPEG),
    (b"II*\0", Container.TIFF),
    (b"MM\0*", Container.TIFF),
    (b"II+\0", Container.TIFF),
    (b"MM\0+", Container.TIFF),
    (b"BM", Container.BMP),
    (b"GIF8", Container.GIF),
    (b"P4", Container.PNM),
    (b"P5", Container.PNM),
    (b"P6", Container.PNM),
)

# Formats that users of cameras and microscopes have, so that the refusal can name them.
_KNOWN_OTHERS = (
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"8BPS", "Photoshop"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"FUJIFILMCCD-RAW", "camera raw"),
    (b"SIMPLE  =", "FITS"),
    (b"\x89HDF", "HDF5"),
    (b"%PDF", "PDF"),
    (b"P1", "plain-text PBM"),
    (b"P2", "plain-text PGM"),
    (b"P3", "plain-text PPM"),
    (b"P7", "PAM"),
)

_WAY_OUT = "noisegen reads PNG, JPEG, TIFF, WebP, BMP, GIF and PNM: convert it to PNG or TIFF"


_LONGEST_CAUSE = 160
# How tifffile says that imagecodecs, or one of its codecs, is not there.
_NO_CODEC = "requires the 'imagecodecs' package"
_GET_CODECS = "pip install 'noisegen[codecs]', or save it uncompressed or deflated"


def open_file(path: Path) -> BinaryIO:
    """A regular file, opened for reading.

    Raises:
        RefusedError: a folder, and a pipe or device, which could block for ever.
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise RefusedError("a folder, not an image file")
    if not stat.S_ISREG(mode):
        raise RefusedError("a pipe or device, not an image file: copy its content to a file")
    return path.open("rb")


def container_of(file: BinaryIO) -> Container:
    """The format that a file's first bytes announce.

    Raises:
        RefusedError: it is empty, or in no format that is read; known ones are named.
    """
    lead = file.read(_LEAD_BYTES)
    if not lead:
        raise RefusedError("the file is empty: get an intact copy of it")
    if lead[:4] == b"RIFF" and lead[8:12] == b"WEBP":
        return Container.WEBP
    for magic, container in _CONTAINERS:
        if lead.startswith(magic):
            return container
    if lead[4:8] == b"ftyp":
        raise RefusedError(f"a HEIF, AVIF or video file, which is not supported; {_WAY_OUT}")
    for magic, name in _KNOWN_OTHERS:
        if lead.startswith(magic):
            raise RefusedError(f"a {name} file, which is not supported; {_WAY_OUT}")
    raise RefusedError(f"not an image in a known format; {_WAY_OUT}")


@contextmanager
def one_error(path: Path) -> Iterator[None]:
    """Whatever reading a file raises inside becomes an ``ImageError`` that names it."""
    try:
        yield
    except (ImageError, MemoryError):
        raise
    except RefusedError as refusal:
        raise ImageError(path, str(refusal)) from refusal
    except FileNotFoundError as error:
        raise ImageError(path, "no such file: check the path") from error
    except PermissionError as error:
        raise ImageError(path, "may not be read: check its permissions") from error
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
