"""EXIF orientation 1–8, in every format that has it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageOps

from noisegen.files import read_header, read_picture

Saved = Callable[[bytes], Path]
PillowBytes = Callable[..., bytes]
MakeSamples = Callable[..., NDArray[Any]]
MakeExif = Callable[[int], bytes]

# What each orientation means, in words of the EXIF standard turned into rotations and flips.
EXPECTED: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: np.fliplr(np.rot90(a, -1)),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.fliplr(np.rot90(a)),
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("container", "mode"),
    [
        *(("PNG", "L"), ("PNG", "RGB"), ("PNG", "RGBA")),
        *(("TIFF", "L"), ("TIFF", "RGB"), ("TIFF", "RGBA")),
        *(("JPEG", "L"), ("JPEG", "RGB"), ("WEBP", "RGB"), ("WEBP", "RGBA")),
    ],
)
def test_8_bits_as_in_pillow(
    container: str,
    mode: str,
    orientation: int,
    random_samples: MakeSamples,
    pillow_bytes: PillowBytes,
    exif: MakeExif,
    saved: Saved,
) -> None:
    image = Image.fromarray(random_samples((9, 14, 4))).convert(mode)
    options = {"lossless": True, "exact": True} if container == "WEBP" else {}
    data = pillow_bytes(image, container, exif=exif(orientation), **options)
    shown = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    expected = np.asarray(shown).reshape(shown.height, shown.width, -1)
    path = saved(data)
    picture = read_picture(path)
    np.testing.assert_array_equal(picture.pixels, expected[:, :, : picture.channels])
    if mode == "RGBA":
        np.testing.assert_array_equal(picture.alpha, expected[:, :, 3])
    assert picture.copyable == (orientation == 1 and container in ("PNG", "TIFF"))
    header = read_header(path)
    assert (header.width, header.height) == (picture.width, picture.height) == shown.size


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("container", ["png", "tiff"])
def test_16_bits_as_the_standard_says(
    container: str,
    orientation: int,
    random_samples: MakeSamples,
    png_bytes: Callable[..., bytes],
    png_chunk: Callable[[bytes, bytes], bytes],
    exif: MakeExif,
    saved: Saved,
) -> None:
    samples = random_samples((3, 5, 4), np.uint16)
    if container == "png":
        rows = samples.astype(">u2").view(np.uint8).reshape(3, -1)
        block = png_chunk(b"eXIf", exif(orientation).removeprefix(b"Exif\0\0"))
        data = png_bytes((3, 5), 16, 6, [rows], extra=block)
    else:
        buffer = io.BytesIO()
        tag = (274, "H", 1, orientation, True)
        tifffile.imwrite(
            buffer, samples, photometric="rgb", extrasamples=["unassalpha"], extratags=[tag]
        )
        data = buffer.getvalue()
    picture = read_picture(saved(data))
    expected = EXPECTED[orientation](samples)
    np.testing.assert_array_equal(picture.pixels, expected[:, :, :3])
    np.testing.assert_array_equal(picture.alpha, expected[:, :, 3])
    assert picture.dtype == np.uint16
    assert picture.copyable == (orientation == 1)
    assert picture.pixels.flags.c_contiguous


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"Exif\0\0",
        b"nonsense",
        b"MM\0*\xff\xff\xff\xff",
        b"II*\0\x08\0\0\0\xff\xff",
        b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x09\0\0\0",
        b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x00\0\0\0",
    ],
)
def test_damaged_or_meaningless_exif_leaves_the_picture_as_it_is(
    block: bytes,
    png_bytes: Callable[..., bytes],
    png_chunk: Callable[[bytes, bytes], bytes],
    saved: Saved,
) -> None:
    rows = np.array([[1, 2, 3]], np.uint8)
    data = png_bytes((1, 3), 8, 0, [rows], extra=png_chunk(b"eXIf", block))
    picture = read_picture(saved(data))
    assert picture.pixels[0, :, 0].tolist() == [1, 2, 3]
    assert picture.copyable
