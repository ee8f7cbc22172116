"""Camera raw: a DNG of known light, developed plainly, and recorded in the recipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from raw_files import write_dng

from noisegen.dataset.cleans import find_cleans
from noisegen.errors import ImageError
from noisegen.files import Container, lossless_container, read_header, read_picture
from noisegen.model.weights import load_weights
from noisegen.profiles.sources import find_reference_files


def test_a_dng_is_developed_plainly(tmp_path: Path) -> None:
    pytest.importorskip("rawpy", reason="rawpy is not installed")
    light = np.full((128, 160), 0.2)
    light[:, 80:] = 0.5
    path = write_dng(tmp_path / "shot.DNG", light)
    header, picture = read_header(path), read_picture(path)
    assert (header.width, header.height, header.channels) == (160, 128, 3)
    assert picture.dtype == np.uint16
    assert picture.container is Container.RAW
    assert lossless_container(picture.container) is Container.PNG
    for part, given in ((slice(20, 60), 0.2), (slice(100, 140), 0.5)):
        curve = 1.055 * given ** (1 / 2.4) - 0.055
        developed = picture.pixels[20:-20, part].reshape(-1, 3) / 65535
        # No automatic brightness: light is where the curve says; gray stays gray.
        np.testing.assert_allclose(developed.mean(axis=0), curve, atol=0.02)
        assert developed.std() < 0.01
    (found,) = find_cleans(tmp_path, tmp_path / "out").files
    assert found.output.as_posix() == "shot.png"


def test_a_profile_of_raw_shots_says_how_they_were_developed(tmp_path: Path) -> None:
    pytest.importorskip("rawpy", reason="rawpy is not installed")
    rng, light = np.random.default_rng(0), np.tile(np.linspace(0.1, 0.8, 192), (160, 1))
    for index in range(2):
        noisy = light + 0.02 * rng.standard_normal(light.shape)
        write_dng(tmp_path / f"{index}.dng", noisy.clip(0, 1))
    found = find_reference_files([], bursts=[tmp_path])
    (name, _) = found.profile(load_weights("sim"), True, None).references
    assert "0.dng (developed plainly by noisegen from raw; LibRaw" in name
    assert "white balance of the shot" in name


def test_without_rawpy_one_line_says_what_is_needed(
    tmp_path: Path, said_without: Callable[[str, Path], str]
) -> None:
    path = write_dng(tmp_path / "shot.dng", np.full((128, 160), 0.2))
    said = said_without("rawpy", path)
    assert "pip install '.[raw]'" in said and str(path) in said


def test_a_damaged_raw_file_is_refused_by_name(tmp_path: Path) -> None:
    pytest.importorskip("rawpy", reason="rawpy is not installed")
    path = tmp_path / "shot.cr2"
    path.write_bytes(b"II*\0" + bytes(200))
    with pytest.raises(ImageError, match=r"shot\.cr2: a damaged camera raw.*\(Unsupported"):
        read_picture(path)
