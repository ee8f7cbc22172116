"""References of several settings through the command line: a warning, or a profile each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from noisegen.profiles.profile import NoiseProfile

Run = Callable[..., Any]
SIDE = 128


def louder(picture: Any, sigma: float, seed: int) -> Any:
    noise = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


@pytest.fixture
def shots(tmp_path: Path, scene: Any, write_png: Any) -> Path:
    """``a`` and ``c`` of one setting, ``b`` of another, ``d`` as ``a``; one clean of all."""
    clean = scene(SIDE, SIDE)
    for seed, (name, sigma) in enumerate({"a": 4, "b": 16, "c": 4, "d": 4}.items()):
        write_png(tmp_path / "shots" / f"{name}.png", louder(clean, sigma, seed))
        write_png(tmp_path / "cleans" / f"{name}.png", clean)
    return tmp_path / "shots"


@pytest.fixture
def create(run: Run, weights_file: Path, shots: Path, tmp_path: Path) -> Run:
    """``profile create`` of some of the shots."""

    def invoke(names: str, *arguments: object) -> Any:
        refs = [x for name in names for x in ("--ref", shots / f"{name}.png")]
        cleans = [x for name in names for x in ("--ref-clean", tmp_path / f"cleans/{name}.png")]
        fixed = ("--out", tmp_path / "camera.safetensors", "--weights", weights_file)
        return run("profile", "create", *fixed, *refs, *cleans, *arguments)

    return invoke


def profiles_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.safetensors"))


def test_one_profile_says_that_its_references_do_not_belong_together(
    create: Run, run: Run, tmp_path: Path
) -> None:
    ran = create("abc", "--quiet")
    assert ran.code == 0, ran.err
    (line,) = (line for line in ran.err.splitlines() if "of one setting" in line)
    assert line.startswith("warning: these references do not seem to be of one setting: ")
    assert "a.png, c.png | b.png (σ 4." in line
    assert line.endswith("make a profile each with noisegen profile create --split")
    assert profiles_in(tmp_path) == ["camera.safetensors"]
    profile = NoiseProfile.load(tmp_path / "camera.safetensors")
    assert f"warning: {profile.warnings[-1]}" == line
    shown = run("profile", "show", tmp_path / "camera.safetensors", "--json").json
    assert shown["warnings"] == list(profile.warnings)


def test_split_makes_a_profile_a_setting(create: Run, tmp_path: Path) -> None:
    ran = create("bac", "--split", "--json")
    assert ran.code == 0, ran.err
    assert "of one setting" not in ran.err
    loud, quiet = ran.json["profiles"]
    assert [Path(each["out"]).name for each in (loud, quiet)] == [
        "camera-1.safetensors",
        "camera-2.safetensors",
    ]
    assert (loud["references"], quiet["references"]) == (["b.png"], ["a.png", "c.png"])
    assert (loud["name"], quiet["name"]) == ("camera-1", "camera-2")
    assert profiles_in(tmp_path) == ["camera-1.safetensors", "camera-2.safetensors"]
    np.testing.assert_allclose(255 * np.array(quiet["sigma"]), 4, rtol=0.1)
    again = create("bac", "--split")
    assert again.code == 1
    assert "camera-1.safetensors: is there already" in again.err


def test_split_of_one_setting_makes_the_profile_itself(create: Run, tmp_path: Path) -> None:
    ran = create("acd", "--split")
    assert ran.code == 0, ran.err
    assert "camera: its references belong together, so they make one profile" in ran.err
    assert ran.out.startswith(f"wrote {tmp_path / 'camera.safetensors'}: paired, 3 references")
    assert profiles_in(tmp_path) == ["camera.safetensors"]


def test_each_channel_is_split_on_its_own(
    run: Run, weights_file: Path, scene: Any, tmp_path: Path
) -> None:
    clean = scene(SIDE, SIDE, 2).transpose(2, 0, 1)
    for folder, sigmas in {"noisy": ((4, 4), (4, 16)), "clean": ((0, 0), (0, 0))}.items():
        (tmp_path / folder).mkdir()
        for seed, pair in enumerate(sigmas):
            planes = [louder(p, s, seed) for p, s in zip(clean, pair, strict=True)]
            path = tmp_path / folder / f"{seed}.tif"
            tifffile.imwrite(path, np.stack(planes), imagej=True, metadata={"axes": "CYX"})
    refs = ("--ref", tmp_path / "noisy", "--ref-clean", tmp_path / "clean")
    fixed = ("--out", tmp_path / "scope.safetensors", "--weights", weights_file)
    ran = run("profile", "create", *fixed, *refs, "--split")
    assert ran.code == 0, ran.err
    first, second = (f"scope-{name}" for name in ("c0", "c1"))
    assert profiles_in(tmp_path) == [
        f"{name}.safetensors" for name in (first, f"{second}-1", f"{second}-2")
    ]


def test_synth_warns_too(
    run: Run, weights_file: Path, shots: Path, cleans: Path, tmp_path: Path
) -> None:
    ran = run(
        *("synth", "--clean", cleans, "--out", tmp_path / "pairs", "--weights", weights_file),
        *("--device", "cpu", "--ref", shots, "--ref-clean", tmp_path / "cleans"),
    )
    assert ran.code == 0, ran.err
    assert "a.png, c.png, d.png | b.png" in ran.err
