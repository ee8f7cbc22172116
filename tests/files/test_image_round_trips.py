from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import DTypeLike
from PIL import Image

from noisegen.files import (
    Container,
    Picture,
    encode,
    lossless_container,
    pixel_hash,
    read_header,
    read_picture,
)

MakePicture = Callable[..., Picture]
Saved = Callable[[bytes], Path]

SIZES = [(1, 1), (1, 9), (8, 1), (5, 7)]
MODES = [(1, False), (1, True), (3, False), (3, True)]


def assert_same(read: Picture, written: Picture) -> None:
    np.testing.assert_array_equal(read.pixels, written.pixels)
    assert read.dtype == written.dtype
    assert (read.alpha is None) == (written.alpha is None)
    if written.alpha is not None and read.alpha is not None:
        np.testing.assert_array_equal(read.alpha, written.alpha)
        assert read.alpha.dtype == written.dtype
    assert read.icc == written.icc
    assert read.container is written.container


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("with_profile", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("channels", "alpha"), MODES)
@pytest.mark.parametrize("container", [Container.PNG, Container.TIFF])
def test_every_mode_and_depth_comes_back_exactly(
    container: Container,
    channels: int,
    alpha: bool,
    dtype: DTypeLike,
    with_profile: bool,
    size: tuple[int, int],
    random_picture: MakePicture,
    icc: bytes,
    saved: Saved,
) -> None:
    profile = icc if with_profile else None
    picture = random_picture(channels, dtype, alpha, container, size, profile)
    path = saved(encode(picture))
    read = read_picture(path)
    assert_same(read, picture)
    # What was read can be written in turn.
    assert encode(read) == encode(picture)
    assert read.copyable
    header = read_header(path)
    assert (header.height, header.width) == size
    assert (header.channels, header.has_alpha, header.dtype) == (channels, alpha, dtype)
    assert header.container is container


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
def test_bmp_comes_back_exactly(
    channels: int, size: tuple[int, int], random_picture: MakePicture, saved: Saved
) -> None:
    picture = random_picture(channels, container=Container.BMP, size=size)
    read = read_picture(saved(encode(picture)))
    assert_same(read, picture)
    assert read.copyable


@pytest.mark.parametrize("field", ["alpha", "dtype", "icc"])
def test_bmp_refuses_what_it_cannot_hold(
    field: str, random_picture: MakePicture, icc: bytes
) -> None:
    options: dict[str, Any] = {"alpha": True, "dtype": np.uint16, "icc": icc}
    with pytest.raises(ValueError, match="BMP"):
        encode(random_picture(container=Container.BMP, **{field: options[field]}))


@pytest.mark.parametrize("container", [Container.JPEG, Container.WEBP])
def test_lossy_formats_are_written_as_png(
    container: Container, random_picture: MakePicture, saved: Saved
) -> None:
    assert lossless_container(container) is Container.PNG
    picture = random_picture(container=container)
    read = read_picture(saved(encode(picture)))
    assert read.container is Container.PNG
    np.testing.assert_array_equal(read.pixels, picture.pixels)


@pytest.mark.parametrize("container", [Container.PNG, Container.TIFF, Container.BMP])
def test_lossless_formats_stay(container: Container) -> None:
    assert lossless_container(container) is container


@pytest.mark.parametrize("container", [Container.PNG, Container.TIFF, Container.BMP])
def test_equal_pictures_give_equal_bytes(container: Container, random_picture: MakePicture) -> None:
    first, second = (encode(random_picture(container=container)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(("channels", "alpha"), MODES)
def test_pillow_sees_the_same_png(
    channels: int, alpha: bool, random_picture: MakePicture, icc: bytes
) -> None:
    picture = random_picture(channels, alpha=alpha, icc=icc)
    image = Image.open(io.BytesIO(encode(picture)))
    seen = np.asarray(image).reshape(5, 7, -1)
    np.testing.assert_array_equal(seen[:, :, :channels], picture.pixels)
    if picture.alpha is not None:
        np.testing.assert_array_equal(seen[:, :, channels], picture.alpha)
    assert image.info["icc_profile"] == icc


def test_pillow_finds_the_profile_of_a_16_bit_png(random_picture: MakePicture, icc: bytes) -> None:
    image = Image.open(io.BytesIO(encode(random_picture(3, np.uint16, icc=icc))))
    assert image.info["icc_profile"] == icc


def test_tiff_says_no_date_and_no_program(random_picture: MakePicture) -> None:
    data = encode(random_picture(3, np.uint16, alpha=True, container=Container.TIFF))
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page = tiff.pages[0]
        assert not {"Software", "DateTime", "ImageDescription"} & {tag.name for tag in page.tags}
        assert page.predictor == 1
        assert [int(kind) for kind in page.extrasamples] == [2]


def test_hash_is_of_the_pixels_alone(random_picture: MakePicture, icc: bytes, saved: Saved) -> None:
    png = random_picture(3, np.uint16, alpha=True)
    tiff = random_picture(3, np.uint16, alpha=True, container=Container.TIFF, icc=icc)
    assert pixel_hash(read_picture(saved(encode(png)))) == pixel_hash(tiff)


def test_hash_does_not_depend_on_memory_layout(random_picture: MakePicture) -> None:
    picture = random_picture(3, np.uint16)
    other = Picture(np.asfortranarray(picture.pixels), None, None, Container.PNG, False)
    assert pixel_hash(picture) == pixel_hash(other)


def test_hash_of_a_known_picture() -> None:
    pixels = np.array([[[1], [256]]], np.uint16)
    # SHA-256 of "uint16 (1, 2, 1)\n" and the bytes 01 00 00 01.
    expected = "6fb2d676ee81410b9480a9f1df07d0692258f87e2819ecf01b7194655f819372"
    assert pixel_hash(Picture(pixels, None, None, Container.PNG, False)) == expected


def test_hash_tells_pictures_apart(random_picture: MakePicture) -> None:
    picture = random_picture(1, np.uint8, size=(4, 6))
    changed = picture.pixels.copy()
    changed[2, 3, 0] ^= 1
    others = [
        Picture(changed, None, None, Container.PNG, False),
        Picture(picture.pixels.reshape(6, 4, 1), None, None, Container.PNG, False),
        Picture(picture.pixels.astype(np.uint16), None, None, Container.PNG, False),
        Picture(picture.pixels, picture.pixels[:, :, 0], None, Container.PNG, False),
    ]
    assert len({pixel_hash(each) for each in [picture, *others]}) == 5


@pytest.mark.parametrize(
    ("pixels", "alpha"),
    [
        (np.zeros((4, 6), np.uint8), None),
        (np.zeros((4, 6, 2), np.uint8), None),
        (np.zeros((0, 6, 3), np.uint8), None),
        (np.zeros((4, 6, 3), np.float32), None),
        (np.zeros((4, 6, 3), np.dtype(np.uint16).newbyteorder()), None),
        (np.zeros((4, 6, 3), np.uint8), np.zeros((6, 4), np.uint8)),
        (np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint16)),
    ],
)
def test_a_picture_that_does_not_fit_is_refused(pixels: Any, alpha: Any) -> None:
    with pytest.raises(ValueError, match=r"pixels|alpha"):
        Picture(pixels, alpha, None, Container.PNG, False)
