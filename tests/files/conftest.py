"""Pictures and files that the tests of reading and writing are made from."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import DTypeLike, NDArray
from PIL import Image, ImageCms

from noisegen.files import Container, Picture


@pytest.fixture(scope="session")
def icc() -> bytes:
    """A real colour profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture(scope="session")
def random_samples() -> Callable[..., NDArray[Any]]:
    """Samples that use the whole range of their type, both ends included."""

    def make(shape: tuple[int, ...], dtype: DTypeLike = np.uint8, seed: int = 0) -> NDArray[Any]:
        top = np.iinfo(np.dtype(dtype)).max
        samples = np.random.default_rng(seed).integers(0, top, shape, dtype, endpoint=True)
        samples.flat[0], samples.flat[-1] = 0, top
        return samples

    return make


@pytest.fixture(scope="session")
def random_picture(random_samples: Callable[..., NDArray[Any]]) -> Callable[..., Picture]:
    def make(
        channels: int = 3,
        dtype: DTypeLike = np.uint8,
        alpha: bool = False,
        container: Container = Container.PNG,
        size: tuple[int, int] = (5, 7),
        icc: bytes | None = None,
    ) -> Picture:
        return Picture(
            pixels=random_samples((*size, channels), dtype),
            alpha=random_samples(size, dtype, seed=1) if alpha else None,
            icc=icc,
            container=container,
            copyable=False,
        )

    return make


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[bytes], Path]:
    """Bytes → the path of a file that holds them, with an ending that says nothing."""

    def save(data: bytes) -> Path:
        path = tmp_path / "file.bin"
        path.write_bytes(data)
        return path

    return save


@pytest.fixture(scope="session")
def pillow_bytes() -> Callable[..., bytes]:
    def encode(image: Image.Image, container: str, **options: object) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, container, **options)
        return buffer.getvalue()

    return encode


@pytest.fixture(scope="session")
def png_chunk() -> Callable[[bytes, bytes], bytes]:
    def make(name: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + checksum

    return make


@pytest.fixture(scope="session")
def png_bytes(png_chunk: Callable[[bytes, bytes], bytes]) -> Callable[..., bytes]:
    """A PNG put together by hand, so that no library vouches for itself.

    ``passes`` are arrays of the big-endian bytes of rows, one array a pass (one if not
    interlaced); ``extra`` are whole chunks between header and data, ``late`` after the data.
    """

    def make(
        size: tuple[int, int],
        depth: int,
        colour: int,
        passes: list[NDArray[np.uint8]],
        extra: bytes = b"",
        late: bytes = b"",
        interlaced: bool = False,
    ) -> bytes:
        height, width = size
        header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
        rows = b"".join(b"\0" + row.tobytes() for rows in passes for row in rows)
        return b"".join(
            (
                b"\x89PNG\r\n\x1a\n",
                png_chunk(b"IHDR", header),
                extra,
                png_chunk(b"IDAT", zlib.compress(rows)),
                late,
                png_chunk(b"IEND", b""),
            )
        )

    return make


@pytest.fixture(scope="session")
def exif() -> Callable[[int], bytes]:
    """An EXIF block that states an orientation and something before it."""

    def make(orientation: int) -> bytes:
        block = Image.Exif()
        block[0x010F] = "a maker"
        block[0x0112] = orientation
        return block.tobytes()

    return make


@pytest.fixture
def said_without() -> Callable[[str, Path], str]:
    """The last line that reading a file says where a package is not installed."""

    def read(package: str, path: Path) -> str:
        code = (
            f"import sys; sys.modules[{package!r}] = None\n"
            "from noisegen.files import read_picture\n"
            f"read_picture({str(path)!r})"
        )
        command = [sys.executable, "-c", code]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        return ran.stderr.splitlines()[-1]

    return read
