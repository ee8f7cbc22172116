"""The gallery is what its script makes by the README's own commands, the same every time."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from noisegen.files import read_picture

EXAMPLES = Path(__file__).parents[2] / "examples"
PICTURES = ("phone", "dslr", "microscope", "sixteen_bit")
LARGEST = 2.5 * 2**20
"""Bytes of the gallery; everybody who installs from source loads it."""

STEPS, SHARE = 2, 0.001
"""Another machine or version of torch may round a sample in a thousand by a step of 8 bits; a
picture of the gallery shows a step as up to two."""


def _made_again(folder: Path) -> Path:
    """The gallery, made in a copy of what the script reads."""
    copy = folder / "examples"
    shutil.copytree(EXAMPLES, copy, ignore=shutil.ignore_patterns("gallery", "__pycache__"))
    script = copy / "make_gallery.py"
    ran = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=False, timeout=550
    )
    assert ran.returncode == 0, ran.stderr
    return copy / "gallery"


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_it_is_small_and_the_readme_shows_it() -> None:
    files = _files(EXAMPLES / "gallery")
    assert sum(map(len, files.values())) < LARGEST
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^]]+\]\((gallery/[^)]+)\)", text)
    assert shown == [f"gallery/{name}.png" for name in PICTURES]
    for name in re.findall(r"examples/(gallery/\w+[\w.]*)", text):
        assert (EXAMPLES / name).exists()


@pytest.mark.slow
def test_the_script_makes_what_is_here_and_again_the_same(tmp_path: Path) -> None:
    first = _made_again(tmp_path / "first")
    assert _files(first) == _files(_made_again(tmp_path / "again"))
    shipped = EXAMPLES / "gallery"
    assert set(_files(first)) == set(_files(shipped))
    for name in PICTURES:
        made, here = (
            read_picture(folder / f"{name}.png").pixels.astype(int) for folder in (first, shipped)
        )
        assert (np.abs(made - here) > STEPS).mean() <= SHARE
