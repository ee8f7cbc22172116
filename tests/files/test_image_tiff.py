"""TIFFs as other programs write them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from noisegen.errors import ImageError
from noisegen.files import read_header, read_picture

Saved = Callable[[bytes], Path]
PillowBytes = Callable[..., bytes]
MakeSamples = Callable[..., NDArray[Any]]


def tiff(samples: NDArray[Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    options = {"metadata": None, **options}
    tifffile.imwrite(buffer, samples, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "lzw", "predictor": True},
        {"compression": "zlib", "predictor": True},
        {"compression": "packbits"},
        {"compression": "lzma"},
        {"compression": "zstd"},
        {"rowsperstrip": 3},
        {"tile": (16, 16), "compression": "zlib"},
        {"bigtiff": True},
    ],
    ids=str,
)
def test_lossless_layouts_are_exact_and_copyable(
    options: dict[str, Any],
    dtype: type,
    byteorder: str,
    random_samples: MakeSamples,
    saved: Saved,
) -> None:
    samples = random_samples((19, 23, 3), dtype)
    picture = read_picture(saved(tiff(samples, photometric="rgb", byteorder=byteorder, **options)))
    np.testing.assert_array_equal(picture.pixels, samples)
    assert picture.dtype == dtype
    assert picture.copyable


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("with_alpha", [False, True])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_separate_planes_are_joined(
    dtype: type,
    with_alpha: bool,
    compression: str | None,
    random_samples: MakeSamples,
    saved: Saved,
) -> None:
    samples = random_samples((4 if with_alpha else 3, 19, 23), dtype)
    extra = ["unassalpha"] if with_alpha else None
    data = tiff(
        samples,
        photometric="rgb",
        planarconfig="separate",
        extrasamples=extra,
        compression=compression,
    )
    path = saved(data)
    picture = read_picture(path)
    np.testing.assert_array_equal(picture.pixels, np.moveaxis(samples[:3], 0, -1))
    if picture.alpha is not None:
        np.testing.assert_array_equal(picture.alpha, samples[3])
    assert read_header(path).has_alpha == (picture.alpha is not None) == with_alpha
    assert not picture.copyable


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_min_is_white_is_inverted(dtype: type, random_samples: MakeSamples, saved: Saved) -> None:
    samples = random_samples((5, 7), dtype)
    picture = read_picture(saved(tiff(samples, photometric="miniswhite")))
    np.testing.assert_array_equal(picture.pixels[:, :, 0], np.iinfo(dtype).max - samples)
    assert not picture.copyable


def test_alpha_of_min_is_white_is_not_inverted(random_samples: MakeSamples, saved: Saved) -> None:
    samples = random_samples((5, 7, 2))
    data = tiff(
        samples, photometric="miniswhite", planarconfig="contig", extrasamples=["unassalpha"]
    )
    picture = read_picture(saved(data))
    np.testing.assert_array_equal(picture.pixels[:, :, 0], 255 - samples[:, :, 0])
    np.testing.assert_array_equal(picture.alpha, samples[:, :, 1])


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_single_bits_are_expanded(
    photometric: str, random_samples: MakeSamples, saved: Saved
) -> None:
    bits = random_samples((5, 13)) > 127
    path = saved(tiff(bits, photometric=photometric))
    picture = read_picture(path)
    white = bits if photometric == "minisblack" else ~bits
    np.testing.assert_array_equal(picture.pixels[:, :, 0], np.where(white, 255, 0))
    assert read_header(path).dtype == np.uint8
    assert not picture.copyable


@pytest.mark.parametrize("scale", [256, 257])
def test_palettes_are_expanded(scale: int, random_samples: MakeSamples, saved: Saved) -> None:
    indices = random_samples((5, 7))
    colours = random_samples((256, 3), seed=2)
    colormap = colours.T.astype(np.uint16) * scale
    path = saved(tiff(indices, photometric="palette", colormap=colormap))
    picture = read_picture(path)
    np.testing.assert_array_equal(picture.pixels, colours[indices])
    assert read_header(path).channels == 3
    assert not picture.copyable


def test_pillow_agrees_about_a_palette(
    random_samples: MakeSamples, pillow_bytes: PillowBytes, saved: Saved
) -> None:
    image = Image.fromarray(random_samples((9, 7, 3))).quantize(40)
    picture = read_picture(saved(pillow_bytes(image, "TIFF")))
    np.testing.assert_array_equal(picture.pixels, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize(("mode", "colour"), [("L", 90), ("RGB", (60, 120, 200))])
def test_jpeg_inside_is_read_but_not_copied(
    mode: str, colour: Any, pillow_bytes: PillowBytes, saved: Saved
) -> None:
    data = pillow_bytes(Image.new(mode, (16, 24), colour), "TIFF", compression="jpeg")
    picture = read_picture(saved(data))
    assert picture.pixels.shape == (24, 16, len(mode))
    np.testing.assert_allclose(
        picture.pixels.astype(int), np.broadcast_to(colour, (24, 16, len(mode))), atol=3
    )
    assert not picture.copyable


STACK = np.zeros((3, 4, 5), np.uint8)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (tiff(STACK, photometric="minisblack"), "3 pages"),
        (tiff(STACK, imagej=True, metadata={"axes": "ZYX"}, photometric="minisblack"), "3 "),
        (tiff(np.zeros((4, 5), np.float32), photometric="minisblack"), "float32"),
        (tiff(np.zeros((4, 5), np.float64), photometric="minisblack"), "float64"),
        (tiff(np.zeros((4, 5, 3), np.float32), photometric="rgb"), "float32"),
        (tiff(np.zeros((4, 5), np.int16), photometric="minisblack"), "int16"),
        (tiff(np.zeros((4, 5), np.uint32), photometric="minisblack"), "32 bits"),
        (tiff(np.zeros((4, 5), np.complex64), photometric="minisblack"), "complex64"),
        (tiff(np.zeros((4, 5), np.uint16), photometric="minisblack", bitspersample=12), "12 bits"),
        (tiff(np.zeros((4, 5, 4), np.uint8), photometric="separated"), "CMYK"),
        (tiff(np.zeros((4, 5, 3), np.uint8), photometric="cielab"), "CIELab"),
        (tiff(np.zeros((4, 5), np.uint16), photometric="cfa"), "CFA"),
        (
            tiff(np.zeros((4, 5, 2), np.uint8), photometric="minisblack", planarconfig="contig"),
            "2 channels",
        ),
        (
            tiff(
                np.zeros((4, 5, 5), np.uint8),
                photometric="rgb",
                planarconfig="contig",
                extrasamples=[0, 0],
            ),
            "5 channels",
        ),
        (tiff(np.zeros((4, 5, 4), np.uint8), photometric="rgb", extrasamples=[0]), "4 channels"),
        (
            tiff(np.zeros((4, 5, 4), np.uint8), photometric="rgb", extrasamples=[1]),
            "multiplied into the colours",
        ),
        (
            tiff(np.zeros((2, 16, 16), np.uint8), photometric="minisblack", volumetric=True),
            "2 slices",
        ),
        (tiff(np.zeros((4, 5), np.uint8), photometric="minisblack", subfiletype=1), "raw file"),
        (
            tiff(
                np.zeros((4, 5), np.uint8),
                photometric="minisblack",
                extratags=[(50706, "B", 4, (1, 4, 0, 0), True)],
            ),
            "raw file",
        ),
        (
            tiff(
                np.zeros((4, 5), np.uint8),
                photometric="palette",
                colormap=np.arange(768, dtype=np.uint16).reshape(3, 256),
            ),
            "16-bit colours",
        ),
    ],
)
def test_what_one_picture_cannot_stand_for_is_refused(
    data: bytes, reason: str, saved: Saved
) -> None:
    path = saved(data)
    for read in (read_header, read_picture):
        with pytest.raises(ImageError, match=reason) as caught:
            read(path)
        assert str(path) in str(caught.value)


def test_an_imagej_stack_behind_one_page_is_refused(saved: Saved) -> None:
    description = "ImageJ=1.54f\nimages=5\nslices=5\n"
    page = tiff(np.zeros((4, 5), np.uint8), photometric="minisblack", description=description)
    with pytest.raises(ImageError, match="5 images"):
        read_picture(saved(page + bytes(80)))


def test_missing_strips_are_not_filled_up(random_samples: MakeSamples, saved: Saved) -> None:
    data = bytearray(tiff(random_samples((40, 50)), compression="zlib", rowsperstrip=10))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        tag = file.pages[0].tags["StripByteCounts"]
        at, size = tag.valueoffset, tag.dtype.itemsize if hasattr(tag.dtype, "itemsize") else 2
    data[at : at + size] = bytes(size)
    with pytest.raises(ImageError, match="lacks data"):
        read_picture(saved(bytes(data)))
