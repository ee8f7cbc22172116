"""Pillow's own test pictures, many of them made to break readers.

They are in Pillow's source distribution alone::

    pip download --no-deps --no-binary pillow pillow && tar xzf pillow-*.tar.gz
    NOISEGEN_PILLOW_IMAGES=pillow-*/Tests/images pytest -m slow tests/files/test_pillow_images.py
"""

from __future__ import annotations

import io
import os
from collections import Counter
from pathlib import Path

import pytest

from noisegen.errors import ImageError
from noisegen.files import (
    encode,
    open_volume,
    pixel_hash,
    read_header,
    read_picture,
    read_volume_header,
    write_volume,
)

FEWEST = 400
"""More pictures than this are read from any recent release."""


def outcome(path: Path, copy: Path) -> str:
    """``plain`` or ``volume`` where the file is read, written and read again; else ``refused``."""
    try:
        header = read_volume_header(path)
        if header is None:
            declared, picture = read_header(path), read_picture(path)
            assert (declared.height, declared.width) == (picture.height, picture.width)
            copy.write_bytes(encode(picture))
            assert pixel_hash(read_picture(copy)) == pixel_hash(picture)
            return "plain"
        with open_volume(path) as volume:
            pages = [volume.rows(page, 0, header.height) for page in range(header.pages)]
            buffer = io.BytesIO()
            write_volume(buffer, volume, pages)
    except ImageError as error:
        assert str(error).startswith(f"{path}: ")
        assert "\n" not in str(error)
        return "refused"
    return "volume"


@pytest.mark.slow
def test_every_file_is_read_or_refused_by_name(tmp_path: Path) -> None:
    folder = os.environ.get("NOISEGEN_PILLOW_IMAGES")
    if folder is None:
        pytest.skip("set NOISEGEN_PILLOW_IMAGES to Pillow's Tests/images: see the module's text")
    files = [path for path in sorted(Path(folder).rglob("*")) if path.is_file()]
    counts = Counter(outcome(path, tmp_path / "copy") for path in files)
    assert counts["plain"] + counts["volume"] > FEWEST, counts
