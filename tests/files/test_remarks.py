"""Gain maps and colours that are not sRGB's are told of, and change no pixel."""

from __future__ import annotations

import io
import struct
import zlib
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

from noisegen.files import gathered, read_header, read_picture
from noisegen.files.avif import has_gain_map
from noisegen.files.remarks import GAIN_MAP, UNREADABLE_PROFILE

Saved = Callable[[bytes], Path]
_APPLE = b'<x:xmpmeta><rdf:li HDRGainMap:HDRGainMapVersion="131072"/></x:xmpmeta>'
_ADOBE = b'<x:xmpmeta><rdf:Description hdrgm:Version="1.0"/></x:xmpmeta>'
_DISPLAY_P3 = {
    b"rXYZ": (0.5151, 0.2412, -0.0011),
    b"gXYZ": (0.2919, 0.6922, 0.0419),
    b"bXYZ": (0.1572, 0.0666, 0.7841),
}


@pytest.fixture(scope="session")
def wide(icc: bytes) -> bytes:
    """sRGB's profile with other primaries and another name as long."""
    data = bytearray(
        icc.replace("sRGB built-in".encode("utf-16-be"), "Wide gamut #1".encode("utf-16-be"))
    )
    for tag, colorant in _DISPLAY_P3.items():
        entry = data.index(tag)
        (start,) = struct.unpack_from(">I", data, entry + 4)
        struct.pack_into(">3i", data, start + 8, *(round(x * 65536) for x in colorant))
    return bytes(data)


def _jpeg(main: dict[str, Any], second: dict[str, Any] | None = None) -> bytes:
    """A JPEG, and another picture behind it as cameras put a gain map there."""
    buffer, picture = io.BytesIO(), Image.fromarray(scene(40, 48))
    if second is None:
        picture.save(buffer, "JPEG", **main)
    else:
        behind = Image.fromarray(scene(20, 24, 1)[:, :, 0])
        behind.encoderinfo = second
        picture.save(buffer, "MPO", save_all=True, append_images=[behind], **main)
    return buffer.getvalue()


def _with_tmap(data: bytes) -> bytes:
    return data.replace(b"miaf", b"tmap", 1)


def _jpeg_xl_with(box: bytes) -> bytes:
    made = bytes(imagecodecs.jpegxl_encode(scene(40, 48, 1), usecontainer=True, lossless=True))
    return made + struct.pack(">I", 8 + 4) + box + bytes(4)


def _iso_segment(data: bytes) -> bytes:
    body = b"urn:iso:std:iso:ts:21496:-1\0" + bytes(4)
    return data[:2] + b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body + data[2:]


WITH_GAIN_MAP: dict[str, Callable[[], bytes]] = {
    "Adobe's mark": lambda: _jpeg({"xmp": _ADOBE}),
    "ISO's mark": lambda: _iso_segment(_jpeg({})),
    "Apple's, behind the picture": lambda: _jpeg({}, {"xmp": _APPLE}),
    "HEIC": lambda: _with_tmap(heif_bytes(scene(64, 80))),
    "JPEG XL": lambda: _jpeg_xl_with(b"jhgm"),
}
WITHOUT: dict[str, Callable[[], bytes]] = {
    "plain": lambda: _jpeg({}),
    "a preview behind the picture": lambda: _jpeg({}, {}),
    "HEIC": lambda: heif_bytes(scene(64, 80)),
    "AVIF": lambda: bytes(_saved_by_pillow("AVIF")),
    "JPEG XL": lambda: _jpeg_xl_with(b"free"),
}


def _saved_by_pillow(container: str, **options: Any) -> bytes:
    if container == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    buffer = io.BytesIO()
    Image.fromarray(scene(40, 48)).save(buffer, container, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("made", WITH_GAIN_MAP.values(), ids=WITH_GAIN_MAP)
def test_a_gain_map_is_told_of_and_the_standard_picture_read(
    made: Callable[[], bytes], saved: Saved
) -> None:
    path = saved(made())
    assert read_header(path).remarks == (GAIN_MAP,)
    assert read_picture(path).height in (40, 64)


def test_the_brand_of_an_avif_with_a_gain_map() -> None:
    """No encoder at hand makes one, and libavif reads no file that has the brand alone."""
    data = _saved_by_pillow("AVIF")
    assert not has_gain_map(io.BytesIO(data))
    assert has_gain_map(io.BytesIO(_with_tmap(data)))


@pytest.mark.parametrize("made", WITHOUT.values(), ids=WITHOUT)
def test_nothing_is_told_where_there_is_none(made: Callable[[], bytes], saved: Saved) -> None:
    assert read_header(saved(made())).remarks == ()


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_a_broken_index_of_the_pictures_behind_is_no_fault_of_the_main_one(saved: Saved) -> None:
    data = bytearray(_jpeg({}, {"xmp": _APPLE}))
    at = data.index(b"MPF\0")
    data[at + 12 : at + 80] = b"\xff" * 68
    assert read_picture(saved(bytes(data))).width == 48


@pytest.mark.parametrize("container", ["PNG", "JPEG", "TIFF", "WEBP", "AVIF"])
def test_a_wide_profile_is_kept_and_told_of(
    container: str, wide: bytes, icc: bytes, saved: Saved
) -> None:
    path = saved(_saved_by_pillow(container, icc_profile=wide))
    assert read_picture(path).icc == wide
    (said,) = read_header(path).remarks
    assert "Wide gamut #1 is kept" in said
    assert not read_header(saved(_saved_by_pillow(container, icc_profile=icc))).remarks


def test_a_damaged_profile_is_passed_on(wide: bytes, saved: Saved) -> None:
    path = saved(_saved_by_pillow("PNG", icc_profile=wide[:200]))
    assert read_header(path).remarks == ()
    assert read_picture(path).icc == wide[:200]


def _png_coded(primaries: int, transfer: int) -> bytes:
    data, at = _saved_by_pillow("PNG"), 33
    body = b"cICP" + bytes((primaries, transfer, 0, 1))
    chunk = struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:at] + chunk + data[at:]


@pytest.mark.parametrize(
    ("coded", "words"),
    [((1, 13), None), ((2, 2), None), ((12, 13), "Display P3"), ((9, 16), "BT.2020 PQ (HDR)")],
)
def test_coded_colours_are_told_of(coded: tuple[int, int], words: str | None, saved: Saved) -> None:
    for data in (_png_coded(*coded), _heif_coded(*coded)):
        said = read_header(saved(data)).remarks
        assert len(said) == (words is not None)
        assert all(f"coded as {words}" in clause for clause in said)


def _heif_coded(primaries: int, transfer: int) -> bytes:
    return heif_bytes(scene(64, 80), color_primaries=primaries, transfer_characteristics=transfer)


def test_coded_colours_of_an_avif(saved: Saved) -> None:
    data = _saved_by_pillow("AVIF")
    at = data.index(b"colrnclx") + 8
    path = saved(data[:at] + struct.pack(">HH", 9, 18) + data[at + 4 :])
    (said,) = read_header(path).remarks
    assert "BT.2020 HLG (HDR)" in said


def test_a_jpeg_xl_says_that_its_profile_is_not_kept(saved: Saved) -> None:
    pixels: NDArray[Any] = scene(40, 48)
    path = saved(bytes(imagecodecs.jpegxl_encode(pixels, lossless=True)))
    assert read_header(path).remarks == (UNREADABLE_PROFILE,)
    np.testing.assert_array_equal(read_picture(path).pixels, pixels)


def test_what_is_alike_is_told_at_once() -> None:
    remarks = [("a", ["x"]), ("b", []), ("c", ["x", "y"])]
    assert gathered("clean", remarks) == ("2 cleans, as a: x", "1 clean, as c: y")
