"""What is refused names the file, the reason and the way out, and never blocks."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from noisegen.errors import ImageError
from noisegen.files import read_header, read_picture

Saved = Callable[[bytes], Path]
PillowBytes = Callable[..., bytes]


def assert_refused(path: Path, reason: str) -> None:
    for read in (read_header, read_picture):
        with pytest.raises(ImageError, match=reason) as caught:
            read(path)
        assert caught.value.path == path
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"hello, world", "not an image in a known format"),
        (b"B", "not an image in a known format"),
        (b"RIFF\0\0\0\0WAVEfmt ", "not an image in a known format"),
        (b"GIF89a" + bytes(20), "empty picture"),
        (b"P2 1 1 255 7", "plain-text PGM"),
        (b"\0\0\0\x18ftypisom" + bytes(20), "a video file"),
        (b"8BPS" + bytes(20), "Photoshop"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    ],
)
def test_other_formats(data: bytes, reason: str, saved: Saved) -> None:
    assert_refused(saved(data), reason)


def test_a_missing_file(tmp_path: Path) -> None:
    assert_refused(tmp_path / "none.png", "no such file")


def test_a_folder(tmp_path: Path) -> None:
    assert_refused(tmp_path, "a folder")


def test_a_name_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        read_picture(tmp_path / "nul\0byte.png")


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes in folders")
def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    path = tmp_path / "pipe.png"
    os.mkfifo(path)
    errors: list[Exception] = []

    def read() -> None:
        try:
            read_picture(path)
        except ImageError as error:
            errors.append(error)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(timeout=10)
    assert not reader.is_alive()
    assert "pipe or device" in str(errors[0])


@pytest.mark.skipif(sys.platform == "win32", reason="no device files")
def test_a_device() -> None:
    assert_refused(Path("/dev/zero"), "pipe or device")


def test_a_link_to_a_picture_is_read(
    tmp_path: Path, saved: Saved, pillow_bytes: PillowBytes
) -> None:
    target = saved(pillow_bytes(Image.new("L", (3, 2), 7), "PNG"))
    link = tmp_path / "link"
    link.symlink_to(target)
    assert read_picture(link).pixels.tolist() == [[[7]] * 3] * 2


def test_a_link_to_itself(tmp_path: Path) -> None:
    link = tmp_path / "link.tif"
    link.symlink_to(link)
    assert_refused(link, "leads back to itself")


def test_cmyk_jpeg(saved: Saved, pillow_bytes: PillowBytes) -> None:
    data = pillow_bytes(Image.new("CMYK", (8, 8)), "JPEG")
    assert_refused(saved(data), "CMYK colour is not supported: convert it to RGB")


@pytest.mark.parametrize("container", ["PNG", "WEBP", "GIF"])
def test_animations(container: str, saved: Saved, pillow_bytes: PillowBytes) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    data = pillow_bytes(frames[0], container, save_all=True, append_images=frames[1:])
    assert_refused(saved(data), "animated")


def test_a_damaged_tiff_says_nothing_on_stderr(saved: Saved) -> None:
    # In a process of its own: pytest's own log handlers would hide what reaches stderr.
    path = saved(b"II*\0\x08\0\0\0\x01\0\x01\x02\x03\x04" + bytes(12))
    program = (
        "import sys\n"
        "from noisegen.errors import ImageError\n"
        "from noisegen.files import read_header\n"
        "try: read_header(sys.argv[1])\n"
        "except ImageError: sys.exit(7)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (7, "")


# --- declared sizes ---------------------------------------------------------------------------


def tiff_header(width: int, height: int, samples: int, depth: int = 8) -> bytes:
    """A little-endian TIFF that declares a picture and holds none of it."""
    entries = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, depth),
        (259, 3, 1),
        (262, 3, 2 if samples >= 3 else 1),
        (273, 4, 8),
        (277, 3, samples),
        (278, 4, height),
        (279, 4, 100),
    ]
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4)


def bmp_header(width: int, height: int) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 54) + info


def webp_header(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + size


def jpeg_header(width: int, height: int) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (8, 8)).save(data, "JPEG")
    declared = data.getvalue()
    at = declared.index(b"\xff\xc0") + 5
    return declared[:at] + struct.pack(">HH", height, width) + declared[at + 4 :]


def refused_with_little_memory(path: Path, reason: str) -> None:
    tracemalloc.start()
    try:
        assert_refused(path, reason)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20e6


@pytest.mark.parametrize(
    ("width", "height", "samples", "reason"),
    [
        (65535, 65535, 900, "900 channels"),
        (65535, 65535, 3, "more than the limit of"),
        (65535, 65535, 1, "more than the limit of"),
        (2**32 - 1, 2**32 - 1, 3, "more than the limit of"),
        (20000, 20000, 1, "which cannot hold them"),
        (0, 10, 1, "empty|damaged"),
    ],
)
def test_absurd_tiffs(width: int, height: int, samples: int, reason: str, saved: Saved) -> None:
    refused_with_little_memory(saved(tiff_header(width, height, samples)), reason)


def test_an_absurd_tile(saved: Saved) -> None:
    def entry(tag: int, kind: int, value: int) -> bytes:
        return struct.pack("<HHII", tag, kind, 1, value)

    entries = [
        *(entry(256, 4, 10), entry(257, 4, 10), entry(258, 3, 8), entry(259, 3, 8)),
        *(entry(262, 3, 1), entry(277, 3, 1), entry(322, 4, 2**20), entry(323, 4, 2**20)),
        *(entry(324, 4, 8), entry(325, 4, 50)),
    ]
    data = b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + bytes(4)
    refused_with_little_memory(saved(data), "more than the limit of")


@pytest.mark.parametrize(
    ("make", "size", "reason"),
    [
        (bmp_header, (2**31 - 1, 2**31 - 1), "more than the limit of"),
        (bmp_header, (20000, 20000), "which cannot hold them"),
        (webp_header, (2**24, 2**24), "more than the limit of"),
        (webp_header, (16383, 16383), "which cannot hold them"),
        (jpeg_header, (65500, 65500), "more than the limit of"),
        (jpeg_header, (20000, 20000), "which cannot hold them"),
    ],
)
def test_absurd_sizes(make: Any, size: tuple[int, int], reason: str, saved: Saved) -> None:
    refused_with_little_memory(saved(make(*size)), reason)


@pytest.mark.parametrize(
    ("size", "reason"),
    [((2**31 - 1, 2**31 - 1), "limit of"), ((20000, 20000), "cannot hold"), ((0, 9), "empty")],
)
def test_absurd_pngs(
    size: tuple[int, int], reason: str, png_bytes: Callable[..., bytes], saved: Saved
) -> None:
    data = png_bytes(size, 8, 2, [np.zeros((1, 10), np.uint8)])
    refused_with_little_memory(saved(data), reason)


def test_a_large_plain_picture_in_a_small_file_is_read(
    saved: Saved, pillow_bytes: PillowBytes
) -> None:
    data = pillow_bytes(Image.new("L", (6000, 5000), 9), "WEBP", lossless=True)
    assert len(data) < 5000
    assert read_header(saved(data)).width == 6000
