"""A camera, and clean pictures one of which is none."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import pictures
import pytest
from dataset_runs import Camera
from fitted import create_profile

from noisegen.model.weights import Weights
from noisegen.references.check import Reference


@pytest.fixture(scope="session")
def camera(
    tmp_path_factory: pytest.TempPathFactory, weights: Weights, weights_file: Path
) -> Camera:
    clean = pictures.scene(96, 96)
    noisy = pictures.add_gaussian(clean, 8)
    path = tmp_path_factory.mktemp("camera") / "camera.safetensors"
    create_profile([Reference("r.png", noisy, clean)], weights, name="camera").save(path)
    return Camera(weights_file, path)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten small pictures, some in a subfolder, and one that is none."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "sub").mkdir()
    for index in range(10):
        picture = pictures.scene(40 + 8 * index, 64)
        name = f"{'sub/' if index % 3 == 0 else ''}{index}.png"
        (folder / name).write_bytes(imagecodecs.png_encode(picture))
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    return folder
