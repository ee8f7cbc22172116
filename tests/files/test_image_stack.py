"""Stacks, channels and floats of TIFFs: every picture of a file, by channel."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from damage import CHANGES, tried
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pictures import tiff

from noisegen.errors import ImageError
from noisegen.files import (
    Container,
    Picture,
    Planes,
    encode,
    open_volume,
    read_picture,
    read_planes,
)
from noisegen.files.page_order import channel_names

Saved = Callable[[bytes], Path]
MakeSamples = Callable[..., NDArray[Any]]
H, W = 6, 9


def ome(samples: NDArray[Any], axes: str, **metadata: Any) -> bytes:
    return tiff(samples, ome=True, metadata={"axes": axes, **metadata})


def imagej(samples: NDArray[Any], axes: str) -> bytes:
    return tiff(samples, imagej=True, metadata={"axes": axes})


def several(*pages: NDArray[Any], **options: Any) -> bytes:
    """Pages written one by one, of which nothing is said."""
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for page in pages:
            writer.write(page, **{"photometric": "minisblack", "metadata": None, **options})
    return buffer.getvalue()


def as_array(planes: Planes) -> NDArray[Any]:
    """Channels×frames×H×W×C."""
    return np.array([list(frames) for frames in planes.frames])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("container", [Container.PNG, Container.TIFF, Container.BMP])
def test_a_single_picture_is_read_as_ever(
    dtype: type, container: Container, random_picture: Callable[..., Picture], saved: Saved
) -> None:
    deep = container is not Container.BMP
    picture = random_picture(3, dtype if deep else np.uint8, alpha=deep, container=container)
    path = saved(encode(picture))
    planes = read_planes(path)
    assert planes.channels == ("",)
    ((frame,),) = planes.frames
    np.testing.assert_array_equal(frame, read_picture(path).pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    "write",
    [
        lambda x: tiff(x),
        lambda x: tiff(x, metadata=None),
        lambda x: tiff(x, compression="zlib", predictor=True),
        lambda x: tiff(x, compression="lzw", tile=(16, 16)),
        lambda x: tiff(x, bigtiff=True, byteorder=">"),
        lambda x: tiff(x, metadata={"axes": "ZYX"}),
        lambda x: several(*x),
        lambda x: imagej(x, "ZYX"),
        lambda x: imagej(x, "TYX"),
        lambda x: ome(x, "ZYX"),
        lambda x: ome(x, "TYX", UUID="a"),
    ],
)
def test_pages_slices_and_moments_are_frames(
    write: Callable[[NDArray[Any]], bytes], dtype: type, random_samples: MakeSamples, saved: Saved
) -> None:
    samples = random_samples((4, H, W), dtype)
    planes = read_planes(saved(write(samples)))
    assert planes.channels == ("",)
    assert planes.frames[0][0].dtype == dtype
    np.testing.assert_array_equal(as_array(planes)[0, ..., 0], samples)


@pytest.mark.parametrize("axes", ["TZCYX", "TCYX", "CYX", "CTYX", "CZTYX", "ZCTYX"])
@pytest.mark.parametrize("kind", ["ome", "shaped"])
def test_the_c_axis_is_the_channels(
    axes: str, kind: str, random_samples: MakeSamples, saved: Saved
) -> None:
    shape = [{"T": 2, "Z": 3, "C": 4}[axis] for axis in axes[:-2]]
    samples = random_samples((*shape, H, W), np.uint16)
    data = ome(samples, axes) if kind == "ome" else tiff(samples, metadata={"axes": axes})
    planes = read_planes(saved(data))
    expected = np.moveaxis(samples, axes.index("C"), 0).reshape(4, -1, H, W)
    np.testing.assert_array_equal(as_array(planes)[..., 0], expected)
    assert len(planes.channels) == 4


@pytest.mark.parametrize("axes", ["TZCYX", "TCYX", "CYX", "ZCYX"])
def test_channels_of_imagej(axes: str, random_samples: MakeSamples, saved: Saved) -> None:
    shape = [{"T": 2, "Z": 3, "C": 4}[axis] for axis in axes[:-2]]
    samples = random_samples((*shape, H, W), np.uint16)
    planes = read_planes(saved(imagej(samples, axes)))
    expected = np.moveaxis(samples, axes.index("C"), 0).reshape(4, -1, H, W)
    np.testing.assert_array_equal(as_array(planes)[..., 0], expected)
    assert planes.channels == ("c0", "c1", "c2", "c3")


def test_an_imagej_stack_behind_one_page(random_samples: MakeSamples, saved: Saved) -> None:
    """As ImageJ writes what passes 4 GB."""
    samples = random_samples((5, H, W), np.uint16)
    said = "ImageJ=1.54f\nimages=5\nslices=5\n"
    page = tiff(samples[0], description=said, metadata=None, byteorder=">")
    with tifffile.TiffFile(io.BytesIO(page)) as file:
        start = file.pages[0].dataoffsets[0]
    data = page[:start] + samples.astype(">u2").tobytes()
    np.testing.assert_array_equal(as_array(read_planes(saved(data)))[0, ..., 0], samples)
    with pytest.raises(ImageError, match="cut short"):
        read_planes(saved(data[:-1]))


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_gray_samples_are_channels(planar: str, random_samples: MakeSamples, saved: Saved) -> None:
    samples = random_samples((3, H, W))
    stored = samples if planar == "separate" else np.moveaxis(samples, 0, -1)
    planes = read_planes(saved(tiff(stored, planarconfig=planar, metadata=None)))
    np.testing.assert_array_equal(as_array(planes)[:, 0, ..., 0], samples)
    assert planes.channels == ("c0", "c1", "c2")


def test_gray_samples_of_many_pages(random_samples: MakeSamples, saved: Saved) -> None:
    samples = random_samples((4, H, W, 2), np.uint16)
    planes = read_planes(saved(several(*samples, planarconfig="contig")))
    np.testing.assert_array_equal(as_array(planes)[..., 0], np.moveaxis(samples, -1, 0))


@pytest.mark.parametrize(
    "write",
    [
        lambda x: several(*x, photometric="rgb"),
        lambda x: tiff(x, photometric="rgb"),
        lambda x: tiff(x, photometric="rgb", ome=True, metadata={"axes": "TYXS"}),
        lambda x: tiff(x, photometric="rgb", imagej=True, metadata={"axes": "TYXS"}),
    ],
)
def test_rgb_pages_are_rgb_frames(
    write: Callable[[NDArray[Any]], bytes], random_samples: MakeSamples, saved: Saved
) -> None:
    samples = random_samples((4, H, W, 3))
    planes = read_planes(saved(write(samples)))
    assert planes.channels == ("",)
    np.testing.assert_array_equal(as_array(planes)[0], samples)


def test_pages_in_jpeg_s_colours_are_rgb_frames(random_samples: MakeSamples, saved: Saved) -> None:
    samples = random_samples((2, 48, 32, 3))
    data = several(*samples, photometric="rgb", compression="jpeg", rowsperstrip=16)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert file.pages[0].photometric == tifffile.PHOTOMETRIC.YCBCR
        decoded = np.stack([page.asarray() for page in file.pages])
    path = saved(data)
    np.testing.assert_array_equal(as_array(read_planes(path))[0], decoded)
    with open_volume(path) as volume:
        np.testing.assert_array_equal(volume.rows(1, 5, 40), decoded[1, 5:40])


def test_stored_otherwise_than_meant(random_samples: MakeSamples, saved: Saved) -> None:
    samples = random_samples((4, H, W))
    inverted = as_array(read_planes(saved(tiff(samples, photometric="miniswhite"))))
    np.testing.assert_array_equal(inverted[0, ..., 0], 255 - samples)
    bits = as_array(read_planes(saved(several(*(samples > 99), metadata=None))))
    np.testing.assert_array_equal(bits[0, ..., 0], np.where(samples > 99, 255, 0))
    colours = random_samples((3, 256))
    palette = {"photometric": "palette", "colormap": colours.astype(np.uint16) * 257}
    looked_up = as_array(read_planes(saved(several(*samples, **palette))))
    np.testing.assert_array_equal(looked_up[0], colours.T[samples])


def test_alpha_of_a_stack_is_left_out(random_samples: MakeSamples, saved: Saved) -> None:
    samples = random_samples((2, H, W, 4))
    data = several(*samples, photometric="rgb", extrasamples=["unassalpha"])
    np.testing.assert_array_equal(as_array(read_planes(saved(data)))[0], samples[..., :3])


def test_channels_go_by_their_ome_names(random_samples: MakeSamples, saved: Saved) -> None:
    samples = random_samples((3, H, W))
    names = {"Name": ["DAPI", "Alexa 488/µ", "../x"]}
    planes = read_planes(saved(ome(samples, "CYX", Channel=names)))
    assert planes.channels == ("DAPI", "Alexa-488", "x")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([None, ""], ("c0", "c1")),
        (["a", "A"], ("c0-a", "c1-A")),
        (["...", "a_b-c"], ("c0", "a_b-c")),
        (["x" * 300], ("x" * 40,)),
    ],
)
def test_names_of_channels(names: list[str | None], expected: tuple[str, ...]) -> None:
    assert channel_names(names) == expected


@pytest.mark.parametrize("pages", [1, 3])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_keep_their_range(dtype: type, pages: int, saved: Saved) -> None:
    samples: NDArray[Any] = np.random.default_rng(0).normal(0, 200, (pages, H, W)).astype(dtype)
    planes = read_planes(saved(tiff(samples if pages > 1 else samples[0], metadata=None)))
    assert planes.frames[0][0].dtype == np.float32
    np.testing.assert_array_equal(as_array(planes)[0, ..., 0], samples.astype(np.float32))


def test_32_bit_integers_that_fit_into_16(saved: Saved) -> None:
    samples = np.array([[0, 65535], [7, 8]], np.uint32)
    (frame,) = read_planes(saved(tiff(samples))).frames[0]
    assert frame.dtype == np.uint16
    np.testing.assert_array_equal(frame[..., 0], samples)
    with pytest.raises(ImageError, match="65536"):
        read_planes(saved(tiff(samples + 1)))


def test_orientation_is_applied(random_samples: MakeSamples, saved: Saved) -> None:
    samples = random_samples((2, H, W))
    data = several(*samples, extratags=[(274, "H", 1, 6, True)])
    frames = as_array(read_planes(saved(data)))[0, ..., 0]
    np.testing.assert_array_equal(frames, np.rot90(samples, -1, (1, 2)))


def test_thumbnails_are_no_frames(random_samples: MakeSamples, saved: Saved) -> None:
    buffer = io.BytesIO()
    samples = random_samples((H, W))
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(samples, photometric="minisblack", metadata=None)
        writer.write(samples[::2, ::2], photometric="minisblack", subfiletype=1, metadata=None)
    assert as_array(read_planes(saved(buffer.getvalue()))).shape == (1, 1, H, W, 1)


def with_nan(value: float) -> NDArray[np.float32]:
    samples = np.zeros((2, H, W), np.float32)
    samples[1, 2, 3] = value
    return samples


def xml(change: Callable[[str], str]) -> bytes:
    """An OME stack of two channels and two slices whose description is changed, not its length."""
    data = ome(np.zeros((2, 2, H, W), np.uint8), "ZCYX")
    start, end = data.index(b"<?xml"), data.index(b"</OME>") + len(b"</OME>")
    # Room for longer numbers.
    text = change(data[start:end].decode().replace("<LightPath/>", ""))
    assert len(text) <= end - start
    return data[:start] + text.encode().ljust(end - start) + data[end:]


ZEROS = np.zeros((3, H, W), np.uint8)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (tiff(with_nan(np.nan)), "NaN"),
        (tiff(with_nan(np.inf)), "infinite"),
        (tiff(np.full((H, W), 1e300)), "infinite"),
        (tiff(ZEROS.astype(np.int8)), "signed samples of 8 bits"),
        (tiff(ZEROS.astype(np.complex64)), "not supported"),
        (tiff(ZEROS.astype(np.uint64)), "64 bits"),
        (tiff(ZEROS.astype(np.float32), photometric="miniswhite"), "min-is-white"),
        (several(ZEROS[0], ZEROS[0, 1:]), "pages differ"),
        (several(ZEROS[0], ZEROS[0].astype(np.uint16)), "number 2 is 9×6 of 1 samples of 16 bits"),
        (several(*np.zeros((2, H, W, 4), np.uint8), photometric="separated"), "CMYK"),
        (
            several(*np.zeros((2, H, W, 5), np.uint8), photometric="rgb", extrasamples=[0, 0]),
            "5 samples",
        ),
        (
            several(*np.zeros((2, H, W, 4), np.uint8), photometric="rgb", extrasamples=[1]),
            "without alpha",
        ),
        (tiff(np.zeros((2, 16, 16), np.uint8), volumetric=True, tile=(16, 16, 16)), "2 slices"),
        (tiff(ZEROS, extratags=[(50706, "B", 4, (1, 4, 0, 0), True)]), "raw file"),
        (several(*ZEROS, description="ImageJ=1.5\nimages=4\nslices=4\n"), "4 pictures.*3 pages"),
        (several(*ZEROS, description="ImageJ=1.5\nslices=0\n"), "0 slices"),
        (xml(lambda text: text.replace('SizeZ="2"', 'SizeZ="9"')), "18 planes.*4 pages"),
        (xml(lambda text: text.replace('IFD="0"', 'IFD="8"')), "wrong page"),
        (xml(lambda text: text.replace('PlaneCount="4"', 'PlaneCount="3"')), "3 planes out of 4"),
        (xml(lambda text: text.replace("</OME>", "")), "damaged"),
        (
            tiff(np.zeros((2, 2, H, W), np.uint8), metadata={"axes": "CSYX"},
                 planarconfig="separate"),
            "2 channels of 2 samples",
        ),
    ],
)  # fmt: skip
def test_what_is_refused_and_why(data: bytes, reason: str, saved: Saved) -> None:
    path = saved(data)
    with pytest.raises(ImageError, match=reason) as caught:
        read_planes(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_parts_in_other_files_are_refused(saved: Saved) -> None:
    def elsewhere(text: str) -> str:
        short = text.replace(' PhysicalSizeX="1.0"', "").split("<TiffData")[0].rsplit("<Image", 1)
        pixels = (
            '<Image ID="Image:0"><Pixels DimensionOrder="XYCZT" SizeC="2" SizeT="1" SizeX="9" '
            'SizeY="6" SizeZ="2"><TiffData><UUID FileName="b">b</UUID></TiffData>'
        )
        return short[0] + pixels + "</Pixels></Image></OME>"

    with pytest.raises(ImageError, match="other files"):
        read_planes(saved(xml(elsewhere)))


def test_no_memory_is_reserved_for_what_is_only_claimed(saved: Saved) -> None:
    for said in ("ImageJ=1.5\nslices=9999999999\n", '{"shape": [9999999999, 6, 9]}'):
        page = tiff(np.zeros((H, W), np.uint8), description=said, metadata=None)
        with pytest.raises(ImageError, match="holds 9999999999 pictures, but is cut short"):
            read_planes(saved(page))
    with pytest.raises(ImageError, match="planes"):
        read_planes(saved(xml(lambda text: text.replace('SizeT="1"', 'SizeT="9999999"'))))


def test_sizes_count_together(saved: Saved) -> None:
    """Each page is below the limit, all of them are not: refused before any is decoded."""
    data = bytearray(several(*np.zeros((3, 64, 64), np.uint8), rowsperstrip=64))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        for page in file.pages:
            for name, value in (("ImageWidth", 40000), ("ImageLength", 30000)):
                tag = page.tags[name]
                assert tag.dtype in (3, 4)
                struct.pack_into("<H" if tag.dtype == 3 else "<I", data, tag.valueoffset, value)
    with pytest.raises(ImageError, match="40000×30000 pixels of 3 samples, more than the limit"):
        read_planes(saved(bytes(data)))


def small_files() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    samples = rng.integers(0, 60000, (2, 3, 5, 4)).astype(np.uint16)
    return {
        "ome": ome(samples, "CZYX", Channel={"Name": ["a", "b"]}),
        "imagej": imagej(samples, "ZCYX"),
        "shaped": tiff(samples, metadata={"axes": "CZYX"}),
        "pages": several(*samples[0], compression="zlib"),
        "float": tiff(rng.normal(size=(2, 5, 4)).astype(np.float32), compression="zlib"),
        "samples": tiff(samples[0], planarconfig="separate", metadata=None),
        "behind one page": tiff(
            samples[0, 0], metadata=None, description="ImageJ=1.5\nimages=3\nslices=3\n"
        ) + bytes(80),
    }  # fmt: skip


FILES = small_files()


@tried(400)
@given(
    name=st.sampled_from(sorted(FILES)),
    changes=CHANGES,
    length=st.floats(0.3, 1),
    whole=st.booleans(),
)
def test_damaged_bytes_never_raise_anything_else(
    name: str, changes: list[tuple[float, int]], length: float, whole: bool, saved: Saved
) -> None:
    data = bytearray(FILES[name])
    for position, value in changes:
        data[int(position * len(data))] = value
    try:
        planes = read_planes(saved(bytes(data if whole else data[: int(length * len(data))])))
    except ImageError as error:
        assert "\n" not in str(error)
        return
    shapes = {(frame.shape, frame.dtype) for frames in planes.frames for frame in frames}
    assert len(planes.channels) == len(planes.frames) >= 1
    assert len({len(frames) for frames in planes.frames}) == len(shapes) == 1
    (((height, width, samples), dtype),) = shapes
    assert height > 0 and width > 0 and samples in (1, 3)
    assert dtype in (np.uint8, np.uint16, np.float32)
