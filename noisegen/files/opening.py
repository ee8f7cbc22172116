"""What is known of a file before it is decoded: its format, how large it may be, one error."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from noisegen.errors import ImageError, from_checkout
from noisegen.files.picture import DEPTHS, Container

MAX_SAMPLES = 2**31
"""Most samples (width × height × samples of a pixel) of one picture: 715 megapixels of RGB."""

MAX_SAMPLES_PER_BYTE = 4096
"""Most samples a byte of the file may stand for, once there are more than :data:`FREE_SAMPLES`.

Deflate, the densest common compression, cannot pass 1,032 bytes a byte."""

FREE_SAMPLES = 2**28
"""Pictures up to this many samples are decoded however small their file is: a plain surface
compresses without bound in some formats, and this much memory does no harm. TIFFs beyond it are
read by rows."""


class RefusedError(Exception):
    """A file that is not read: the reason and the way out, as a clause without a full stop.

    It never leaves this folder: ``one_error`` turns it into an ``ImageError`` that names the file.
    """


@dataclass(frozen=True)
class Description:
    """What a file declares of the picture that it holds, as it is stored."""

    width: int
    """Columns as stored."""
    height: int
    """Rows as stored."""
    channels: int
    """1 for gray, 3 for RGB, after palettes are expanded."""
    has_alpha: bool
    dtype: np.dtype[Any] = DEPTHS[0]
    """uint8 or uint16, after fewer bits are expanded."""
    icc: bytes | None = None
    colours: tuple[int, int] | None = None
    """Primaries and transfer function as code points (ITU-T H.273), where the file has them."""
    gain_map: bool = False
    """Whether another picture beside it makes it one of high dynamic range."""
    orientation: int = 1
    """EXIF's 1–8: 1 is upright."""
    verbatim: bool = False
    """Whether the file holds these samples losslessly and as they are: nothing to expand,
    invert, look up or rearrange but the orientation."""

    @property
    def samples(self) -> int:
        """Samples of a pixel: the channels, and alpha where there is one."""
        return self.channels + self.has_alpha


def check_declared_size(
    width: int, height: int, samples: int, file_size: int, *, by_rows: bool = False
) -> None:
    """Refuse a picture that is empty, too large, or absurdly large for its file.

    Args:
        width: declared columns.
        height: declared rows.
        samples: samples of a pixel.
        file_size: bytes of the whole file.
        by_rows: it is never in memory as a whole, so that only its file limits its size.

    Raises:
        RefusedError: the declared size is outside the limits.
    """
    if width < 1 or height < 1:
        raise RefusedError(f"declares an empty picture of {width}×{height} pixels")
    total = width * height * samples
    declared = f"declares {width}×{height} pixels of {samples} samples"
    if total > MAX_SAMPLES and not by_rows:
        raise RefusedError(
            f"{declared}, more than the limit of {MAX_SAMPLES} samples: cut it into smaller images"
        )
    if total > FREE_SAMPLES and total > MAX_SAMPLES_PER_BYTE * file_size:
        raise RefusedError(
            f"{declared} in a file of {file_size} bytes, which cannot hold them: "
            "the file is damaged or made to exhaust memory"
        )


_LEAD_BYTES = 16

_CONTAINERS = (
    *((b"\x89PNG\r\n\x1a\n", Container.PNG), (b"\xff\xd8\xff", Container.JPEG)),
    *((order, Container.TIFF) for order in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    (b"FUJIFILMCCD-RAW", Container.RAW),
    *((b"BM", Container.BMP), (b"GIF8", Container.GIF)),
    *((kind, Container.PNM) for kind in (b"P4", b"P5", b"P6")),
    *((kind, Container.JPEG_XL) for kind in (b"\xff\x0a", b"\0\0\0\x0cJXL ")),
    *((kind, Container.JPEG_2000) for kind in (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")),
)
# Formats that users of cameras and microscopes have, so that the refusal can name them.
_KNOWN_OTHERS = (
    *((b"8BPS", "Photoshop"), (b"\x76\x2f\x31\x01", "OpenEXR"), (b"%PDF", "PDF")),
    *((b"SIMPLE  =", "FITS"), (b"\x89HDF", "HDF5")),
    *((b"P1", "plain-text PBM"), (b"P2", "plain-text PGM"), (b"P3", "plain-text PPM")),
    (b"P7", "PAM"),
)
_WAY_OUT = (
    "noisegen reads PNG, JPEG, TIFF, WebP, BMP, GIF, PNM, AVIF, HEIC, JPEG XL, JPEG 2000 and "
    "camera raw: convert it to PNG or TIFF"
)

_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_HEIF_BRANDS = frozenset(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"mif2")
)


_LONGEST_CAUSE = 160
# How tifffile says that imagecodecs, or one of its codecs, is not there.
_NO_CODEC = "requires the 'imagecodecs' package"
_GET_CODECS = f"{from_checkout('codecs')}, or save it uncompressed or deflated"


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
        return _of_brands(lead, file)
    for magic, name in _KNOWN_OTHERS:
        if lead.startswith(magic):
            raise RefusedError(f"a {name} file, which is not supported; {_WAY_OUT}")
    raise RefusedError(f"not an image in a known format; {_WAY_OUT}")


def brands_of(file: BinaryIO) -> set[bytes]:
    """The brands of a file's first box (``ftyp``): its own, and those that it is readable as."""
    file.seek(0)
    lead = file.read(_LEAD_BYTES)
    rest = file.read(min(int.from_bytes(lead[:4], "big"), 256) - len(lead))
    return {lead[8:12], *(rest[at : at + 4] for at in range(0, len(rest), 4))}


def _of_brands(lead: bytes, file: BinaryIO) -> Container:
    """AVIF, HEIF or Canon's raw, by the brands of a file's first box; videos have it too."""
    brands = brands_of(file)
    if brands & _AVIF_BRANDS:
        return Container.AVIF
    if brands & _HEIF_BRANDS:
        return Container.HEIF
    if lead[8:12] == b"crx ":
        return Container.RAW
    raise RefusedError(f"a video file, which is not supported; {_WAY_OUT}")


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
        if path.is_symlink():
            raise ImageError(path, "a link that leads nowhere: remove it") from error
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
