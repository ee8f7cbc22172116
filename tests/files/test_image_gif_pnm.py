"""GIF of one frame and binary PNM: exact, and refused by name where they hold more."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from damage import CHANGES, tried
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from noisegen.errors import ImageError
from noisegen.files import Container, encode, read_header, read_picture

Saved = Callable[[bytes], Path]
RNG = np.random.default_rng(0)


def gif(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "GIF", **options)
    return buffer.getvalue()


def test_a_gif_is_read_as_its_colours(saved: Saved) -> None:
    indices = RNG.integers(0, 5, (9, 11), np.uint8)
    image = Image.fromarray(indices, "P")
    palette = RNG.integers(0, 256, (5, 3), np.uint8)
    image.putpalette(palette.tobytes())
    path = saved(gif(image))
    picture = read_picture(path)
    np.testing.assert_array_equal(picture.pixels, palette[indices])
    assert (picture.alpha, picture.container, picture.copyable) == (None, Container.GIF, False)
    # It is written as PNG, like other formats that hold no noise.
    again = read_picture(saved(encode(picture)))
    assert again.container is Container.PNG
    np.testing.assert_array_equal(again.pixels, picture.pixels)


def test_transparent_parts_of_a_gif(saved: Saved) -> None:
    indices = RNG.integers(0, 5, (9, 11), np.uint8)
    image = Image.fromarray(indices, "P")
    image.putpalette(RNG.integers(0, 256, (5, 3), np.uint8).tobytes())
    picture = read_picture(saved(gif(image, transparency=2)))
    assert picture.alpha is not None
    np.testing.assert_array_equal(picture.alpha, np.where(indices == 2, 0, 255))


def test_a_gray_gif(saved: Saved) -> None:
    gray = RNG.integers(0, 256, (9, 11), np.uint8)
    picture = read_picture(saved(gif(Image.fromarray(gray))))
    np.testing.assert_array_equal(picture.pixels.mean(-1), gray)


def pnm(kind: str, width: int, height: int, levels: int | None, data: bytes) -> bytes:
    end = "" if levels is None else f"{levels}\n"
    return f"{kind}\n# a comment 7 7\n{width} {height}\n{end}".encode() + data


@pytest.mark.parametrize(("kind", "channels"), [("P5", 1), ("P6", 3)])
@pytest.mark.parametrize("levels", [255, 4095, 65535])
def test_pnm_is_exact(kind: str, channels: int, levels: int, saved: Saved) -> None:
    dtype = np.uint8 if levels < 256 else np.uint16
    samples = RNG.integers(0, levels, (4, 7, channels), dtype, endpoint=True)
    stored = samples if dtype == np.uint8 else samples.astype(">u2")
    path = saved(pnm(kind, 7, 4, levels, stored.tobytes()))
    picture = read_picture(path)
    assert picture.dtype == dtype == read_header(path).dtype
    np.testing.assert_array_equal(picture.pixels, samples)


def test_few_levels_are_spread_over_8_bits(saved: Saved) -> None:
    picture = read_picture(saved(pnm("P5", 4, 1, 3, bytes([0, 1, 2, 3]))))
    assert picture.pixels.ravel().tolist() == [0, 85, 170, 255]


def test_bits_are_black_and_white(saved: Saved) -> None:
    bits = RNG.integers(0, 2, (5, 13), np.uint8)
    picture = read_picture(saved(pnm("P4", 13, 5, None, np.packbits(bits, axis=1).tobytes())))
    np.testing.assert_array_equal(picture.pixels[..., 0], np.where(bits, 0, 255))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (pnm("P5", 4, 4, 255, bytes(15)), "cut short"),
        (pnm("P5", 2, 2, 255, bytes(4) + b"P5 1 1 255 a"), "more than one"),
        (pnm("P5", 2, 2, 100, bytes([101, 0, 0, 0])), "above the white"),
        (pnm("P5", 2, 2, 0, bytes(4)), "white level"),
        (pnm("P6", 10**6, 10**6, 255, bytes(4)), "limit"),
        (b"P5", "header"),
        (b"P5 2 2 255", "header"),
    ],
)
def test_what_is_refused(data: bytes, reason: str, saved: Saved) -> None:
    with pytest.raises(ImageError, match=reason):
        read_picture(saved(data))


SMALL = [
    gif(Image.fromarray(RNG.integers(0, 256, (6, 5), np.uint8))),
    gif(Image.new("P", (6, 5)), transparency=0),
    pnm("P6", 3, 2, 255, bytes(18)),
    pnm("P4", 9, 2, None, bytes(4)),
]


@tried(200)
@given(
    data=st.sampled_from(SMALL),
    changes=CHANGES,
    cut=st.floats(0.5, 1),
)
def test_damage_raises_nothing_else(
    data: bytes, changes: list[tuple[float, int]], cut: float, saved: Saved
) -> None:
    damaged = bytearray(data)
    for position, value in changes:
        damaged[int(position * len(data))] = value
    path = saved(bytes(damaged[: int(cut * len(data))]))
    try:
        picture = read_picture(path)
    except ImageError:
        return
    assert picture.pixels.shape == (picture.height, picture.width, picture.channels)
