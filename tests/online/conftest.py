"""Profiles of the small weights, and a folder of clean pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imagecodecs
import pictures
import pytest
from fitted import create_profile
from numpy.typing import NDArray

from noisegen.model.weights import Weights
from noisegen.profiles.profile import NoiseProfile
from noisegen.references.check import Reference

Pixels = NDArray[Any]


def _profile(weights: Weights, name: str, sigma: float, channels: int = 3) -> NoiseProfile:
    clean = pictures.scene(96, 96, channels)
    reference = Reference(name, pictures.add_gaussian(clean, sigma), clean)
    return create_profile([reference], weights, name=name)


@pytest.fixture(scope="session")
def profiles(weights: Weights) -> list[NoiseProfile]:
    """A quiet and a loud setting."""
    return [_profile(weights, "quiet", 4), _profile(weights, "loud", 20)]


@pytest.fixture(scope="session")
def gray(weights: Weights) -> NoiseProfile:
    return _profile(weights, "gray", 8, channels=1)


def write_picture(path: Path, pixels: Pixels) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(imagecodecs.png_encode(pixels.squeeze()))
    return path


@pytest.fixture
def cleans(tmp_path: Path) -> Path:
    """Three RGB pictures, one in a subfolder."""
    folder = tmp_path / "cleans"
    for seed, (name, size) in enumerate(
        {"a.png": (40, 33), "b.png": (72, 96), "sub/ü.png": (64, 48)}.items()
    ):
        write_picture(folder / name, pictures.scene(*size, 3, seed))
    return folder
