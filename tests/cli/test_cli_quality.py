"""``profile create``: how good the profile is, and whether the network counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pictures import add_gaussian, scene
from PIL import Image

from noisegen.profiles.profile import NoiseProfile
from noisegen.profiles.quality import ProfileQuality

Run = Callable[..., Any]


@pytest.fixture
def create(run: Run, weights_file: Path, tmp_path: Path) -> Run:
    """From a pair that is large enough to correct a profile by."""
    clean = scene(192, 256)
    for name, pixels in (("clean", clean), ("noisy", add_gaussian(clean, 12))):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    refs = ("--ref", tmp_path / "noisy.png", "--ref-clean", tmp_path / "clean.png")
    fixed = ("--out", tmp_path / "camera.safetensors", "--weights", weights_file, *refs)

    def invoke(*arguments: object) -> Any:
        return run("profile", "create", *fixed, *arguments)

    return invoke


def test_create_says_how_good_the_profile_is(create: Run, run: Run, tmp_path: Path) -> None:
    ran = create()
    assert ran.code == 0, ran.err
    profile = NoiseProfile.load(tmp_path / "camera.safetensors")
    assert profile.quality is not None
    said = next(line for line in ran.err.splitlines() if line.startswith("tried on its references"))
    assert f": {profile.quality.overall} (σ off by {100 * profile.quality.sigma:.1f} %" in said
    shown = run("profile", "show", tmp_path / "camera.safetensors")
    assert f"quality      {profile.quality.overall}: σ off by" in shown.out
    as_json = run("profile", "show", tmp_path / "camera.safetensors", "--json").json
    assert ProfileQuality(**as_json["quality"]) == profile.quality
    assert as_json["overall"] == profile.quality.overall
    assert as_json["follows_content"] == profile.follows_content
    assert as_json["licence"] in " ".join(shown.out.split())
    assert f"network      {'on' if profile.follows_content else 'off'}" in shown.out
    assert len(profile.to_bytes()) < 256 * 1024
