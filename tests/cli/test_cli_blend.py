"""``noisegen profile blend`` and ``sweep``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noisegen.profiles.profile import NoiseProfile

Run = Callable[..., Any]


def test_a_blend_is_a_profile_between(
    run: Run, settings: tuple[Path, Path], tmp_path: Path
) -> None:
    low, high = settings
    out = tmp_path / "mix.safetensors"
    ran = run("profile", "blend", f"{low}:1,{high}:3", "--out", out, "--json")
    assert ran.code == 0, ran.err
    mixed = NoiseProfile.load(out)
    assert (mixed.name, mixed.kind, ran.json["sha256"]) == ("mix", "blend", mixed.sha256)
    ends = [NoiseProfile.load(file).sigma for file in settings]
    assert (mixed.sigma > ends[0]).all()
    assert (mixed.sigma < ends[1]).all()
    shown = run("profile", "show", out)
    assert "a mix of other profiles" in shown.out
    again = run("profile", "blend", f"{low}:1,{high}:3", "--out", out)
    assert again.code == 1
    assert "--overwrite" in again.err


@pytest.mark.parametrize("mix", ["a.safetensors", "a.safetensors:x", ":1", "a:1,,b:1"])
def test_a_mix_that_names_none_is_refused(run: Run, tmp_path: Path, mix: str) -> None:
    ran = run("profile", "blend", mix, "--out", tmp_path / "mix.safetensors")
    assert ran.code == 2
    assert "FILE:SHARE" in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_sweep_grows(run: Run, settings: tuple[Path, Path], tmp_path: Path) -> None:
    low, high = settings
    out = tmp_path / "iso"
    ran = run("profile", "sweep", low, high, "--out", out, "--steps", 4, "--json", "--quiet")
    assert ran.code == 0, ran.err
    files = sorted(out.iterdir())
    assert [file.name for file in files] == [f"low-high-0{n}.safetensors" for n in range(1, 5)]
    sigmas = [float(NoiseProfile.load(file).sigma.mean()) for file in files]
    assert sigmas == sorted(set(sigmas))
    assert ran.json["profiles"].keys() == {str(file) for file in files}
    fewer = run("profile", "sweep", low, high, "--out", out, "--steps", 2, "--overwrite")
    assert fewer.code == 1
    assert f"{files[2]}: is of a sweep of more steps; delete it" in fewer.err
    assert sorted(out.iterdir()) == files


def test_a_sweep_into_a_file_is_refused(run: Run, settings: tuple[Path, Path]) -> None:
    low, high = settings
    ran = run("profile", "sweep", low, high, "--out", low)
    assert ran.code == 1
    assert str(low) in ran.err
