"""Bursts and imperfect pairs through the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from noisegen.profiles.profile import NoiseProfile

Run = Callable[..., Any]
SIDE = 160


def texture(seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    layers = [
        ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE, 1)), (s, s, 0)) for s in (1.5, 6)
    ]
    return 128 + sum(16 * layer / layer.std() for layer in layers) * np.ones(3)


def noisy(picture: Any, seed: int) -> Any:
    noise = np.random.default_rng(seed).normal(0, 8, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


@pytest.fixture
def burst(tmp_path: Path, write_png: Any) -> Path:
    """Four shots, the last from a tripod that was knocked."""
    for index in range(4):
        picture = np.roll(texture(), (2, 0), (0, 1)) if index == 3 else texture()
        write_png(tmp_path / "evening" / f"shot{index}.png", noisy(picture, index))
    (tmp_path / "evening" / "notes.txt").write_text("no picture")
    return tmp_path / "evening"


def test_a_burst_makes_a_profile(create: Run, run: Run, burst: Path, tmp_path: Path) -> None:
    ran = create("--ref-burst", burst)
    assert ran.code == 0, ran.err
    assert ran.out.startswith(f"wrote {tmp_path / 'camera.safetensors'}: burst, 4 shots, σ ")
    line, *others = ran.err.splitlines()
    assert line == "repaired evening/shot3.png: moved by -2.00 px down, +0.00 px right"
    assert not any("repaired" in other for other in others)
    profile = NoiseProfile.load(tmp_path / "camera.safetensors")
    np.testing.assert_allclose(profile.sigma * 255, 8, rtol=0.05)
    shown = run("profile", "show", tmp_path / "camera.safetensors")
    assert "burst: shots of one still scene" in shown.out
    assert "shot3.png: moved by -2.00 px down" in shown.out
    as_json = run("profile", "show", tmp_path / "camera.safetensors", "--json").json
    assert as_json["kind"] == "burst"
    assert as_json["repairs"] == list(profile.repairs)


def test_synth_from_a_burst_is_synth_from_its_profile(
    create: Run, run: Run, burst: Path, cleans: Path, weights_file: Path, tmp_path: Path
) -> None:
    assert create("--ref-burst", burst).code == 0
    for noise, name in (
        (("--ref-burst", burst), "direct"),
        (("--profile", tmp_path / "camera.safetensors"), "saved"),
    ):
        fixed = ("--clean", cleans, "--out", tmp_path / name, "--weights", weights_file)
        ran = run("synth", *noise, *fixed, "--device", "cpu")
        assert ran.code == 0, ran.err
    assert (tmp_path / "direct/noisy/a.png").read_bytes() == (
        tmp_path / "saved/noisy/a.png"
    ).read_bytes()


def test_a_pair_is_repaired_unless_told_not_to(create: Run, tmp_path: Path, write_png: Any) -> None:
    write_png(tmp_path / "shot_noisy.png", noisy(texture(), 0))
    darker = np.rint(np.roll(texture(), 3, 1) * 0.9).astype(np.uint8)
    write_png(tmp_path / "shot_clean.png", darker)
    refs = ("--ref", tmp_path / "shot_noisy.png", "--ref-clean", tmp_path / "shot_clean.png")
    ran = create(*refs)
    assert ran.code == 0, ran.err
    assert "repaired shot_noisy.png: moved the clean by +0.00 px down, -3.00 px right" in ran.err
    assert "gain and offset" in ran.err
    repaired = NoiseProfile.load(tmp_path / "camera.safetensors")
    np.testing.assert_allclose(repaired.sigma * 255, 8, rtol=0.05)
    quiet = create(*refs, "--overwrite", "--quiet")
    assert (quiet.code, quiet.err) == (0, "")
    write_png(tmp_path / "shot_clean.png", np.rint(texture() * 0.9).astype(np.uint8))
    ran = create(*refs, "--overwrite", "--no-repair")
    assert ran.code == 0
    assert "repaired" not in ran.err
    left = NoiseProfile.load(tmp_path / "camera.safetensors")
    assert left.repairs == ()
    assert (left.measured.mean.max(1) * 255 > 8).all()


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("--ref-burst", "{burst}/none"), 2, "is no folder"),
        (("--ref-burst", "{empty}"), 2, "holds no picture"),
        (("--ref-burst", "{burst}", "--ref", "{burst}/shot0.png"), 2, "a burst is its own clean"),
        (("--ref-burst", "{one}"), 1, "a burst of 1"),
        (("--ref", "{burst}/shot0.png", "--ref-clean", "{other}"), 1, "another scene"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(
    create: Run,
    burst: Path,
    tmp_path: Path,
    write_png: Any,
    arguments: tuple[str, ...],
    code: int,
    reason: str,
) -> None:
    (tmp_path / "empty").mkdir()
    write_png(tmp_path / "one" / "only.png", noisy(texture(), 0))
    write_png(tmp_path / "other.png", np.rint(texture(3)).astype(np.uint8))
    places = {
        "burst": burst,
        "empty": tmp_path / "empty",
        "one": tmp_path / "one",
        "other": tmp_path / "other.png",
    }
    ran = create(*(argument.format(**places) for argument in arguments))
    assert ran.code == code
    assert reason in ran.err
    assert len(ran.err.splitlines()) == 1
    assert not (tmp_path / "camera.safetensors").exists()


def test_synth_refuses_options_that_do_nothing(synth: Run, cleans: Path, rgb_profile: Path) -> None:
    ran = synth(cleans, "--profile", rgb_profile, "--no-repair")
    assert ran.code == 2
    assert "--no-repair belongs to --ref" in ran.err


def test_the_same_files_in_another_role_are_other_references(
    run: Run, burst: Path, cleans: Path, weights_file: Path, tmp_path: Path
) -> None:
    shots = sorted(burst.glob("*.png"))[:2]
    fixed = ("--clean", cleans, "--out", tmp_path / "out", "--weights", weights_file)
    two = ("synth", "--ref", shots[0], "--ref", shots[1], *fixed, "--device", "cpu")
    assert run(*two).code == 0
    assert "nothing to do" in run(*two).out
    as_pair = run("synth", "--ref", shots[0], "--ref-clean", shots[1], *fixed, "--device", "cpu")
    assert as_pair.code == 1
    assert "holds a dataset made otherwise" in as_pair.err
