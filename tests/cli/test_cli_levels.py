"""The levels that references and cleans are taken at: printed, recorded, doubted, made again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from noisegen import NoisyPairs, make_dataset

Run = Callable[..., Any]
Pixels = NDArray[Any]
SIDE = 256


def ramp(low: float, high: float) -> Pixels:
    """From dim to bright, with a wave across it."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    values: Pixels = np.rint(low + (high - low) * (0.9 * x + 0.1 * np.sin(6 * y) ** 2))
    return values


def counted(signal: Pixels, seed: int) -> Pixels:
    """A 12-bit camera: 0.46 electrons a count, read noise of 3.5 counts."""
    rng = np.random.default_rng(seed)
    noisy = rng.poisson(signal * 0.46) / 0.46 + 3.5 * rng.standard_normal(signal.shape)
    values: Pixels = np.rint(noisy).clip(0, 4095)
    return values


def ratio(noisy: Path, signal: Pixels, low: float, high: float) -> float:
    """σ generated against the camera's own between two counts."""
    here = (signal >= low) & (signal < high)
    true = np.sqrt(signal[here].mean() / 0.46 + 12.25)
    return float((tifffile.imread(noisy) - signal)[here].std() / true)


def write(path: Path, samples: Pixels, dtype: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    tifffile.imwrite(path, samples.astype(dtype), photometric="minisblack")
    return path


@pytest.fixture(scope="module")
def dim(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile of a reference that stays below 1023, by the shipped weights."""
    folder = tmp_path_factory.mktemp("dim")
    signal = ramp(150, 800)
    noisy = write(folder / "dim.tif", np.minimum(counted(signal, 1), 1023), np.uint16)
    clean = write(folder / "dim_clean.tif", signal, np.uint16)
    out = folder / "dim.safetensors"
    ran = run("profile", "create", "--ref", noisy, "--ref-clean", clean, "--out", out)
    assert ran.code == 0, ran.err
    assert "white level of the references: 10 bits (white 1023, found)" in ran.err
    shown = run("profile", "show", out)
    assert "10 bits (white 1023, found)" in shown.out
    assert run("profile", "show", out, "--json").json["white_level_given"] is False
    return out


@pytest.mark.parametrize("options", [(), ("--white-level", 4095)])
def test_a_brighter_clean_has_the_noise_of_its_counts(
    run: Run, dim: Path, tmp_path: Path, options: tuple[object, ...]
) -> None:
    """Noise came out four times off when the refusal's own advice was followed."""
    signal = ramp(150, 3500)
    write(tmp_path / "cleans" / "field.tif", signal, np.uint16)
    command = ("synth", "--profile", dim, "--clean", tmp_path / "cleans", *options)
    planned = run(*command, "--out", tmp_path / "pairs", "--dry-run")
    ran = run(*command, "--out", tmp_path / "pairs")
    assert ran.code == 0, ran.err
    for said in (planned.err, ran.err):
        assert f"go up to {signal.max():g} (field.tif)" in said
        assert "white 1023, found" in said
        assert "4095" in said
    noisy = tmp_path / "pairs" / "noisy" / "field.tif"
    assert ratio(noisy, signal, 200, 500) == pytest.approx(1, abs=0.12)
    assert ratio(noisy, signal, 500, 800) == pytest.approx(1, abs=0.12)
    recipe = json.loads((tmp_path / "pairs" / "noisegen.json").read_text())
    assert recipe["profiles"][0]["white_level"] == 1023
    assert recipe["profiles"][0]["white_level_given"] is False
    again = run(
        "regenerate", tmp_path / "pairs" / "noisegen.json", "--clean", tmp_path / "cleans",
        "--out", tmp_path / "again",
    )  # fmt: skip
    assert again.code == 0, again.err
    assert "all equal" in again.out


def test_a_level_below_the_profile_s_is_refused(run: Run, dim: Path, tmp_path: Path) -> None:
    write(tmp_path / "cleans" / "field.tif", ramp(150, 400), np.uint16)
    out = tmp_path / "pairs"
    command = ("--profile", dim, "--clean", tmp_path / "cleans", "--out", out)
    ran = run("synth", *command, "--white-level", 511)
    assert ran.code == 1
    last = ran.err.splitlines()[-1]
    assert "--white-level 511 contradicts" in last
    assert "10 bits (white 1023, found)" in last
    assert "white_level=" not in ran.err
    assert not out.exists()


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_fewer_bits_in_16_are_doubted_and_the_advice_is_right(
    run: Run, tmp_path: Path, bits: int
) -> None:
    """Cleans of 12 bits and a reference of 8: noise was six times too strong without a word."""
    white = 2**bits - 1
    signal = ramp(40, 215) / 255
    noise = np.random.default_rng(2).standard_normal(signal.shape)
    shot = np.rint(255 * (signal + np.sqrt(0.004 * signal + 0.0002) * noise)).clip(0, 255)
    noisy = write(tmp_path / "noisy.tif", shot, np.uint8)
    clean = write(tmp_path / "noisy_clean.tif", np.rint(255 * signal), np.uint8)
    target = np.rint(signal.T * white)
    write(tmp_path / "cleans" / "deep.tif", target, np.uint16)
    command = ("synth", "--ref", noisy, "--ref-clean", clean, "--clean", tmp_path / "cleans")
    ran = run(*command, "--out", tmp_path / "pairs", "--dry-run", "--json")
    assert "white level of uint16 cleans: 16 bits (white 65535, the type's)" in ran.err
    (doubt,) = ran.json["white_level_warnings"]
    assert f"{bits} bits" in doubt
    assert f"{round(65535 / white)} times too strong" in doubt
    assert f"--white-level {white}" in doubt
    profile = tmp_path / "shot.safetensors"
    assert run("profile", "create", *command[1:5], "--out", profile).code == 0
    with pytest.warns(UserWarning, match=f"then say white_level={white}"):
        make_dataset(tmp_path / "cleans", tmp_path / "called", [profile])
    with pytest.warns(UserWarning, match=f"then say white_level={white}"):
        NoisyPairs(tmp_path / "cleans", [profile])
    ran = run(*command, "--out", tmp_path / "pairs", "--white-level", white)
    assert ran.code == 0, ran.err
    assert f"white level of uint16 cleans: {bits} bits (white {white}, given)" in ran.err
    assert "times too strong" not in ran.err
    made = tifffile.imread(tmp_path / "pairs" / "noisy" / "deep.tif").astype(float)
    for low, high in ((0.25, 0.45), (0.5, 0.7)):
        here = (target >= low * white) & (target < high * white)
        true = white * np.sqrt(0.004 * target[here].mean() / white + 0.0002)
        assert (made - target)[here].std() == pytest.approx(true, rel=0.12)


def test_references_of_floats_in_the_unit_range_leave_the_level_to_the_cleans(
    run: Run, tmp_path: Path
) -> None:
    signal = ramp(40, 215) / 255
    shot = signal + 0.03 * np.random.default_rng(3).standard_normal(signal.shape)
    noisy = write(tmp_path / "noisy.tif", shot, np.float32)
    clean = write(tmp_path / "noisy_clean.tif", signal, np.float32)
    target = np.rint(signal.T * 4095)
    write(tmp_path / "cleans" / "deep.tif", target, np.uint16)
    ran = run(
        "synth", "--ref", noisy, "--ref-clean", clean, "--clean", tmp_path / "cleans",
        "--out", tmp_path / "pairs", "--white-level", 4095,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    made = tifffile.imread(tmp_path / "pairs" / "noisy" / "deep.tif").astype(float)
    assert (made - target).std() == pytest.approx(0.03 * 4095, rel=0.1)


def test_planes_of_a_stack_are_taken_alike(run: Run, dim: Path, tmp_path: Path) -> None:
    signal = np.stack([ramp(150, 800), ramp(150, 3500)])
    write(tmp_path / "cleans" / "stack.tif", signal, np.uint16)
    ran = run(
        "synth", "--profile", dim, "--clean", tmp_path / "cleans", "--out", tmp_path / "pairs"
    )
    assert ran.code == 0, ran.err
    noisy = tifffile.imread(tmp_path / "pairs" / "noisy" / "stack.tif").astype(float)
    for plane in (0, 1):
        here = (signal[plane] > 400) & (signal[plane] < 700)
        true = np.sqrt(signal[plane][here].mean() / 0.46 + 12.25)
        assert (noisy - signal)[plane][here].std() == pytest.approx(true, rel=0.15)
