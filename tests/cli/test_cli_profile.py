"""``noisegen profile create`` and ``noisegen profile show``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from noisegen.profiles.profile import NoiseProfile

Run = Callable[..., Any]


def test_create_writes_one_file(create: Run, camera: Path, tmp_path: Path) -> None:
    ran = create("--ref", camera / "noisy.png", "--ref-clean", camera / "clean.png")
    assert ran.code == 0, ran.err
    assert ran.out.startswith(f"wrote {tmp_path / 'camera.safetensors'}: paired, 1 reference")
    profile = NoiseProfile.load(tmp_path / "camera.safetensors")
    assert (profile.name, profile.kind, profile.pixels) == ("camera", "paired", 128 * 128)
    assert [path.name for path in tmp_path.iterdir()] == ["camera.safetensors"]


def test_a_profile_does_not_tell_where_it_was_made(
    create: Run, camera: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("noisy.png", "clean.png"):
        (elsewhere / name).write_bytes((camera / name).read_bytes())
    for folder, out in ((camera, "one.safetensors"), (elsewhere, "two.safetensors")):
        refs = ("--ref", folder / "noisy.png", "--ref-clean", folder / "clean.png")
        assert create(*refs, "--name", "camera", out=out).code == 0
    data = (tmp_path / "one.safetensors").read_bytes()
    assert data == (tmp_path / "two.safetensors").read_bytes()
    assert str(camera).encode() not in data
    assert NoiseProfile.load(tmp_path / "one.safetensors").references == ("noisy.png",)


def test_create_then_synth_is_synth_from_references(
    create: Run, run: Run, camera: Path, cleans: Path, weights_file: Path, tmp_path: Path
) -> None:
    refs = ("--ref", camera / "noisy.png", "--ref-clean", camera / "clean.png")
    assert create(*refs).code == 0
    for noise, name in (
        (refs, "direct"),
        (("--profile", tmp_path / "camera.safetensors"), "saved"),
    ):
        fixed = ("--clean", cleans, "--out", tmp_path / name, "--weights", weights_file)
        assert run("synth", *noise, *fixed, "--device", "cpu").code == 0
    for name in ("a.png", "b.png", "sub/c.png"):
        assert (tmp_path / "direct/noisy" / name).read_bytes() == (
            tmp_path / "saved/noisy" / name
        ).read_bytes()


def test_create_refuses_what_it_would_destroy(create: Run, camera: Path, tmp_path: Path) -> None:
    refs = ("--ref", camera / "noisy.png")
    (tmp_path / "camera.safetensors").write_text("mine")
    ran = create(*refs)
    assert ran.code == 1
    assert "--overwrite" in ran.err
    assert (tmp_path / "camera.safetensors").read_text() == "mine"
    assert create(*refs, "--overwrite").code == 0
    assert NoiseProfile.load(tmp_path / "camera.safetensors").kind == "estimated"


def test_create_never_replaces_a_reference(
    create: Run, camera: Path, tmp_path: Path, weights_file: Path, run: Run
) -> None:
    mine = tmp_path / "shot.png"
    mine.write_bytes((camera / "noisy.png").read_bytes())
    ran = create("--ref", mine, "--overwrite", out="shot.png")
    assert ran.code == 2
    assert "shot.png" in ran.err
    assert mine.read_bytes() == (camera / "noisy.png").read_bytes()


@pytest.mark.parametrize("out", [".", "none/camera.safetensors"])
def test_create_says_where_it_cannot_write(create: Run, camera: Path, out: str) -> None:
    ran = create("--ref", camera / "noisy.png", "--overwrite", out=out)
    assert ran.code == 1
    assert len(ran.err.splitlines()) == 1


def test_create_needs_a_reference(create: Run, camera: Path, tmp_path: Path) -> None:
    for arguments in ((), ("--ref-clean", camera / "clean.png")):
        ran = create(*arguments)
        assert ran.code == 2
        assert "--ref" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_create_in_json_and_quietly(create: Run, camera: Path) -> None:
    ran = create("--ref", camera / "noisy.png", "--json")
    assert ran.code == 0
    assert ran.json["kind"] == "estimated"
    assert len(ran.json["sigma"]) == 3
    ran = create("--ref", camera / "noisy.png", "--quiet", "--overwrite")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_cleans_matched_in_order_are_said_to_be(
    create: Run, tmp_path: Path, noisy: Any, scene: Any, write_png: Any
) -> None:
    for index, (shot, mean) in enumerate((("dawn", "first"), ("dusk", "second"))):
        write_png(tmp_path / "shots" / f"{shot}.png", noisy(64, 64, seed=index))
        write_png(tmp_path / "means" / f"{mean}.png", scene(64, 64))
    ran = create("--ref", tmp_path / "shots", "--ref-clean", tmp_path / "means")
    assert ran.code == 0, ran.err
    assert "dawn.png with first.png, dusk.png with second.png" in ran.err


def test_show_prints_what_the_profile_knows(run: Run, rgb_profile: Path) -> None:
    ran = run("profile", "show", rgb_profile)
    assert ran.code == 0
    profile = NoiseProfile.load(rgb_profile)
    assert "colour: 1 reference(s), 0.02 Mpx, RGB uint8" in ran.out
    assert "paired" in ran.out
    assert "white level  8 bits (white 255, the type's)" in ran.out
    for sigma in profile.sigma:
        assert f"{255 * sigma:.2f}" in ran.out
    assert ran.out.count("█") > 40
    assert "R–G" in ran.out
    assert max(len(line) for line in ran.out.splitlines()) <= 80
    assert "\x1b" not in ran.out


def test_show_marks_what_the_references_never_showed(run: Run, rgb_profile: Path) -> None:
    """The scene is nowhere black or white."""
    bars = [line for line in run("profile", "show", rgb_profile).out.splitlines() if "█" in line]
    pale = [
        line
        for line in run("profile", "show", rgb_profile).out.splitlines()
        if "░" in line and "not shown" not in line
    ]
    assert len(bars) + len(pale) == 16
    assert len(pale) >= 2


def test_show_tells_bars_apart_where_a_terminal_has_ascii_alone(rgb_profile: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "noisegen", "profile", "show", str(rgb_profile)],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=True,
    )
    bars = [line.split()[-1] for line in ran.stdout.splitlines() if line[:11].strip().isdigit()]
    assert {bar[:1] for bar in bars} == {"#", "."}


def test_show_says_plainly_that_the_clean_was_estimated(
    create: Run, run: Run, camera: Path, tmp_path: Path
) -> None:
    assert create("--ref", camera / "noisy.png").code == 0
    assert "ESTIMATED" in run("profile", "show", tmp_path / "camera.safetensors").out


def test_show_in_json(run: Run, gray_profile: Path) -> None:
    shown = run("profile", "show", gray_profile, "--json").json
    profile = NoiseProfile.load(gray_profile)
    assert (shown["channels"], shown["references"]) == (1, ["gray"])
    assert np.allclose(shown["sigma"], profile.sigma, atol=1e-4)
    for name, curve in (("nodes", profile.measured.nodes), ("level_curve", profile.level_curve)):
        np.testing.assert_allclose(shown[name], curve, atol=1e-6)
    assert np.shape(shown["correlation_across"]) == np.shape(shown["correlation_down"]) == (1, 4)
    assert shown["sha256"] == profile.sha256


@pytest.mark.parametrize("content", [None, b"", b"no profile"])
def test_show_of_what_is_no_profile(run: Run, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.safetensors"
    if content is not None:
        path.write_bytes(content)
    ran = run("profile", "show", path)
    assert (ran.code, ran.out) == (1, "")
    assert len(ran.err.splitlines()) == 1
    assert str(path) in ran.err


def test_show_of_weights(run: Run, weights_file: Path) -> None:
    ran = run("profile", "show", weights_file)
    assert ran.code == 1
    assert len(ran.err.splitlines()) == 1
