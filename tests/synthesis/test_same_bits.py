"""The same bits whatever instructions a processor has: libraries are told that it has fewer."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pictures
import pytest

from noisegen.api import load_generator
from noisegen.model.weights import load_weights
from noisegen.profiles.profile import NoiseProfile
from noisegen.synthesis.synthesizer import Synthesizer

INSTRUCTIONS = {
    "none": {
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_CBWR": "COMPATIBLE",
    },
    "AVX2": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_CBWR": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    },
    "AVX-512": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE", "OMP_NUM_THREADS": "3"},
}


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a camera whose noise follows content, so that the network runs."""
    clean = pictures.scene(256, 320, seed=4)
    noisy = pictures.add_gaussian(clean, 8, seed=5)
    noisy[:, :160] = pictures.add_gaussian(clean[:, :160], 3, seed=6)
    made = load_generator().profile(noisy, clean)
    features = np.random.default_rng(0).normal(0, 0.01, made.measured.features.shape)
    features[:, -2:] = -1, 1
    path = tmp_path_factory.mktemp("profile") / "camera.safetensors"
    measured = replace(made.measured, features=features.astype(np.float32))
    replace(made, measured=measured).save(path)
    return path


def digest(path: Path) -> str:
    """Hash of noisy pictures of 8 and 16 bits and of floats."""
    profile, synthesizer = NoiseProfile.load(path), Synthesizer(load_weights())
    assert profile.follows_content
    clean = pictures.scene(300, 270, seed=7)
    cleans = clean, clean.astype(np.uint16) * 257, clean.astype(np.float32) / 255
    found = hashlib.sha256()
    for picture in cleans:
        found.update(synthesizer.synthesize(picture, profile, seed=3, key="a.png").tobytes())
    return found.hexdigest()


@pytest.mark.parametrize("instructions", INSTRUCTIONS)
def test_pixels_do_not_depend_on_the_processor(profile: Path, instructions: str) -> None:
    there = subprocess.run(
        [sys.executable, __file__, str(profile)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **INSTRUCTIONS[instructions]},
    )
    assert there.stdout.strip() == digest(profile)


@pytest.mark.parametrize("side", [32, 96, 1024])
def test_pixels_do_not_depend_on_the_size_of_blocks(
    profile: Path, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a GPU, which needs larger ones, makes the same picture."""
    usual = digest(profile)
    monkeypatch.setattr("noisegen.synthesis.synthesizer.SIDE", side)
    assert digest(profile) == usual


if __name__ == "__main__":
    sys.stdout.write(digest(Path(sys.argv[1])))
