"""Files that are cut short or damaged: only an ImageError or a sound picture comes out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from damage import CHANGES, tried
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from noisegen.errors import ImageError
from noisegen.files import Container, Picture, encode, pixel_hash, read_picture

Saved = Callable[[bytes], Path]
FILES = ["png8", "png16", "tiff", "tiff16", "bmp", "jpeg", "progressive", "webp", "lossless webp"]


@pytest.fixture(scope="module")
def files(
    random_picture: Callable[..., Picture], pillow_bytes: Callable[..., bytes], icc: bytes
) -> dict[str, bytes]:
    """A small valid file of each kind."""
    picture = random_picture(size=(9, 8))
    image = Image.fromarray(np.asarray(picture.pixels, np.uint8))
    deep = random_picture(3, np.uint16, alpha=True, size=(4, 5), icc=icc[:100])
    as_tiff = random_picture(1, np.uint16, alpha=True, size=(4, 5), container=Container.TIFF)
    return {
        "png8": encode(picture),
        "png16": encode(deep),
        "tiff": pillow_bytes(image, "TIFF"),
        "tiff16": encode(as_tiff),
        "bmp": pillow_bytes(image, "BMP"),
        "jpeg": pillow_bytes(image, "JPEG", quality=90),
        "progressive": pillow_bytes(image, "JPEG", progressive=True, exif=b"Exif\0\0II*\0"),
        "webp": pillow_bytes(image.convert("RGBA"), "WEBP"),
        "lossless webp": pillow_bytes(image, "WEBP", lossless=True, icc_profile=icc[:100]),
    }


@pytest.mark.parametrize("name", FILES)
def test_every_prefix_is_refused_or_whole(name: str, files: dict[str, bytes], saved: Saved) -> None:
    data = files[name]
    whole = pixel_hash(read_picture(saved(data)))
    read = []
    for length in range(len(data)):
        try:
            picture = read_picture(saved(data[:length]))
        except ImageError:
            continue
        assert pixel_hash(picture) == whole
        read.append(length)
    # Nothing but a closing marker may be missing.
    assert all(len(data) - length <= 12 for length in read)


@tried(400)
@given(
    name=st.sampled_from(FILES),
    changes=CHANGES,
    front=st.booleans(),
)
def test_damaged_bytes_never_raise_anything_else(
    name: str,
    changes: list[tuple[float, int]],
    front: bool,
    files: dict[str, bytes],
    saved: Saved,
) -> None:
    data = bytearray(files[name])
    # Headers are where damage misleads decoders most.
    reach = min(len(data), 200) if front else len(data)
    for position, value in changes:
        data[int(position * reach)] = value
    try:
        picture = read_picture(saved(bytes(data)))
    except ImageError:
        return
    assert picture.pixels.shape == (picture.height, picture.width, picture.channels)
    assert picture.dtype in (np.uint8, np.uint16)


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    lead=st.sampled_from(
        [
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8\xff",
            b"II*\0\x08\0\0\0",
            b"MM\0*",
            b"BM",
            b"RIFF\0\0\0\0WEBP",
        ]
    ),
    rest=st.binary(max_size=200),
)
def test_a_magic_number_and_nonsense(lead: bytes, rest: bytes, saved: Saved) -> None:
    with pytest.raises(ImageError):
        read_picture(saved(lead + rest))
