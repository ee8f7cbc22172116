"""PNGs put together by hand: depths, interlacing, palettes, transparent colours, profiles."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from noisegen.errors import ImageError
from noisegen.files import read_header, read_picture

Saved = Callable[[bytes], Path]
MakePng = Callable[..., bytes]
MakeChunk = Callable[[bytes, bytes], bytes]
MakeSamples = Callable[..., NDArray[Any]]

GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6
ADAM7 = [
    (0, 0, 8, 8),
    (0, 4, 8, 8),
    (4, 0, 8, 4),
    (0, 2, 4, 4),
    (2, 0, 4, 2),
    (0, 1, 2, 2),
    (1, 0, 2, 1),
]


def rows_of(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """H×W×S → H×bytes, big-endian as PNG wants them."""
    big_endian = np.ascontiguousarray(samples, samples.dtype.newbyteorder(">"))
    return big_endian.view(np.uint8).reshape(len(samples), -1)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("colour", [GRAY, RGB, GRAY_ALPHA, RGBA])
@pytest.mark.parametrize("interlaced", [False, True])
def test_samples_are_exact(
    colour: int,
    dtype: type,
    interlaced: bool,
    png_bytes: MakePng,
    random_samples: MakeSamples,
    saved: Saved,
) -> None:
    samples = random_samples((9, 11, {GRAY: 1, RGB: 3, GRAY_ALPHA: 2, RGBA: 4}[colour]), dtype)
    passes = [rows_of(samples)]
    if interlaced:
        passes = [rows_of(samples[y::dy, x::dx]) for y, x, dy, dx in ADAM7]
    depth = 8 * samples.dtype.itemsize
    path = saved(png_bytes((9, 11), depth, colour, passes, interlaced=interlaced))
    picture = read_picture(path)
    channels = 3 if colour in (RGB, RGBA) else 1
    assert picture.dtype == dtype
    np.testing.assert_array_equal(picture.pixels, samples[:, :, :channels])
    assert (picture.alpha is not None) == (colour in (GRAY_ALPHA, RGBA))
    if picture.alpha is not None:
        np.testing.assert_array_equal(picture.alpha, samples[:, :, channels])
    assert picture.copyable
    assert picture.pixels.flags.c_contiguous
    assert picture.pixels.dtype.isnative


@pytest.mark.parametrize(
    ("depth", "packed", "expected"),
    [
        (1, 0b01100000, [0, 255, 255]),
        (2, 0b00_01_11_00, [0, 85, 255]),
        (4, 0x0F, [0, 255]),
    ],
)
def test_low_depths_are_scaled_to_8_bits(
    depth: int, packed: int, expected: list[int], png_bytes: MakePng, saved: Saved
) -> None:
    row = np.array([[packed]], np.uint8)
    path = saved(png_bytes((1, len(expected)), depth, GRAY, [row]))
    picture = read_picture(path)
    assert picture.pixels[0, :, 0].tolist() == expected
    assert read_header(path).dtype == np.uint8
    assert not picture.copyable


@pytest.mark.parametrize("transparent", [False, True])
def test_palettes_are_expanded(
    transparent: bool, png_bytes: MakePng, png_chunk: MakeChunk, saved: Saved
) -> None:
    extra = png_chunk(b"PLTE", bytes([1, 2, 3, 40, 50, 60, 7, 8, 9]))
    if transparent:
        extra += png_chunk(b"tRNS", bytes([0, 128]))
    path = saved(png_bytes((1, 3), 8, PALETTE, [np.array([[2, 1, 0]], np.uint8)], extra))
    picture = read_picture(path)
    assert picture.pixels[0].tolist() == [[7, 8, 9], [40, 50, 60], [1, 2, 3]]
    alpha = None if picture.alpha is None else picture.alpha[0].tolist()
    assert alpha == ([255, 128, 0] if transparent else None)
    assert read_header(path).has_alpha == transparent
    assert not picture.copyable


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("colour", [GRAY, RGB])
def test_a_transparent_colour_becomes_alpha(
    colour: int, dtype: type, png_bytes: MakePng, png_chunk: MakeChunk, saved: Saved
) -> None:
    top = np.iinfo(dtype).max
    channels = 1 if colour == GRAY else 3
    samples: NDArray[Any] = np.stack([np.full(channels, 200), np.full(channels, top)]).astype(
        dtype
    )[None]
    key = png_chunk(b"tRNS", bytes([0, 200]) * channels)
    path = saved(png_bytes((1, 2), samples.itemsize * 8, colour, [rows_of(samples)], key))
    picture = read_picture(path)
    np.testing.assert_array_equal(picture.pixels, samples)
    assert picture.alpha is not None
    assert picture.alpha[0].tolist() == [0, top]
    assert read_header(path).has_alpha
    assert not picture.copyable


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_profile_is_kept(
    dtype: type, png_bytes: MakePng, png_chunk: MakeChunk, icc: bytes, saved: Saved
) -> None:
    samples: NDArray[Any] = np.ones((2, 2, 3), dtype)
    profile = png_chunk(b"iCCP", b"a name\0\0" + zlib.compress(icc))
    depth = samples.itemsize * 8
    path = saved(png_bytes((2, 2), depth, RGB, [rows_of(samples)], profile))
    assert read_picture(path).icc == icc


@pytest.mark.parametrize(
    "body", [b"", b"no zero", b"name\0\0not deflated", b"name\0\0" + zlib.compress(b"x" * 99)[:-5]]
)
def test_a_damaged_profile_is_refused(
    body: bytes, png_bytes: MakePng, png_chunk: MakeChunk, saved: Saved
) -> None:
    rows = np.zeros((1, 1), np.uint8)
    path = saved(png_bytes((1, 1), 8, GRAY, [rows], png_chunk(b"iCCP", body)))
    with pytest.raises(ImageError, match="profile"):
        read_header(path)


def test_a_profile_that_unpacks_without_end_is_refused(
    png_bytes: MakePng, png_chunk: MakeChunk, saved: Saved
) -> None:
    body = b"name\0\0" + zlib.compress(bytes(2**26 + 1))
    path = saved(png_bytes((1, 1), 8, GRAY, [np.zeros((1, 1), np.uint8)], png_chunk(b"iCCP", body)))
    with pytest.raises(ImageError, match="profile is cut short or huge"):
        read_header(path)


@pytest.mark.parametrize(("depth", "colour"), [(3, GRAY), (4, RGB), (16, PALETTE), (8, 5)])
def test_depths_that_png_does_not_have_are_refused(
    depth: int, colour: int, png_bytes: MakePng, saved: Saved
) -> None:
    path = saved(png_bytes((1, 1), depth, colour, [np.zeros((1, 6), np.uint8)]))
    with pytest.raises(ImageError, match=f"colour type {colour} at {depth} bits"):
        read_picture(path)


def test_orientation_is_found_after_the_data(
    png_bytes: MakePng, png_chunk: MakeChunk, exif: Callable[[int], bytes], saved: Saved
) -> None:
    rows = np.array([[1, 2, 3]], np.uint8)
    block = exif(8).removeprefix(b"Exif\0\0")
    path = saved(png_bytes((1, 3), 8, GRAY, [rows], late=png_chunk(b"eXIf", block)))
    assert read_picture(path).pixels[:, 0, 0].tolist() == [3, 2, 1]


def test_decoding_says_nothing_on_stderr(
    png_bytes: MakePng, png_chunk: MakeChunk, saved: Saved, capfd: pytest.CaptureFixture[str]
) -> None:
    odd = png_chunk(b"sBIT", b"\x09\x09\x09") + png_chunk(b"gAMA", b"\0\0\0\0")
    read_picture(saved(png_bytes((1, 1), 8, GRAY, [np.zeros((1, 1), np.uint8)], odd)))
    assert capfd.readouterr() == ("", "")
