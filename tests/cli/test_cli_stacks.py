"""Gray, 16-bit, float and multi-channel TIFFs as references on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from noisegen.profiles.profile import NoiseProfile

Run = Callable[..., Any]
Pixels = NDArray[Any]
SIDE = 128
NAMES = ["DAPI", "Alexa 488"]


def frames(count: int, sigma: float, seed: int = 0) -> Pixels:
    """Moments of a still scene of 12 bits."""
    y, x = np.mgrid[:SIDE, :SIDE]
    scene = 1500 + 600 * np.sin(y / 40) + 300 * np.cos(x / 30)
    noise = np.random.default_rng(seed).normal(0, sigma, (count, SIDE, SIDE))
    samples: Pixels = np.rint(scene + noise).clip(0, 4095).astype(np.uint16)
    return samples


def write(path: Path, samples: Pixels, axes: str, **metadata: Any) -> Path:
    metadata = {"axes": axes, **metadata}
    tifffile.imwrite(path, samples, ome=True, metadata=metadata, photometric="minisblack")
    return path


@pytest.fixture
def create(run: Run, weights_file: Path, tmp_path: Path) -> Run:
    def invoke(*arguments: object, out: str = "p.safetensors") -> Any:
        fixed = ("--out", tmp_path / out, "--weights", weights_file)
        return run("profile", "create", *fixed, *arguments)

    return invoke


@pytest.fixture
def channels(tmp_path: Path) -> Path:
    """Three moments of two channels, the second one noisier."""
    samples = np.stack([frames(3, 40), frames(3, 80, seed=1)], 1)
    return write(tmp_path / "multi.tif", samples, "TCYX", Channel={"Name": NAMES})


def test_channels_make_a_profile_each(create: Run, channels: Path, tmp_path: Path) -> None:
    ran = create("--ref", channels)
    assert ran.code == 0, ran.err
    files = [tmp_path / "p-DAPI.safetensors", tmp_path / "p-Alexa-488.safetensors"]
    lines = ran.out.splitlines()
    assert len(lines) == 2
    for file, line, sigma in zip(files, lines, (40, 80), strict=True):
        assert line.startswith(f"wrote {file}: estimated, 3 references")
        profile = NoiseProfile.load(file)
        assert profile.name == file.stem
        assert (profile.dtype, profile.white_level, profile.channels) == ("uint16", 4095, 1)
        assert profile.references[2] == f"multi.tif[{file.stem[2:]}][2]".replace("Alexa ", "Alexa-")
        np.testing.assert_allclose(profile.sigma * 4095, sigma, rtol=0.1)
    assert not (tmp_path / "p.safetensors").exists()


@pytest.mark.slow
def test_channels_in_json(create: Run, channels: Path, tmp_path: Path) -> None:
    profiles = create("--ref", channels, "--name", "scope", "--json").json["profiles"]
    assert [profile["name"] for profile in profiles] == ["scope-DAPI", "scope-Alexa-488"]
    assert [Path(profile["out"]).name for profile in profiles] == [
        "p-DAPI.safetensors",
        "p-Alexa-488.safetensors",
    ]


def test_nothing_is_replaced_unasked(create: Run, channels: Path, tmp_path: Path) -> None:
    (tmp_path / "p-Alexa-488.safetensors").write_text("mine")
    ran = create("--ref", channels)
    assert ran.code == 1
    assert "p-Alexa-488.safetensors: is there already" in ran.err
    assert not (tmp_path / "p-DAPI.safetensors").exists()
    assert create("--ref", channels, "--overwrite").code == 0


def test_a_channel_without_noise_is_left_out(create: Run, tmp_path: Path) -> None:
    samples = np.stack([frames(1, 40)[0], np.zeros((SIDE, SIDE), np.uint16)])
    multi = write(tmp_path / "multi.tif", samples, "CYX", Channel={"Name": ["a", "labels"]})
    ran = create("--ref", multi, "--json")
    assert ran.code == 3
    assert "warning: no profile of a channel: multi.tif[labels]: black" in ran.err
    assert [Path(profile["out"]).name for profile in ran.json["profiles"]] == ["p-a.safetensors"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["multi.tif", "p-a.safetensors"]
    blank = write(tmp_path / "blank.tif", samples[1:].repeat(2, 0), "CYX")
    ran = create("--ref", blank, "--overwrite")
    assert ran.code == 1
    assert len(ran.err.splitlines()) == 1


def test_synth_says_what_to_do_with_channels(
    run: Run, channels: Path, cleans: Path, weights_file: Path, tmp_path: Path
) -> None:
    fixed = ("--clean", cleans, "--out", tmp_path / "pairs", "--weights", weights_file)
    ran = run("synth", "--ref", channels, *fixed)
    assert ran.code == 2
    (line,) = ran.err.splitlines()
    assert "multi.tif: has 2 channels (DAPI, Alexa-488); make a profile of each" in line
    assert "--profile" in line
    assert not (tmp_path / "pairs").exists()


def test_a_channels_profile_goes_on_gray_pictures(
    run: Run, create: Run, channels: Path, weights_file: Path, tmp_path: Path
) -> None:
    assert create("--ref", channels).code == 0
    (tmp_path / "cleans").mkdir()
    clean = frames(1, 0)[0]
    tifffile.imwrite(tmp_path / "cleans" / "a.tif", clean, photometric="minisblack")
    fixed = ("--clean", tmp_path / "cleans", "--out", tmp_path / "pairs", "--device", "cpu")
    ran = run(
        "synth", "--profile", tmp_path / "p-DAPI.safetensors", *fixed, "--weights", weights_file
    )
    assert ran.code == 0, ran.err
    noisy = tifffile.imread(tmp_path / "pairs" / "noisy" / "a.tif")
    assert noisy.dtype == np.uint16
    assert noisy.max() <= 4095
    assert 10 < np.std(noisy.astype(float) - clean) < 400


def test_a_stack_with_its_mean(create: Run, tmp_path: Path) -> None:
    noisy = write(tmp_path / "noisy.tif", frames(8, 40), "ZYX")
    mean = write(tmp_path / "mean.tif", frames(1, 0)[0], "YX")
    ran = create("--ref", noisy, "--ref-clean", mean)
    assert ran.code == 0, ran.err
    assert "paired, 8 references" in ran.out
    profile = NoiseProfile.load(tmp_path / "p.safetensors")
    np.testing.assert_allclose(profile.sigma * 4095, 40, rtol=0.05)


def test_a_stack_as_a_burst(create: Run, tmp_path: Path) -> None:
    stack = write(tmp_path / "still.tif", frames(5, 40), "TYX")
    ran = create("--ref-burst", stack)
    assert ran.code == 0, ran.err
    assert "burst, 5 shots" in ran.out
    profile = NoiseProfile.load(tmp_path / "p.safetensors")
    assert profile.references[4] == "still/still.tif[4]"
    np.testing.assert_allclose(profile.sigma * 4095, 40, rtol=0.05)


def test_channels_of_a_burst(create: Run, channels: Path, tmp_path: Path) -> None:
    ran = create("--ref-burst", channels)
    assert ran.code == 0, ran.err
    assert ran.out.count(": burst, 3 shots, σ ") == 2
    for channel, sigma in (("DAPI", 40), ("Alexa-488", 80)):
        profile = NoiseProfile.load(tmp_path / f"p-{channel}.safetensors")
        np.testing.assert_allclose(profile.sigma * 4095, sigma, rtol=0.05)


@pytest.mark.parametrize(
    ("scale", "dtype", "level", "other"),
    [
        (1, np.uint16, "12 bits (white 4095, found)", 65000),
        (16, np.uint16, "16 bits (white 65535, found)", 65500),
        (1 / 4095, np.float32, "white 1 (found)", 2),
    ],
)
def test_a_white_level_that_was_found_is_named(
    create: Run, tmp_path: Path, scale: float, dtype: type, level: str, other: int
) -> None:
    shot = write(tmp_path / "shot.tif", (frames(1, 40)[0] * scale).astype(dtype), "YX")
    ran = create("--ref", shot)
    assert ran.code == 0, ran.err
    note = f"white level of the references: {level}; --white-level overrides it"
    assert note in ran.err.splitlines()
    given = create("--ref", shot, "--white-level", other, "--overwrite")
    assert given.code == 0, given.err
    assert f"white level of the references: white {other} (given)" in given.err.splitlines()
    profile = NoiseProfile.load(tmp_path / "p.safetensors")
    assert (profile.white_level, profile.white_level_given) == (other, True)


def test_floats_in_their_own_range(create: Run, run: Run, tmp_path: Path) -> None:
    shots = frames(2, 40).astype(np.float32)
    shots[0, 0, 0] = 4000.5
    ran = create("--ref", write(tmp_path / "shot.tif", shots, "TYX"))
    assert ran.code == 0, ran.err
    assert "white level of the references: white 4000.5 (found)" in ran.err
    shown = run("profile", "show", tmp_path / "p.safetensors", "--json").json
    assert (shown["dtype"], shown["white_level"]) == ("float32", 4000.5)
    np.testing.assert_allclose(np.array(shown["sigma"]) * 4000.5, 40, rtol=0.1)


def test_eight_bits_have_no_white_level_to_find(create: Run, camera: Path) -> None:
    ran = create("--ref", camera / "noisy.png")
    assert "white level" not in ran.err


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_refused(create: Run, tmp_path: Path, value: float) -> None:
    shots = frames(2, 40).astype(np.float32)
    shots[1, 5, 6] = value
    ran = create("--ref", write(tmp_path / "shot.tif", shots, "TYX"))
    assert ran.code == 1
    (line,) = ran.err.splitlines()
    assert "shot.tif: holds NaN or infinite values" in line


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_signed_counts_go_below_0_where_the_references_do(
    create: Run, run: Run, weights_file: Path, tmp_path: Path
) -> None:
    shots = (frames(6, 40).astype(np.int32) - 1500).astype(np.int16)
    clean = (frames(2, 0).astype(np.int32) - 1500).astype(np.int16)
    (tmp_path / "cleans").mkdir()
    tifffile.imwrite(tmp_path / "cleans" / "a.tif", clean, imagej=True, metadata={"axes": "TYX"})
    ran = create("--ref-burst", write(tmp_path / "still.tif", shots, "TYX"))
    assert ran.code == 0, ran.err
    shown = run("profile", "show", tmp_path / "p.safetensors", "--json").json
    np.testing.assert_allclose(np.array(shown["sigma"]) * shown["white_level"], 40, rtol=0.1)
    fixed = ("--clean", tmp_path / "cleans", "--weights", weights_file, "--device", "cpu")
    out = tmp_path / "pairs"
    ran = run("synth", "--profile", tmp_path / "p.safetensors", *fixed, "--out", out)
    assert ran.code == 0, ran.err
    noisy, copied = (tifffile.imread(out / side / "a.tif") for side in ("noisy", "clean"))
    assert noisy.dtype == copied.dtype == np.int16
    np.testing.assert_array_equal(copied, clean)
    assert noisy.min() < clean.min() < 0
    below = clean < -100
    np.testing.assert_allclose(np.std((noisy - clean)[below].astype(float)), 40, rtol=0.25)
    assert abs(np.mean((noisy - clean)[below].astype(float))) < 3
    assert run("verify", out).code == 0
    assert run("report", out, "--out", tmp_path / "page.html").code == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "no pair is shown or measured, for instance: " in page
    assert "a.tif: is of int16: to be compared, convert it to 8 or 16 unsigned bits" in page
    # References without a background below 0 say nothing of noise there.
    assert (
        create("--ref-burst", write(tmp_path / "up.tif", shots + 1500, "TYX"), "--overwrite").code
        == 0
    )
    ran = run("synth", "--profile", tmp_path / "p.safetensors", *fixed, "--out", tmp_path / "not")
    assert ran.code == 1
    assert "has values below 0, down to" in ran.err


def test_an_empty_channel_of_a_burst_is_left_out(create: Run, tmp_path: Path) -> None:
    shots = frames(4, 40)
    both = np.stack([shots, np.zeros_like(shots)], 1)
    write(tmp_path / "b.tif", both, "TCYX", Channel={"Name": NAMES})
    ran = create("--ref-burst", tmp_path / "b.tif")
    assert ran.code == 3, ran.err
    assert "same picture, so they show no noise" in ran.err
