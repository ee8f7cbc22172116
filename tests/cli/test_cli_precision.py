"""``--precision bf16`` of profile create and synth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pictures import add_gaussian, scene

from noisegen.profiles.profile import NoiseProfile

CLEAN = scene(192, 256)
NOISY = add_gaussian(CLEAN, 4)
SAID = "estimated its clean in bfloat16"


def test_the_command_line_asks_for_it(
    run: Callable[..., Any], write_png: Callable[..., Path], tmp_path: Path
) -> None:
    shot = write_png(tmp_path / "shot.png", NOISY)
    clean = write_png(tmp_path / "clean.png", CLEAN)
    profile = tmp_path / "camera.safetensors"
    made = run("profile", "create", "--ref", shot, "--out", profile, "--precision", "bf16")
    assert made.code == 0, made.err
    assert f"shot.png: {SAID}" in made.err
    assert f"shot.png: {SAID}" in run("profile", "show", profile).out

    to = "--clean", clean, "--out", tmp_path / "pairs"
    assert run("synth", "--ref", shot, *to, "--precision", "bf16").code == 0
    saved = NoiseProfile.load(next((tmp_path / "pairs" / "profiles").iterdir()))
    np.testing.assert_array_equal(saved.measured.level, NoiseProfile.load(profile).measured.level)
    other = run("synth", "--ref", shot, *to)
    assert other.code == 1, "another precision makes other pixels: no dataset of it goes on"

    for wrong, reason in (
        (("--ref", shot, "--ref-clean", clean), "only the clean of a lone shot is estimated"),
        (("--profile", profile), "--precision belongs to --ref"),
    ):
        refused = run("synth", *wrong, "--precision", "bf16", *to[:2], "--out", tmp_path / "no")
        assert (refused.code, len(refused.err.splitlines())) == (2, 1)
        assert reason in refused.err
        assert not (tmp_path / "no").exists()
