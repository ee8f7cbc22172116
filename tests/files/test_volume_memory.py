"""A TIFF larger than what may be in memory goes through by rows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from noisegen.files import read_volume_header
from noisegen.files.opening import FREE_SAMPLES

HEIGHT, WIDTH, TILE = 16400, 16384, 512
MOST_BYTES = 150e6
PROGRAM = """
import resource, sys
from noisegen.files import open_volume, write_volume
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open_volume(sys.argv[1]) as volume, open(sys.argv[2], "wb") as out:
    tops = range(0, volume.header.height, 256)
    rows = (volume.rows(0, top, min(top + 256, volume.header.height)) for top in tops)
    write_volume(out, volume, rows)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
def test_a_large_plain_picture_takes_little_memory(tmp_path: Path) -> None:
    assert HEIGHT * WIDTH > FREE_SAMPLES
    tile = np.arange(TILE, dtype=np.uint8)[:, None].repeat(TILE, 1)

    def tiles() -> Iterator[NDArray[Any]]:
        for index in range(-(-HEIGHT // TILE) * (WIDTH // TILE)):
            yield tile ^ np.uint8(index % 251)

    source, target = tmp_path / "large.tif", tmp_path / "out.tif"
    tifffile.imwrite(
        source,
        tiles(),
        shape=(HEIGHT, WIDTH),
        dtype=np.uint8,
        tile=(TILE, TILE),
        photometric="minisblack",
        compression="zlib",
        compressionargs={"level": 1},
    )
    header = read_volume_header(source)
    assert header is not None
    assert (header.height, header.width, len(header.planes)) == (HEIGHT, WIDTH, 1)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(source), str(target)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) < MOST_BYTES < HEIGHT * WIDTH
    with tifffile.TiffFile(target) as written:
        page = written.pages[0]
        assert page.shape == (HEIGHT, WIDTH)
        strip, _, _ = page.decode(_first_strip(target, page), 0)
    np.testing.assert_array_equal(strip[0, :, 0, 0], np.arange(strip.shape[1]) % 256)


def _first_strip(path: Path, page: tifffile.TiffPage) -> bytes:
    with path.open("rb") as file:
        file.seek(page.dataoffsets[0])
        return file.read(page.databytecounts[0])
