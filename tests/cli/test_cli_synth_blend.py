"""``noisegen synth --blend``: pairs in the noise of a camera between saved ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fitted import create_profile
from pictures import add_gaussian, scene

from noisegen.files import read_picture
from noisegen.model.weights import Weights
from noisegen.profiles.profile import NoiseProfile
from noisegen.references.check import Reference

Run = Callable[..., Any]


def level(out: Path) -> float:
    noisy, clean = (read_picture(out / side / "b.png").pixels for side in ("noisy", "clean"))
    return float((noisy.astype(float) - clean).std())


def test_a_mix_is_as_loud_as_a_setting_between(
    synth: Run, settings: tuple[Path, Path], cleans: Path, tmp_path: Path
) -> None:
    low, high = settings
    levels = []
    for name, noise in (
        ("low", ("--profile", low)),
        ("mix", ("--blend", f"{low}:0.5,{high}:0.5")),
        ("high", ("--profile", high)),
        ("weaker", ("--blend", f"{low}:0.5,{high}:0.5", "--strength", 0.5)),
    ):
        ran = synth(cleans / "b.png", *noise, out=tmp_path / name)
        assert ran.code == 0, ran.err
        levels.append(level(tmp_path / name))
    assert levels[0] < levels[1] < levels[2]
    assert levels[3] / levels[1] == pytest.approx(0.5, rel=0.1)


def test_a_mix_gives_the_pixels_of_its_saved_profile(
    run: Run, synth: Run, settings: tuple[Path, Path], cleans: Path, tmp_path: Path
) -> None:
    low, high = settings
    mix, saved = f"{low}:1,{high}:3", tmp_path / "saved.safetensors"
    assert run("profile", "blend", mix, "--out", saved).code == 0
    assert synth(cleans, "--blend", mix, out=tmp_path / "mixed").code == 0
    assert synth(cleans, "--profile", saved, out=tmp_path / "loaded").code == 0
    for name in ("a.png", "b.png", "sub/c.png"):
        mixed = read_picture(tmp_path / "mixed" / "noisy" / name).pixels
        loaded = read_picture(tmp_path / "loaded" / "noisy" / name).pixels
        np.testing.assert_array_equal(mixed, loaded)


def test_a_run_goes_on_by_the_same_shares_in_other_numbers(
    synth: Run, settings: tuple[Path, Path], cleans: Path, tmp_path: Path
) -> None:
    low, high = settings
    assert synth(cleans, "--blend", f"{low}:1,{high}:3", out=tmp_path / "mixed").code == 0
    again = synth(cleans, "--blend", f"{low}:0.25, {high}:0.75", out=tmp_path / "mixed")
    assert (again.code, "nothing to do" in again.out) == (0, True), again.err


def test_the_mix_is_kept_beside_the_pairs_and_makes_them_again(
    synth: Run, settings: tuple[Path, Path], cleans: Path, tmp_path: Path, contents: Run
) -> None:
    low, high = settings
    assert synth(cleans, "--blend", f"{low}:0.25,{high}:0.75", out=tmp_path / "first").code == 0
    recipe = json.loads((tmp_path / "first" / "noisegen.json").read_text(encoding="utf-8"))
    (described,) = recipe["profiles"]
    kept = NoiseProfile.load(tmp_path / "first" / described["file"])
    assert described["name"] == kept.name == "low-0.25_high-0.75"
    assert (kept.kind, kept.sha256) == ("blend", described["sha256"])
    again = ("--profile", tmp_path / "first" / described["file"])
    assert synth(cleans, *again, out=tmp_path / "second").code == 0
    assert contents(tmp_path / "first") == contents(tmp_path / "second")


def test_names_with_commas_and_colons_can_be_mixed(
    synth: Run, settings: tuple[Path, Path], cleans: Path, tmp_path: Path
) -> None:
    names = tmp_path / "f2.8, ISO:1600.safetensors", tmp_path / "a,b:1.safetensors"
    for name, setting in zip(names, settings, strict=True):
        name.write_bytes(setting.read_bytes())
    assert synth(cleans, "--blend", f"{names[0]}:.25,{names[1]}:1").code == 0


@pytest.mark.parametrize(
    ("mix", "words"),
    [("a.safetensors", "FILE:SHARE"), ("", "FILE:SHARE"), ("no.safetensors:1", "no.safetensors")],
)
def test_a_mix_that_names_none_is_refused(
    synth: Run, cleans: Path, tmp_path: Path, mix: str, words: str
) -> None:
    ran = synth(cleans, "--blend", mix)
    assert ran.code in (1, 2)
    assert words in ran.err
    assert len(ran.err.splitlines()) == 1
    assert not (tmp_path / "pairs").exists()


def test_a_mix_beside_other_noise_is_refused(
    synth: Run, settings: tuple[Path, Path], camera: Path, cleans: Path
) -> None:
    mix = ("--blend", f"{settings[0]}:1,{settings[1]}:1")
    for more in (("--profile", settings[0]), ("--ref", camera / "noisy.png"), ("--no-repair",)):
        ran = synth(cleans, *mix, *more)
        assert ran.code == 2, ran.err
        assert more[0] in ran.err
        assert len(ran.err.splitlines()) == 1


def test_a_mix_of_other_weights_is_refused_by_its_file(
    synth: Run, settings: tuple[Path, Path], classical_weights: Weights, cleans: Path
) -> None:
    low, high = settings
    clean = scene(96, 96)
    other = create_profile([Reference("r.png", add_gaussian(clean, 9), clean)], classical_weights)
    other.save(high)
    ran = synth(cleans, "--blend", f"{low}:1,{high}:1")
    assert ran.code == 1
    assert ran.err.startswith(f"error: {high}: made with other weights")
