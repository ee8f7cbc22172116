"""``profile create``: how good the profile is, and ``--tune [SECONDS]``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pictures import add_gaussian, scene
from PIL import Image

from noisegen.references.profile import NoiseProfile
from noisegen.references.quality import Quality

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
    assert Quality(**as_json["quality"]) == profile.quality
    assert as_json["overall"] == profile.quality.overall
    assert as_json["trust"] == profile.trust == 0
    assert "network      off" in shown.out
    assert len(profile.to_bytes()) < 256 * 1024


@pytest.mark.parametrize("tune", [("--tune",), ("--tune", "2"), ("--tune=2",)])
def test_tune_takes_seconds_or_none(
    create: Run, tune: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    def watched(profile: Any, windows: Any, weights: Any, seconds: float) -> Any:
        asked.append(seconds)
        return profile

    monkeypatch.setattr("noisegen.fitting.close.tune", watched)
    assert create(*tune, "--quiet").code == 0
    assert asked == [40 if tune == ("--tune",) else 2]


def test_a_tuned_profile_holds_its_steps(create: Run, run: Run, tmp_path: Path) -> None:
    ran = create("--tune", "6", "--json")
    assert ran.code == 0, ran.err
    profile = NoiseProfile.load(tmp_path / "camera.safetensors")
    assert ran.json["tuned_steps"] == profile.tuned
    if profile.tuned:
        shown = run("profile", "show", tmp_path / "camera.safetensors").out
        assert f"tuned        by {profile.tuned} gradient steps" in shown
    else:
        assert "tuning brought nothing closer" in ran.err


def test_tune_belongs_to_references(
    run: Run, rgb_profile: Path, weights_file: Path, cleans: Path, tmp_path: Path
) -> None:
    fixed = ("--clean", cleans, "--out", tmp_path / "pairs", "--weights", weights_file)
    ran = run("synth", "--profile", rgb_profile, *fixed, "--tune")
    assert ran.code == 2
    assert "--tune belongs to --ref" in ran.err
