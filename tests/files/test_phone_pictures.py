"""AVIF, HEIC, JPEG XL and JPEG 2000, made by the encoders of the libraries that read them."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from phone_bytes import heif_bytes
from pictures import scene
from PIL import Image, features

from noisegen.errors import ImageError
from noisegen.files import Container, lossless_container, read_header, read_picture

Saved = Callable[[bytes], Path]
Pixels = NDArray[Any]
ROTATED = 6

needs_avif = pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")


def _close(read: Pixels, given: Pixels, steps: float) -> None:
    """Equal but for lossy compression."""
    assert (read.shape, read.dtype) == (given.shape, given.dtype)
    assert np.abs(read.astype(float) - given).mean() <= steps


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = ROTATED
    return exif.tobytes()


LOSSLESS: dict[str, Callable[[Pixels], bytes]] = {
    "jxl": lambda pixels: bytes(imagecodecs.jpegxl_encode(pixels, lossless=True)),
    "jp2": lambda pixels: bytes(imagecodecs.jpeg2k_encode(pixels, level=0)),
    "j2k": lambda pixels: bytes(imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="J2K")),
}


@pytest.mark.parametrize("encode", LOSSLESS.values(), ids=LOSSLESS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("samples", [1, 3, 4])
def test_lossless_samples_are_read_exactly(
    encode: Callable[[Pixels], bytes], dtype: Any, samples: int, saved: Saved,
    random_samples: Callable[..., Pixels],
) -> None:  # fmt: skip
    pixels = random_samples((40, 48, samples), dtype)
    path = saved(encode(pixels.squeeze()))
    header, picture = read_header(path), read_picture(path)
    assert (header.width, header.height, header.dtype) == (48, 40, np.dtype(dtype))
    assert (header.channels, header.has_alpha) == (1 if samples == 1 else 3, samples == 4)
    np.testing.assert_array_equal(picture.pixels, pixels[..., :3])
    if samples == 4:
        np.testing.assert_array_equal(picture.alpha, pixels[..., 3])
    assert lossless_container(picture.container) is Container.PNG
    assert not picture.copyable


@needs_avif
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
def test_avif_of_8_bits(mode: str, saved: Saved, icc: bytes) -> None:
    clean = scene(40, 48, 1 if mode.startswith("L") else 3)
    image = Image.fromarray(clean.squeeze())
    if mode.endswith("A"):
        image.putalpha(Image.fromarray(clean[..., 0]))
    buffer = io.BytesIO()
    colours = "4:0:0" if mode.startswith("L") else "4:4:4"
    image.save(buffer, "AVIF", quality=100, subsampling=colours, icc_profile=icc, exif=_exif())
    path = saved(buffer.getvalue())
    picture = read_picture(path)
    _close(picture.pixels, np.rot90(clean, -1), 2)
    assert picture.icc == icc
    assert (picture.alpha is not None) == mode.endswith("A")
    assert (read_header(path).width, read_header(path).height) == (40, 48)


@needs_avif
@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("samples", [1, 3, 4])
def test_avif_of_more_bits_is_stretched_to_16(bits: int, samples: int, saved: Saved) -> None:
    clean = (scene(40, 48, min(samples, 3)).astype(np.uint32) * 65535 // 255).astype(np.uint16)
    clean[:16, :16] = 65535
    if samples == 4:
        clean = np.dstack([clean, clean[..., :1]])
    data = imagecodecs.avif_encode(
        (clean >> (16 - bits)).squeeze(), level=100, bitspersample=bits, pixelformat="444"
    )
    picture = read_picture(saved(bytes(data)))
    _close(picture.pixels, clean[..., :3], 400)
    assert picture.pixels.max() == 65535
    assert (picture.alpha is not None) == (samples == 4)


@pytest.mark.parametrize("samples", [3, 4])
def test_heic_of_8_bits(samples: int, saved: Saved, icc: bytes) -> None:
    clean = scene(64, 80)
    clean = clean if samples == 3 else np.dstack([clean, clean[..., :1]])
    picture = read_picture(saved(heif_bytes(clean, icc_profile=icc)))
    assert picture.container is Container.HEIF
    _close(picture.pixels, clean[..., :3], 2)
    assert picture.icc == icc
    assert (picture.alpha is not None) == (samples == 4)


def test_heic_of_10_bits_is_stretched_to_16(saved: Saved) -> None:
    clean = (scene(64, 80).astype(np.uint32) * 65535 // 255).astype(np.uint16)
    picture = read_picture(saved(heif_bytes(clean)))
    _close(picture.pixels, clean, 400)


def test_heic_is_turned_as_its_box_says_once(saved: Saved) -> None:
    clean = scene(64, 80)
    picture = read_picture(saved(heif_bytes(clean, exif=_exif())))
    _close(picture.pixels, np.rot90(clean, -1), 2)


def test_without_pillow_heif_one_line_says_what_is_needed(
    saved: Saved, said_without: Callable[[str, Path], str]
) -> None:
    path = saved(b"\0\0\0\x18ftypheic" + bytes(4) + b"mif1heic" + bytes(20))
    said = said_without("pillow_heif", path)
    assert "pip install '.[heic]'" in said and str(path) in said


def test_the_profile_of_a_jpeg_2000_is_kept(saved: Saved, icc: bytes) -> None:
    data = LOSSLESS["jp2"](scene(40, 48))
    at = data.index(b"colr")
    start, (length,) = at - 4, struct.unpack_from(">I", data, at - 4)
    box = struct.pack(">I4s3B", 11 + len(icc), b"colr", 2, 0, 0) + icc
    header = data.index(b"jp2h") - 4
    (whole,) = struct.unpack_from(">I", data, header)
    grown = struct.pack(">I", whole + len(box) - length)
    data = data[:header] + grown + data[header + 4 : start] + box + data[start + length :]
    picture = read_picture(saved(data))
    assert picture.icc == icc
    np.testing.assert_array_equal(picture.pixels, scene(40, 48))


@pytest.mark.parametrize("kind", ["jxl", "jp2"])
def test_a_declared_bomb_is_refused_before_it_is_decoded(kind: str, saved: Saved) -> None:
    data = bytearray(LOSSLESS[kind](scene(40, 48)))
    if kind == "jp2":
        at = data.index(b"\xff\x4f\xff\x51")
        struct.pack_into(">2I", data, at + 8, 2**20, 2**20)
    else:
        # Not small, 30 bits of height, the same of width.
        side = (2**20 - 1) << 2 | 3
        bits = side << 1 | side << 36
        data[2:12] = bits.to_bytes(10, "little")
    path = saved(bytes(data))
    for read in (read_header, read_picture):
        with pytest.raises(ImageError, match="declares 1048576×1048576"):
            read(path)


@pytest.mark.parametrize("kind", ["jxl", "jp2", "avif", "heic"])
def test_damaged_files_are_refused_by_name(kind: str, saved: Saved) -> None:
    clean = scene(64, 80)
    if kind == "heic":
        data = heif_bytes(clean)
    elif kind == "avif":
        data = bytes(imagecodecs.avif_encode(clean, level=90))
    else:
        data = LOSSLESS[kind](clean)
    for cut in (20, len(data) // 8, len(data) // 2):
        path = saved(data[:cut])
        with pytest.raises(ImageError) as refusal:
            read_picture(path)
        assert "\n" not in str(refusal.value)
