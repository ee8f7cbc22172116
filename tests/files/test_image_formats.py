"""JPEG, WebP and BMP against Pillow, and which files are copyable."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from noisegen.errors import ImageError
from noisegen.files import Container, Picture, encode, read_header, read_picture

Saved = Callable[[bytes], Path]
PillowBytes = Callable[..., bytes]
MakeSamples = Callable[..., NDArray[Any]]


def decoded_by_pillow(data: bytes, mode: str) -> NDArray[Any]:
    return np.asarray(Image.open(io.BytesIO(data)).convert(mode))


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg(
    mode: str,
    progressive: bool,
    random_samples: MakeSamples,
    pillow_bytes: PillowBytes,
    icc: bytes,
    saved: Saved,
) -> None:
    image = Image.fromarray(random_samples((17, 23, 3))).convert(mode)
    data = pillow_bytes(image, "JPEG", progressive=progressive, icc_profile=icc)
    picture = read_picture(saved(data))
    np.testing.assert_array_equal(picture.pixels.squeeze(), decoded_by_pillow(data, mode))
    assert picture.container is Container.JPEG
    assert picture.icc == icc
    assert picture.alpha is None
    assert not picture.copyable


def test_a_multi_picture_jpeg_is_read_as_its_main_picture(
    random_samples: MakeSamples, pillow_bytes: PillowBytes, saved: Saved
) -> None:
    main, other = (Image.fromarray(random_samples((16, 24, 3), seed=seed)) for seed in (1, 2))
    data = pillow_bytes(main, "MPO", save_all=True, append_images=[other])
    picture = read_picture(saved(data))
    np.testing.assert_array_equal(picture.pixels, decoded_by_pillow(data, "RGB"))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("extended", [False, True])
def test_webp(
    mode: str,
    lossless: bool,
    extended: bool,
    random_samples: MakeSamples,
    pillow_bytes: PillowBytes,
    icc: bytes,
    saved: Saved,
) -> None:
    samples = random_samples((17, 23, len(mode)))
    options = {"icc_profile": icc} if extended else {}
    data = pillow_bytes(Image.fromarray(samples), "WEBP", lossless=lossless, exact=True, **options)
    path = saved(data)
    picture = read_picture(path)
    seen = decoded_by_pillow(data, mode)
    np.testing.assert_array_equal(picture.pixels, seen[:, :, :3])
    if lossless:
        np.testing.assert_array_equal(picture.pixels, samples[:, :, :3])
    if picture.alpha is not None:
        np.testing.assert_array_equal(picture.alpha, seen[:, :, 3])
    assert (picture.alpha is not None) == (mode == "RGBA")
    assert picture.icc == (icc if extended else None)
    assert not picture.copyable
    header = read_header(path)
    assert (header.height, header.width, header.channels) == (17, 23, 3)
    assert (header.has_alpha, header.container) == (mode == "RGBA", Container.WEBP)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
@pytest.mark.parametrize("width", [1, 7, 8, 33])
def test_bmp(
    mode: str, width: int, random_samples: MakeSamples, pillow_bytes: PillowBytes, saved: Saved
) -> None:
    image = Image.fromarray(random_samples((6, width, 3))).convert(mode)
    data = pillow_bytes(image, "BMP")
    path = saved(data)
    picture = read_picture(path)
    seen = decoded_by_pillow(data, "L" if mode in "1L" else "RGB")
    np.testing.assert_array_equal(
        picture.pixels.squeeze(axis=2) if mode in "1L" else picture.pixels, seen
    )
    assert picture.copyable == (mode in ("L", "RGB"))
    assert read_header(path).channels == picture.channels


def bmp(
    bits: int,
    rows: bytes,
    palette: bytes = b"",
    colours: int = 0,
    height: int = 1,
    compression: int = 0,
    header_size: int = 40,
    more: bytes = b"",
) -> bytes:
    """A BMP of width 3 with the given row bytes."""
    fields = (header_size, 3, height, 1, bits, compression, len(rows), 0, 0, colours, 0)
    info = struct.pack("<IiiHHIIiiII", *fields) + more.ljust(header_size - 40, b"\0")
    offset = 14 + len(info) + len(palette)
    lead = b"BM" + struct.pack("<IHHI", offset + len(rows), 0, 0, offset)
    return lead + info + palette + rows


def test_bmp_of_8_bit_indices_into_black_and_white(saved: Saved) -> None:
    data = bmp(8, bytes([1, 0, 1, 0]), bytes([0, 0, 0, 0, 255, 255, 255, 0]), colours=2)
    picture = read_picture(saved(data))
    assert picture.pixels[0, :, 0].tolist() == [255, 0, 255]
    assert not picture.copyable


def test_bmp_of_4_bit_indices(saved: Saved) -> None:
    palette = bytes(value for index in range(16) for value in (index, 2 * index, 3 * index, 0))
    picture = read_picture(saved(bmp(4, bytes([0x1F, 0x20, 0, 0]), palette)))
    assert picture.pixels[0].tolist() == [[3, 2, 1], [45, 30, 15], [6, 4, 2]]


def test_bmp_with_an_old_header(saved: Saved) -> None:
    info = struct.pack("<IHHHH", 12, 3, 1, 1, 8)
    palette = bytes([10, 20, 30, 40, 50, 60])
    lead = b"BM" + struct.pack("<IHHI", 0, 0, 0, 14 + 12 + 256 * 3)
    rows = bytes([1, 0, 1, 0])
    picture = read_picture(saved(lead + info + palette.ljust(256 * 3, b"\0") + rows))
    assert picture.pixels[0].tolist() == [[60, 50, 40], [30, 20, 10], [60, 50, 40]]


@pytest.mark.parametrize("height", [2, -2])
def test_bmp_rows_may_run_either_way(height: int, saved: Saved) -> None:
    rows = bytes([1, 1, 1, 2, 2, 2, 3, 3, 3, 0, 0, 0]) + bytes([4, 4, 4, 5, 5, 5, 6, 6, 6, 0, 0, 0])
    picture = read_picture(saved(bmp(24, rows, height=height)))
    first, second = (0, 1) if height < 0 else (1, 0)
    assert picture.pixels[first, :, 0].tolist() == [1, 2, 3]
    assert picture.pixels[second, :, 0].tolist() == [4, 5, 6]


@pytest.mark.parametrize("masked", [False, True])
def test_bmp_of_32_bits_without_alpha(masked: bool, saved: Saved) -> None:
    rows = bytes([1, 2, 3, 99, 4, 5, 6, 99, 7, 8, 9, 99])
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0)
    data = bmp(32, rows, compression=3, header_size=108, more=masks) if masked else bmp(32, rows)
    picture = read_picture(saved(data))
    assert picture.pixels[0].tolist() == [[3, 2, 1], [6, 5, 4], [9, 8, 7]]
    assert picture.alpha is None
    assert not picture.copyable


ALPHA_MASKS = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
V5_PROFILE = bytes(16) + b"DEBM"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bmp(32, bytes(12), compression=3, header_size=108, more=ALPHA_MASKS), "alpha"),
        (bmp(24, bytes(12), header_size=124, more=V5_PROFILE), "colour profile"),
        (bmp(16, bytes(8)), "16 bits a pixel"),
        (bmp(8, bytes(4), bytes(1024), compression=1), "compressed"),
        (bmp(8, bytes(3), bytes(1024)), "cut short"),
        (bmp(8, bytes([9, 9, 9, 0]), bytes(8), colours=2), "damaged"),
        (bmp(24, bytes(12), height=0), "empty picture of 3×0"),
        (bmp(24, bytes(12), header_size=41), r"header type \(41\)"),
    ],
)
def test_bmp_refusals(data: bytes, reason: str, saved: Saved) -> None:
    with pytest.raises(ImageError, match=reason):
        read_picture(saved(data))


def test_the_ending_does_not_matter(tmp_path: Path, random_samples: MakeSamples) -> None:
    pixels = random_samples((4, 4, 3))
    path = tmp_path / "photo.jpg"
    path.write_bytes(encode(Picture(pixels, None, None, Container.TIFF, False)))
    assert read_picture(path).container is Container.TIFF
    np.testing.assert_array_equal(read_picture(str(path)).pixels, pixels)
