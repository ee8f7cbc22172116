"""A folder of pairs with awkward names, as ``synth`` writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pictures
import pytest
from numpy.typing import NDArray

from noisegen.dataset.layouts.sample import Sample
from noisegen.files import Container, Picture, encode

Pixels = NDArray[Any]
MakeSample = Callable[..., Sample]

CONTAINERS = {".png": Container.PNG, ".tif": Container.TIFF, ".bmp": Container.BMP}

NAMES = (
    "a.png",
    "a.b.png",
    "a.tif",
    "a.tif.png",
    "sub/a.png",
    "sub.d/-x y.png",
    "__meta__/__a__.png",
    "näh\nzeile.png",
    "%2E.bmp",
    "é" * 125 + ".png",
)
"""Relative paths, each hard on a key in its own way."""


def _write(path: Path, pixels: Pixels, alpha: Pixels | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    container = CONTAINERS[path.suffix]
    path.write_bytes(encode(Picture(pixels, alpha, None, container, copyable=False)))


@pytest.fixture
def make_sample(tmp_path: Path) -> MakeSample:
    """Writes a pair below ``tmp_path/pairs``; its pixels follow from its name."""

    def make(
        relative: str, channels: int = 3, dtype: Any = np.uint8, alpha: bool = False
    ) -> Sample:
        seed = sum(relative.encode())
        clean = pictures.scene(24, 40, channels, seed)
        noisy = pictures.add_gaussian(clean, 8, seed)
        folder = tmp_path / "pairs"
        veil = np.full((24, 40), 200, dtype) if alpha else None
        scale = 257 if dtype is np.uint16 else 1
        for side, pixels in (("noisy", noisy), ("clean", clean)):
            _write(folder / side / relative, pixels.astype(dtype) * dtype(scale), veil)
        line = {
            "noisy_file_name": f"noisy/{relative}",
            "clean_file_name": f"clean/{relative}",
            "strength": 1.0,
        }
        return Sample(relative, folder / "noisy" / relative, folder / "clean" / relative, line)

    return make


@pytest.fixture
def samples(make_sample: MakeSample) -> list[Sample]:
    return [make_sample(name) for name in NAMES]
