"""References that are refused or warned about, through the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from noisegen.profiles.profile import NoiseProfile

Run = Callable[..., Any]
SIDE = 192


def scene(seed: int = 0) -> Any:
    """Soft shapes, some with texture, away from black and white."""
    rng = np.random.default_rng(seed)
    shapes, texture, where = (
        ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), sigma) for sigma in (30, 1.2, 20)
    )
    picture = (
        128 + 40 * shapes / shapes.std() + np.where(where > 0.02, 12 * texture / texture.std(), 0)
    )
    return np.rint(picture.clip(30, 225))[..., None].repeat(3, 2).astype(np.uint8)


def noisy(picture: Any, sigma: float = 8) -> Any:
    noise = np.random.default_rng(1).normal(0, sigma, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    def write(name: str, pixels: Any, **options: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(path, **options)
        return path

    return write


def panels() -> Any:
    """A page of text, gray on gray."""
    picture = np.full((SIDE, SIDE, 3), 236, np.uint8)
    picture[:, :48] = (70, 90, 120)
    picture[8::16, 56:180:3] = 30
    return picture


def test_a_coarse_jpeg_is_warned_of_and_remembered(
    create: Run, run: Run, save: Callable[..., Path], cleans: Path, weights_file: Path
) -> None:
    shot = save("shot.jpg", noisy(scene(), 20), quality=60)
    ran = create("--ref", shot)
    assert ran.code == 0, ran.err
    line, *others = ran.err.splitlines()
    assert not any(other.startswith("warning") for other in others)
    assert line.startswith("warning: shot.jpg: its noise is mostly gone: it is or was a JPEG of ")
    assert "quality about 60" in line
    profile = shot.parent / "camera.safetensors"
    warnings = list(NoiseProfile.load(profile).warnings)
    assert line == f"warning: {warnings[0]}"
    shown = " ".join(run("profile", "show", profile).out.split())
    assert f"warning {warnings[0]}" in shown
    assert run("profile", "show", profile, "--json").json["warnings"] == warnings
    quiet = create("--ref", shot, "--overwrite", "--quiet")
    assert quiet.err.splitlines() == [line]
    out = shot.parent / "pairs"
    fixed = ("--clean", cleans, "--out", out, "--weights", weights_file, "--device", "cpu")
    ran = run("synth", "--ref", shot, *fixed, "--json")
    assert ran.code == 0, ran.err
    assert line in ran.err.splitlines()
    assert ran.json["warnings"] == warnings


@pytest.mark.parametrize("name", ["shot.png", "shot.tif"])
def test_what_was_a_coarse_jpeg_is_seen_in_another_format(
    create: Run, save: Callable[..., Path], name: str
) -> None:
    coarse = np.array(Image.open(save("coarse.jpg", noisy(scene(), 20), quality=40)))
    ran = create("--ref", save(name, coarse))
    assert ran.code == 0, ran.err
    assert f"warning: {name}: its noise is mostly gone" in ran.err


def test_good_references_are_not_warned_of(create: Run, save: Callable[..., Path]) -> None:
    ran = create("--ref", save("shot.jpg", noisy(scene()), quality=95))
    assert ran.code == 0
    assert "warning" not in ran.err
    assert ran.err.startswith("tried on its references, their estimated clean: ")


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (scene(), "shows no noise where it is flat: it is clean already"),
        (panels(), "looks like a screenshot or graphic"),
        (np.zeros((SIDE, SIDE), np.uint8), "black or saturated nearly everywhere"),
    ],
)
def test_what_shows_no_noise_is_refused_in_one_line(
    create: Run, save: Callable[..., Path], pixels: Any, reason: str
) -> None:
    shot = save("shot.png", pixels)
    ran = create("--ref", shot)
    assert ran.code == 1
    (line,) = ran.err.splitlines()
    assert line.startswith(f"error: shot.png: {reason}")
    assert not (shot.parent / "camera.safetensors").exists()


def test_a_pair_of_two_scenes_is_refused(create: Run, save: Callable[..., Path]) -> None:
    pair = ("--ref", save("shot.png", noisy(scene())), "--ref-clean", save("pure.png", scene(1)))
    ran = create(*pair)
    assert ran.code == 1
    (line,) = ran.err.splitlines()
    assert line.startswith("error: shot.png: shows another scene than its clean")


@pytest.mark.parametrize(
    ("count", "reason"),
    [(1, "evening: a burst of 1"), (2, "evening: all 2 shots are the same picture")],
)
def test_no_burst_is_refused(
    create: Run, save: Callable[..., Path], count: int, reason: str
) -> None:
    for index in range(count):
        shot = save(f"evening/{index}.png", noisy(scene()))
    ran = create("--ref-burst", shot.parent)
    assert ran.code == 1
    (line,) = ran.err.splitlines()
    assert line.startswith(f"error: {reason}")


@pytest.mark.realdata
def test_real_pairs_of_two_scenes_are_refused(
    create: Run, save: Callable[..., Path], real_data: Path
) -> None:
    names = ("Canon5D2_toy", "Canon80D_ball", "Nikon800_map", "SonyA7II_class", "Nikon800_wall")
    place = (slice(256, 768), slice(256, 768))

    def cut(name: str) -> Any:
        return np.array(Image.open(real_data / "polyu" / f"{name}.JPG"))[place]

    for name, other in zip(names, (*names[1:], names[0]), strict=True):
        shot, pure = save("shot.png", cut(f"{name}_Real")), save("pure.png", cut(f"{other}_mean"))
        ran = create("--ref", shot, "--ref-clean", pure)
        assert ran.code == 1, (name, other)
        assert "shows another scene than its clean" in ran.err
