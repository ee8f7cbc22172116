"""TIFFs of any layout: what they declare, their rows, and how they are written again."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pictures import tiff

from noisegen.errors import ImageError
from noisegen.files import (
    Container,
    Picture,
    PixelHash,
    Volume,
    encode,
    open_volume,
    pixel_hash,
    read_planes,
    read_volume_header,
    write_volume,
)

Saved = Callable[[bytes], Path]
MakeSamples = Callable[..., NDArray[Any]]
H, W = 37, 50


def bands(volume: Volume, height: int) -> Iterator[NDArray[Any]]:
    for page in range(volume.header.pages):
        for top in range(0, volume.header.height, height):
            yield volume.rows(page, top, min(top + height, volume.header.height))


def whole(path: Path, height: int = 1000) -> NDArray[Any]:
    """Pages×H×W×S."""
    with open_volume(path) as volume:
        header = volume.header
        rows = np.concatenate(list(bands(volume, height)))
        return rows.reshape(header.pages, header.height, header.width, header.samples)


def rewritten(path: Path, height: int = 1000, **options: Any) -> bytes:
    buffer = io.BytesIO()
    with open_volume(path) as volume:
        write_volume(buffer, volume, bands(volume, height), **options)
    return buffer.getvalue()


def samples_of(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    values = np.random.default_rng(0).integers(0, 256, shape)
    return values.astype(dtype)


LAYOUTS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "pages": ((3, H, W), {}),
    "nothing said": ((3, H, W), {"metadata": None}),
    "axes": ((2, 3, H, W), {"metadata": {"axes": "ZCYX"}}),
    "ome": ((2, 3, H, W), {"ome": True, "metadata": {"axes": "TCYX"}}),
    "rgb": ((2, H, W, 3), {"photometric": "rgb"}),
    "rgba": ((2, H, W, 4), {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
    "planar rgb": ((2, 3, H, W), {"photometric": "rgb", "planarconfig": "separate"}),
    "samples": ((H, W, 5), {"planarconfig": "contig"}),
    "planar samples": ((5, H, W), {"planarconfig": "separate"}),
    "gray and alpha": (
        (2, H, W, 2),
        {"planarconfig": "contig", "extrasamples": ["unassalpha"]},
    ),
}
STORAGES: dict[str, dict[str, Any]] = {
    "plain": {},
    "strips": {"rowsperstrip": 5},
    "tiled": {"tile": (16, 32)},
    "big endian": {"byteorder": ">"},
    "BigTIFF": {"bigtiff": True},
    "deflate": {"compression": "zlib", "rowsperstrip": 4},
    "lzw, tiled": {"compression": "lzw", "tile": (32, 16), "predictor": True},
    "zstd": {"compression": "zstd", "tile": (16, 16)},
    "lzma": {"compression": "lzma"},
    "packbits": {"compression": "packbits", "rowsperstrip": 3},
}


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_and_structure(layout: str, storage: str, saved: Saved) -> None:
    shape, said = LAYOUTS[layout]
    samples = samples_of(shape, np.uint16)
    path = saved(tiff(samples, **said, **STORAGES[storage]))
    with tifffile.TiffFile(path) as file:
        pages = np.stack([page.asarray() for page in file.pages])
        order = file.byteorder
    apart = "planar" in layout
    expected = np.moveaxis(pages, 1, -1) if apart else pages.reshape(*pages.shape[:3], -1)
    for height in (7, 1000):
        np.testing.assert_array_equal(whole(path, height), expected)
    written = rewritten(path, 7)
    assert written == rewritten(path, 1000)
    before = tifffile.TiffFile(path)
    with before, tifffile.TiffFile(io.BytesIO(written)) as after:
        np.testing.assert_array_equal(after.asarray(), before.asarray())
        assert after.asarray().dtype == np.uint16
        assert after.series[0].axes == before.series[0].axes
        assert (after.byteorder, after.is_bigtiff) == (order, before.is_bigtiff)
        assert after.is_ome == before.is_ome
        assert len(after.pages) == len(before.pages)


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.uint16, np.uint32, np.float16, np.float32, np.float64]
)
@pytest.mark.parametrize("storage", ["plain", "tiled", "big endian", "deflate"])
def test_every_type(dtype: type, storage: str, saved: Saved) -> None:
    samples = samples_of((2, H, W), dtype)
    path = saved(tiff(samples, **STORAGES[storage]))
    found = whole(path)
    assert found.dtype == dtype
    assert found.dtype.isnative
    np.testing.assert_array_equal(found[..., 0], samples)
    again = tifffile.imread(io.BytesIO(rewritten(path)))
    assert again.dtype == dtype
    np.testing.assert_array_equal(again, samples)


def test_the_planes_are_those_of_references(saved: Saved) -> None:
    names = {"Name": ["DAPI", "GFP", "x"]}
    samples = samples_of((2, 3, H, W), np.uint8)
    path = saved(tiff(samples, ome=True, metadata={"axes": "TCYX", "Channel": names}))
    planes = read_planes(path)
    with open_volume(path) as volume:
        header = volume.header
        assert header.channels == planes.channels == ("DAPI", "GFP", "x")
        assert [(plane.channel, plane.frame, plane.page) for plane in header.planes] == [
            ("DAPI", 0, 0), ("GFP", 0, 1), ("x", 0, 2), ("DAPI", 1, 3), ("GFP", 1, 4), ("x", 1, 5),
        ]  # fmt: skip
        for index, plane in enumerate(header.planes):
            expected = planes.frames[header.channels.index(plane.channel)][plane.frame]
            np.testing.assert_array_equal(volume.plane(index).rows(0, H), expected)


def imagej(shape: tuple[int, ...], axes: str, dtype: Any = np.uint16, **metadata: Any) -> bytes:
    samples = samples_of(shape, dtype)
    return tiff(
        samples,
        imagej=True,
        resolution=(2.5, 2.5),
        photometric="rgb" if axes.endswith("S") else "minisblack",
        metadata={"axes": axes, "unit": "um", "spacing": 3.0, "finterval": 0.5, **metadata},
    )


@pytest.mark.parametrize(
    "data",
    [
        imagej((2, 3, 2, H, W), "TZCYX"),
        imagej((4, H, W), "ZYX", np.float32),
        imagej((3, H, W, 3), "ZYXS", np.uint8),
        imagej((2, H, W), "CYX", Info="of the sample", Ranges=(0.0, 9.0, 1.0, 8.0)),
        imagej((2, H, W), "CYX", LUTs=[np.arange(768, dtype=np.uint8).reshape(3, 256)] * 2),
    ],
)
def test_imagej_stays_imagej(data: bytes, saved: Saved) -> None:
    path = saved(data)
    written = rewritten(path, 11)
    with tifffile.TiffFile(path) as before, tifffile.TiffFile(io.BytesIO(written)) as after:
        assert after.is_imagej
        assert repr(after.imagej_metadata) == repr(before.imagej_metadata)
        assert after.series[0].axes == before.series[0].axes
        assert after.pages[0].tags["XResolution"].value == before.pages[0].tags["XResolution"].value
        np.testing.assert_array_equal(after.asarray(), before.asarray())
        # ImageJ goes by the first page alone: what follows it must be the others.
        start, size = after.pages[0].dataoffsets[0], after.pages[0].nbytes
        assert [page.dataoffsets[0] for page in after.pages] == [
            start + index * size for index in range(len(after.pages))
        ]
        assert after.pages[0].compression == 1


def test_an_imagej_stack_behind_one_page(saved: Saved) -> None:
    """As ImageJ writes what passes 4 GB."""
    samples = samples_of((5, H, W), np.uint16)
    said = "ImageJ=1.54f\nimages=5\nslices=5\n"
    page = tiff(samples[0], description=said, metadata=None, byteorder=">")
    with tifffile.TiffFile(io.BytesIO(page)) as file:
        start = file.pages[0].dataoffsets[0]
    path = saved(page[:start] + samples.astype(">u2").tobytes())
    np.testing.assert_array_equal(whole(path)[..., 0], samples)
    written = rewritten(path)
    with tifffile.TiffFile(io.BytesIO(written)) as after:
        assert len(after.pages) == 1
        np.testing.assert_array_equal(after.asarray(), samples)


def test_ome_metadata_are_kept_but_for_the_files_identity(saved: Saved) -> None:
    metadata = {"axes": "ZYX", "PhysicalSizeX": 0.1, "UUID": "urn:uuid:1", "Description": "cells"}
    path = saved(tiff(samples_of((2, H, W), np.uint16), ome=True, metadata=metadata))
    texts = []
    for identity in ("", "a", "b"):
        with tifffile.TiffFile(io.BytesIO(rewritten(path, identity=identity))) as file:
            texts.append(file.ome_metadata)
    assert len(set(texts)) == 3
    for text in texts:
        assert 'PhysicalSizeX="0.1"' in text
        assert "cells" in text
        own = text.split('UUID="')[1].split('"')[0]
        assert own.startswith("urn:uuid:")
        assert text.count(own) == text.count("UUID=") + text.count("</UUID>")
        assert "FileName" not in text


def test_tags_are_kept(saved: Saved, icc: bytes) -> None:
    data = tiff(
        samples_of((2, H, W), np.uint16),
        metadata=None,
        description="of the user",
        resolution=(300, 200),
        resolutionunit="CENTIMETER",
        iccprofile=icc,
        extratags=[(65000, "I", 3, (1, 2, 70000), False), (271, "s", 0, "a maker", False)],
    )
    with tifffile.TiffFile(io.BytesIO(rewritten(saved(data)))) as file:
        for page in file.pages:
            assert page.tags[34675].value == icc
            assert page.tags[65000].value == (1, 2, 70000)
            assert page.tags["Make"].value == "a maker"
            assert page.tags["XResolution"].value == (300, 1)
            assert int(page.tags["ResolutionUnit"].value) == 3
        assert file.pages[0].description == "of the user"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientations(orientation: int, saved: Saved) -> None:
    samples = samples_of((2, H, W), np.uint8)
    tags = [(274, "H", 1, orientation, True)]
    path = saved(tiff(samples, metadata=None, extratags=tags, tile=(16, 16)))
    upright = np.stack([frame[..., 0] for frame in read_planes(path).frames[0]])
    np.testing.assert_array_equal(whole(path, 9)[..., 0], upright)
    header = read_volume_header(path)
    assert header is not None
    assert header.copyable == (orientation == 1)
    with tifffile.TiffFile(io.BytesIO(rewritten(path))) as file:
        np.testing.assert_array_equal(file.asarray(), upright)
        assert 274 not in file.pages[0].tags or orientation == 1


@pytest.mark.parametrize("storage", ["plain", "strips", "deflate", "big endian", "tiled"])
@pytest.mark.parametrize("kind", ["miniswhite", "bits", "palette"])
@pytest.mark.parametrize("axes", [None, "ZYX"])
def test_stored_otherwise_than_meant(
    kind: str, storage: str, axes: str | None, saved: Saved
) -> None:
    samples = samples_of((3, H, W), np.uint8)
    colours = samples_of((3, 256), np.uint16)
    stored = samples > 99 if kind == "bits" else samples
    options = {"colormap": colours * 257} if kind == "palette" else {}
    said = {"axes": axes} if axes else None
    photometric = "minisblack" if kind == "bits" else kind
    path = saved(
        tiff(stored, photometric=photometric, metadata=said, **options, **STORAGES[storage])
    )
    expected = {
        "miniswhite": 255 - samples,
        "bits": np.where(samples > 99, 255, 0),
        "palette": colours.T[samples],
    }[kind]
    np.testing.assert_array_equal(whole(path, 9).reshape(expected.shape), expected)
    header = read_volume_header(path)
    assert header is not None
    assert not header.copyable
    assert header.dtype == np.uint8
    with tifffile.TiffFile(io.BytesIO(rewritten(path))) as file:
        np.testing.assert_array_equal(file.asarray(), expected)
        assert axes is None or file.series[0].axes == axes + ("S" if kind == "palette" else "")


def test_only_lossless_files_are_copied(saved: Saved) -> None:
    samples = samples_of((2, H, W), np.uint8)
    for compression, copyable in (("jpeg", False), ("lzw", True), (None, True)):
        header = read_volume_header(saved(tiff(samples, compression=compression)))
        assert header is not None
        assert header.copyable is copyable


def test_crops_say_their_own_size(saved: Saved) -> None:
    samples = samples_of((2, 3, H, W), np.uint16)
    geo = [(33922, "d", 6, (0.0,) * 6, True)]
    for options in (
        {"ome": True, "metadata": {"axes": "ZCYX"}},
        {"metadata": {"axes": "ZCYX"}},
        {"imagej": True, "metadata": {"axes": "ZCYX"}},
        {"metadata": None, "extratags": geo},
    ):
        path = saved(tiff(samples, **options))
        buffer = io.BytesIO()
        with open_volume(path) as volume:
            rows = (volume.rows(page, 4, 24)[:, 5:35] for page in range(6))
            write_volume(buffer, volume, rows, size=(20, 30))
        with tifffile.TiffFile(io.BytesIO(buffer.getvalue())) as file:
            found = file.asarray().reshape(2, 3, 20, 30)
            np.testing.assert_array_equal(found, samples[..., 4:24, 5:35])
            assert 33922 not in file.pages[0].tags
        assert len(read_planes(saved(buffer.getvalue())).channels) in (1, 3)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    samples=st.integers(1, 4),
    alpha=st.booleans(),
    cuts=st.lists(st.integers(1, 40), max_size=5),
)
def test_the_hash_of_one_page_is_the_pictures(
    height: int, width: int, samples: int, alpha: bool, cuts: list[int]
) -> None:
    channels = 3 if samples > 2 else 1
    pixels = samples_of((height, width, channels + alpha), np.uint16)
    picture = Picture(
        np.ascontiguousarray(pixels[..., :channels]),
        np.ascontiguousarray(pixels[..., channels]) if alpha else None,
        None,
        Container.TIFF,
        False,
    )
    digest = PixelHash(1, (height, width, channels + alpha), pixels.dtype)
    for band in np.split(pixels, sorted(min(cut, height) for cut in cuts)):
        digest.update(band)
    assert digest.hexdigest() == pixel_hash(picture)


def test_plain_pictures_are_no_volumes(
    random_picture: Callable[..., Picture], saved: Saved
) -> None:
    for container in (Container.PNG, Container.TIFF):
        path = saved(encode(random_picture(3, np.uint16, container=container)))
        assert read_volume_header(path) is None
        with pytest.raises(ImageError, match="plain picture"), open_volume(path):
            pass


def header_of(width: int, height: int, rows: int, size: int, compression: int = 8) -> bytes:
    """A TIFF that declares one gray page in strips of which there are no sound ones."""
    strips = -(-height // rows)
    entries = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, compression),
        (262, 3, 1, 1), (273, 4, strips, 122), (277, 3, 1, 1), (278, 4, 1, rows),
        (279, 4, strips, 122 + 4 * strips),
    ]  # fmt: skip
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    lists = struct.pack(f"<{2 * strips}I", *[8] * strips, *[100] * strips)
    if strips == 1:
        table = table.replace(
            struct.pack("<HHII", 273, 4, 1, 122), struct.pack("<HHII", 273, 4, 1, 8)
        )
        table = table.replace(
            struct.pack("<HHII", 279, 4, 1, 126), struct.pack("<HHII", 279, 4, 1, 100)
        )
    data = b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + bytes(4) + lists
    return data.ljust(size, b"\0")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (header_of(2**16, 2**16, 2**16, 10_000), "which cannot hold them"),
        (header_of(2**30, 2**30, 2**30, 2_000_000), "which cannot hold them"),
        (header_of(2**16, 2**14, 2**14, 300_000), "too large to be read one by one"),
        (tiff(np.zeros((H, W), np.float32))[:-100], "cut short"),
    ],
)
def test_what_is_refused(data: bytes, reason: str, saved: Saved) -> None:
    path = saved(data)
    with pytest.raises(ImageError, match=reason) as caught:
        header = read_volume_header(path)
        assert header is not None
        whole(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_missing_codec_is_named(saved: Saved) -> None:
    # Jetraw's codec is in no wheel of imagecodecs.
    data = tiff(samples_of((2, H, W), np.uint16), compression="lzw", metadata=None)
    lzw, jetraw = (struct.pack("<HHIHH", 259, 3, 1, kind, 0) for kind in (5, 48124))
    path = saved(data.replace(lzw, jetraw))
    with pytest.raises(ImageError, match=r"\.\[codecs\]"):
        whole(path)


def test_errors_of_the_caller_go_through(saved: Saved) -> None:
    path = saved(tiff(samples_of((2, H, W), np.uint16)))
    with pytest.raises(ZeroDivisionError), open_volume(path):
        raise ZeroDivisionError
