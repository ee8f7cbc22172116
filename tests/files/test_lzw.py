"""LZW data that would crash the decoder are refused; all that encoders write is read."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from noisegen.errors import ImageError
from noisegen.files import read_picture
from noisegen.files.lzw import check_lzw
from noisegen.files.opening import RefusedError

Saved = Callable[[bytes], Path]
Samples = Callable[..., NDArray[np.uint8]]
CODE = 300
"""Of an entry that no table has once it was cleared."""


def of_gif(pixels: NDArray[np.uint8]) -> bytes:
    """Pillow's GIF of H×W samples: its LZW packs bits from the lowest up, as old TIFFs do."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "GIF", optimize=False)
    data = buffer.getvalue()
    at, stream = data.index(b"\x2c", 13 + 768) + 10, b""
    assert data[at] == 8
    at += 1
    while length := data[at]:
        stream += data[at + 1 : at + 1 + length]
        at += 1 + length
    return stream


def damaged(stream: bytes, lowest_first: bool) -> bytes:
    """The stream with another code after the first, which clears the table; each has 9 bits."""
    head, rest = stream[:3], stream[3:]
    order: Literal["little", "big"] = "little" if lowest_first else "big"
    bits = int.from_bytes(head, order)
    shift = 9 if lowest_first else 24 - 18
    bits = bits & ~(0x1FF << shift) | CODE << shift
    return bits.to_bytes(3, order) + rest


@pytest.mark.parametrize("lowest_first", [False, True])
@pytest.mark.parametrize("alike", [1, 4, 60])
def test_what_encoders_write_passes(
    lowest_first: bool, alike: int, random_samples: Samples
) -> None:
    """Many tables full of codes of every width, which end where they end."""
    pixels = np.repeat(random_samples((300, 300)), alike, axis=1)[:, :300]
    stream = of_gif(pixels) if lowest_first else bytes(imagecodecs.lzw_encode(pixels.tobytes()))
    check_lzw(stream)
    with pytest.raises(RefusedError, match="LZW"):
        check_lzw(damaged(stream, lowest_first))


def test_such_a_code_later_on_is_found(random_samples: Samples) -> None:
    """Codes are read one by one here, to find where a full table is cleared."""
    stream = bytes(imagecodecs.lzw_encode(random_samples((300, 300)).tobytes()))
    bits, at, entries = int.from_bytes(stream, "big"), 9, 257
    while True:
        width = 9 + sum(entries > most for most in (510, 1022, 2046))
        code = bits >> (8 * len(stream) - at - width) & ((1 << width) - 1)
        at, entries = at + width, entries + 1
        if code == 256:
            break
    assert entries > 4000
    shift = 8 * len(stream) - at - 9
    broken = bits & ~(0x1FF << shift) | CODE << shift
    with pytest.raises(RefusedError, match="LZW"):
        check_lzw(broken.to_bytes(len(stream), "big"))


def test_a_tiff_of_such_data_is_refused(saved: Saved, random_samples: Samples) -> None:
    buffer = io.BytesIO()
    pixels = random_samples((64, 64, 3))
    tifffile.imwrite(buffer, pixels, photometric="rgb", compression="lzw")
    path = saved(buffer.getvalue())
    assert np.array_equal(read_picture(path).pixels, pixels)
    with tifffile.TiffFile(path) as tiff:
        start = tiff.pages[0].dataoffsets[0]
    data = buffer.getvalue()
    path = saved(data[:start] + damaged(data[start:], lowest_first=False))
    with pytest.raises(ImageError, match="its LZW data are damaged"):
        read_picture(path)


@pytest.mark.parametrize("tag", [256, 257, 277, 278])
def test_a_size_of_several_numbers_is_refused_at_once(tag: int, saved: Saved) -> None:
    """Python multiplies a tuple by repeating it: gigabytes, of a file of some kilobytes."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.zeros((24, 32, 3), np.uint8), photometric="rgb", rowsperstrip=8)
    data = bytearray(buffer.getvalue())
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as tiff:
        entry = tiff.pages[0].tags[tag].offset
    data[entry + 4 : entry + 8] = (7).to_bytes(4, "little")
    with pytest.raises(ImageError, match=f"its tag {tag} has 7 values|damaged"):
        read_picture(saved(bytes(data)))
