"""Volumes that are cut short or damaged: only an ImageError or sound rows come out."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from damage import CHANGES, tried
from hypothesis import given
from hypothesis import strategies as st
from pictures import tiff

from noisegen.errors import ImageError
from noisegen.files import open_volume, read_volume_header, write_volume

Saved = Callable[[bytes], Path]


def _files() -> dict[str, bytes]:
    samples = np.random.default_rng(0).integers(0, 256, (4, 18, 20)).astype(np.uint8)
    colours = np.moveaxis(samples[:3], 0, -1)
    return {
        "pages": tiff(samples),
        "tiled": tiff(samples, tile=(16, 16), compression="lzw", predictor=True, metadata=None),
        "ome": tiff(samples, ome=True, metadata={"axes": "CYX"}, compression="zlib"),
        "imagej": tiff(samples.astype(np.uint16), imagej=True, metadata={"axes": "CYX"}),
        "float": tiff(samples[0].astype(np.float32), rowsperstrip=4, byteorder=">"),
        "rgb": tiff(np.stack([colours] * 2), photometric="rgb", planarconfig="contig"),
        "big": tiff(samples, bigtiff=True, planarconfig="separate", metadata=None),
        "palette": tiff(samples, photometric="palette", colormap=np.zeros((3, 256), np.uint16)),
        "bits": tiff(samples > 99, compression="packbits", metadata=None),
        "jpeg": tiff(samples, compression="jpeg", tile=(16, 16)),
    }


FILES = _files()


def passed_through(path: Path) -> str | None:
    """Hash of a volume that is read and written; None if it is refused or none.

    Any other error than ours is raised.
    """
    try:
        header = read_volume_header(path)
        # Damage may declare more than is worth the test's time.
        if header is None or header.pixels > 1e6:
            return None
        with open_volume(path) as volume:
            rows = [volume.rows(page, 0, header.height) for page in range(header.pages)]
            for page in rows:
                assert page.shape == (header.height, header.width, header.samples)
                assert page.dtype == header.dtype
            return write_volume(io.BytesIO(), volume, rows)
    except ImageError as error:
        assert "\n" not in str(error)
        return None


@pytest.mark.parametrize("name", FILES)
def test_every_prefix_is_refused_or_whole(name: str, saved: Saved) -> None:
    data = FILES[name]
    whole = passed_through(saved(data))
    assert whole is not None
    for length in (*range(0, len(data) - 100, 11), *range(len(data) - 100, len(data))):
        assert passed_through(saved(data[:length])) in (None, whole)


@tried(300)
@given(
    name=st.sampled_from(sorted(FILES)),
    changes=CHANGES,
    front=st.booleans(),
)
def test_damaged_bytes_never_raise_anything_else(
    name: str, changes: list[tuple[float, int]], front: bool, saved: Saved
) -> None:
    data = bytearray(FILES[name])
    # Tags are where damage misleads readers most.
    reach = min(len(data), 400) if front else len(data)
    for position, value in changes:
        data[int(position * reach)] = value
    passed_through(saved(bytes(data)))


def test_a_tile_far_longer_than_the_picture_is_refused_before_it_is_decoded(saved: Saved) -> None:
    """tifffile decodes a tile whole: this one, by one byte of its length, takes gigabytes."""
    data = bytearray(FILES["tiled"])
    data[165] = 95
    assert passed_through(saved(bytes(data))) is None
