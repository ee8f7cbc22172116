"""JPEG, WebP, GIF and BMP, which Pillow decodes: 8-bit gray and RGB, one picture a file.

A camera's multi-picture JPEG (MPO, gain maps) is read as its main picture, the one shown.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.MpoImagePlugin import MpoImageFile
from PIL.WebPImagePlugin import WebPImageFile

from noisegen.files.opening import Description, RefusedError, check_declared_size, container_of
from noisegen.files.orientation import orientation_in_exif
from noisegen.files.picture import Container, Picture, Pixels

# The plugins' own classes: Image.open would bring a process-wide size limit with warnings, and
# try other formats.
_PLUGINS: dict[Container, Callable[[BinaryIO], ImageFile]] = {
    Container.JPEG: JpegImageFile,
    Container.WEBP: WebPImageFile,
    Container.GIF: GifImageFile,
    Container.BMP: BmpImageFile,
}

_GAIN_MAPS = (b"hdrgm:", b"HDRGainMap", b"urn:iso:std:iso:ts:21496:-1")

_ANIMATIONS = {Container.GIF: "GIF", Container.WEBP: "WebP"}

STANDARD_TABLE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""Luma's steps at quality 50 (ITU-R T.81, Table K.1); rows of rising vertical frequency."""


def quality_of_scale(scale: float) -> float:
    """The quality, up to 100, at which libjpeg's steps are the standard ones times ``scale``.

    ``jpeg_quality_scaling`` of libjpeg's ``jcparam.c``, the other way round.
    """
    return 50 / scale if scale > 1 else 100 - 50 * scale


def jpeg_quality(file: BinaryIO) -> float:
    """Quality of a JPEG's luma on libjpeg's scale, by the file's quantisation table."""
    file.seek(0)
    tables = JpegImageFile(file).quantization
    return quality_of_scale(sum(tables[min(tables)]) / sum(map(sum, STANDARD_TABLE)))


def describe(file: BinaryIO) -> Description:
    """Read the header of a file; no pixel is decoded.

    Raises:
        RefusedError: it is animated, CMYK, a BMP that is compressed or has alpha or a profile, or
            declares an absurd size.
    """
    image, container = _open(file)
    if container is Container.BMP:
        return _describe_bmp(file, image)
    mode = _mode(image, container)
    return Description(
        width=image.width,
        height=image.height,
        channels=1 if mode.startswith("L") else 3,
        has_alpha=mode.endswith("A"),
        icc=image.info.get("icc_profile") or None,
        gain_map=container is Container.JPEG and _has_gain_map(image, file),
        orientation=orientation_in_exif(image.info.get("exif")),
    )


def decode(file: BinaryIO) -> Pixels:
    """Decode the samples, H×W or H×W×S; palettes are looked up."""
    image, container = _open(file)
    if container is Container.BMP:
        return _decode_bmp(file, image)
    return np.asarray(image.convert(_mode(image, container)))


def _has_gain_map(image: ImageFile, file: BinaryIO) -> bool:
    """Whether a JPEG announces a gain map, or one of the pictures behind it is one."""
    if _announces_gain_map(image):
        return True
    if "mp" not in image.info:
        return False
    # A broken index of the others leaves the main picture as sound as it was.
    with suppress(Exception):
        file.seek(0)
        several = MpoImageFile(file)
        for index in range(1, several.n_frames):
            several.seek(index)
            if _announces_gain_map(several):
                return True
    return False


def _announces_gain_map(image: ImageFile) -> bool:
    """Whether a JPEG has the marks of Adobe's, Apple's or ISO 21496-1's gain maps."""
    segments = b"".join(data for _, data in getattr(image, "applist", ()))
    return any(mark in segments for mark in _GAIN_MAPS)


def encode_bmp(picture: Picture, _: int) -> bytes:
    """The picture as an uncompressed BMP.

    Raises:
        ValueError: alpha, a profile or 16 bits, which a plain BMP cannot hold.
    """
    if picture.alpha is not None or picture.icc is not None or picture.dtype != np.uint8:
        raise ValueError("a BMP holds 8-bit gray or RGB without alpha and profile")
    gray = picture.channels == 1
    buffer = io.BytesIO()
    Image.fromarray(picture.pixels[:, :, 0] if gray else picture.pixels).save(buffer, "BMP")
    return buffer.getvalue()


def _open(file: BinaryIO) -> tuple[ImageFile, Container]:
    file_size = file.seek(0, 2)
    file.seek(0)
    container = container_of(file)
    if container is not Container.JPEG:
        # Pillow may fill the whole canvas when it opens one.
        file.seek(0)
        samples = 3 if container is Container.WEBP else 1
        check_declared_size(*_canvas(file.read(30), container), samples, file_size)
    file.seek(0)
    image = _PLUGINS[container](file)
    if container in _ANIMATIONS and getattr(image, "is_animated", False):
        name = _ANIMATIONS[container]
        raise RefusedError(f"an animated {name}, which is not supported: save one frame of it")
    return image, container


def _canvas(lead: bytes, container: Container) -> tuple[int, int]:
    """Width and height that a file's first bytes declare."""
    if container is Container.GIF:
        width, height = struct.unpack_from("<HH", lead, 6)
    elif container is Container.BMP:
        width, height = struct.unpack_from("<HH" if lead[14] == _OLD_BMP else "<ii", lead, 18)
    elif lead[12:16] == b"VP8X":
        width, height = (int.from_bytes(lead[at : at + 3], "little") + 1 for at in (24, 27))
    elif lead[12:16] == b"VP8L":
        bits = int.from_bytes(lead[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", lead, 26))
    return width, abs(height)


def _mode(image: ImageFile, container: Container) -> str:
    """Pillow's mode of the samples that are read."""
    if container is Container.GIF:
        transparent = "transparency" in image.info
        return ("L" if image.mode == "L" else "RGB") + ("A" if transparent else "")
    if image.mode not in ("L", "RGB", "RGBA"):
        raise RefusedError(f"{image.mode} colour is not supported: convert it to RGB")
    return image.mode


_OLD_BMP, _BMP_V5 = 12, 124
_RAW_INDICES = {1: "P;1", 4: "P;4", 8: "P"}
_BLACK_AND_WHITE = np.array([[0] * 3, [255] * 3], np.uint8)
_GRAYS = np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1)
_BMP_PROFILES = (b"DEBM", b"KNIL")  # 'MBED' and 'LINK', little-endian


class _BmpRows(NamedTuple):
    """Storage of a BMP's rows."""

    offset: int
    bits: int
    stride: int
    direction: int
    """-1 from the bottom up."""


def _rows_of_bmp(file: BinaryIO, image: ImageFile) -> _BmpRows:
    """Find the rows as Pillow does; refuse what would be lost or misread."""
    codec, _, offset, found = image.tile[0]
    raw, stride, direction = cast("tuple[str, int, int]", found)
    file.seek(14)
    header = file.read(60)
    bits = header[10 if header[0] == _OLD_BMP else 14]
    if codec != "raw":
        raise RefusedError("a compressed BMP is not supported: save it uncompressed or as PNG")
    if bits not in (*_RAW_INDICES, 24, 32):
        raise RefusedError(f"a BMP of {bits} bits a pixel is not supported: convert it to 24 bits")
    if bits == 32 and raw != "BGRX":
        raise RefusedError("a BMP with alpha or unusual masks is not supported: save it as PNG")
    if header[0] == _BMP_V5 and header[56:] in _BMP_PROFILES:
        raise RefusedError("a BMP with a colour profile is not supported: save it as PNG")
    if file.seek(0, 2) < offset + stride * image.height:
        raise RefusedError("the BMP is cut short: get an intact copy of the file")
    return _BmpRows(offset, bits, stride, direction)


def _palette_of_bmp(image: ImageFile) -> NDArray[np.uint8]:
    """Colours, entries×3, of a BMP of indices; of other BMPs the grays."""
    if image.palette is None:
        return _BLACK_AND_WHITE if image.mode == "1" else _GRAYS
    entries = np.frombuffer(bytes(image.palette.palette), np.uint8)
    colours: NDArray[np.uint8] = entries.reshape(-1, len(image.palette.rawmode or ""))[:, 2::-1]
    return colours


def _describe_bmp(file: BinaryIO, image: ImageFile) -> Description:
    bits, palette = _rows_of_bmp(file, image).bits, _palette_of_bmp(image)
    gray = bits <= 8 and (palette == palette[:, :1]).all()
    plain = bits == 24 or (bits == 8 and image.mode == "L")
    return Description(image.width, image.height, 1 if gray else 3, False, verbatim=plain)


def _decode_bmp(file: BinaryIO, image: ImageFile) -> Pixels:
    rows = _rows_of_bmp(file, image)
    if rows.bits > 8:
        return np.asarray(image)
    # Pillow itself takes indices of 4 and 8 bits for single ones where the palette is black and
    # white.
    file.seek(rows.offset)
    data = file.read(rows.stride * image.height)
    stored = ("raw", _RAW_INDICES[rows.bits], rows.stride, rows.direction)
    palette = _palette_of_bmp(image)
    colours: Pixels = palette[np.asarray(Image.frombytes("P", image.size, data, *stored))]
    return colours[:, :, 0] if (palette == palette[:, :1]).all() else colours
