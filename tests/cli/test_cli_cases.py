"""Files of instruments through the command: a burst of dim data, and what a profile rests on."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from pictures import add_gaussian, scene
from PIL import Image
from stand_ins import OFFSET, cells, scmos, scmos_ratio

from noisegen.profiles.profile import NoiseProfile

Run = Callable[..., Any]


def test_a_burst_of_dim_data_has_its_sigma_at_every_signal(run: Run, tmp_path: Path) -> None:
    shots = np.stack([scmos(cells(1), 10 + shot) for shot in range(4)])
    tifffile.imwrite(tmp_path / "burst.tif", shots, photometric="minisblack")
    signal = cells(2)
    (tmp_path / "cleans").mkdir()
    clean = np.rint(signal + OFFSET).astype(np.uint16)
    tifffile.imwrite(tmp_path / "cleans" / "field.tif", clean, photometric="minisblack")
    ran = run(
        "synth", "--ref-burst", tmp_path / "burst.tif", "--clean", tmp_path / "cleans",
        "--out", tmp_path / "pairs", "--device", "cpu",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    noisy = tifffile.imread(tmp_path / "pairs" / "noisy" / "field.tif")
    ends = (0, 20, 30, 50, 100, 200, 500, 1000, 2000, 4000)
    for low, high in pairwise(ends):
        assert scmos_ratio(noisy, signal, low, high) == pytest.approx(1, abs=0.1), (low, high)


def test_create_says_what_the_profile_rests_on(run: Run, tmp_path: Path) -> None:
    """The reference lies in the middle third."""
    whole = scene(256, 256).astype(np.float64)
    clean = np.rint(85 + 85 * (whole - whole.min()) / np.ptp(whole)).astype(np.uint8)
    Image.fromarray(clean).save(tmp_path / "clean.png")
    Image.fromarray(add_gaussian(clean, 6)).save(tmp_path / "noisy.png")
    out = tmp_path / "camera.safetensors"
    ran = run(
        "profile", "create", "--ref", tmp_path / "noisy.png",
        "--ref-clean", tmp_path / "clean.png", "--out", out,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    quality = NoiseProfile.load(out).quality
    assert quality is not None
    said = re.search(r"rests on (\d+) % of the pixels, (\d+) to (\d+) % of white", ran.err)
    assert said is not None, ran.err
    pixels, darkest, brightest = (int(number) for number in said.groups())
    assert pixels >= 99
    assert darkest == pytest.approx(33, abs=2)
    assert brightest == pytest.approx(67, abs=2)
    assert "rests on" in run("profile", "show", out).out
