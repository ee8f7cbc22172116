"""A pixel depends on weights, profile, clean, seed, relative path and variant: on nothing else."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from noisegen.files import read_picture
from noisegen.profiles.profile import NoiseProfile

Synth = Callable[..., Any]
Contents = Callable[[Path], dict[str, bytes]]
Metadata = Callable[[Path], list[dict[str, Any]]]


def test_the_same_command_gives_the_same_bytes(
    synth: Synth, cleans: Path, tmp_path: Path, contents: Contents
) -> None:
    options = ("--variants", 2, "--strength", "0.5:2", "--patch", 24, "--per-image", 2)
    for name in ("first", "second"):
        assert synth(cleans, *options, out=tmp_path / name).code == 0
    assert contents(tmp_path / "first") == contents(tmp_path / "second")


@pytest.mark.parametrize("options", [("--tile", 64), ("--tile", 1)])
def test_tiles_change_nothing(
    synth: Synth, cleans: Path, tmp_path: Path, contents: Contents, options: tuple[object, ...]
) -> None:
    assert synth(cleans).code == 0
    assert synth(cleans, *options, out=tmp_path / "tiled").code == 0
    assert contents(tmp_path / "pairs") == contents(tmp_path / "tiled")


def test_an_image_alone_gives_what_it_gives_among_others(
    synth: Synth, cleans: Path, tmp_path: Path, contents: Contents
) -> None:
    options = ("--variants", 2, "--strength", "0.5:2")
    assert synth(cleans, *options).code == 0
    assert synth(cleans / "b.png", *options, out=tmp_path / "alone").code == 0
    whole = contents(tmp_path / "pairs")
    for name, data in contents(tmp_path / "alone").items():
        if name.startswith("noisy/"):
            assert whole[name] == data


def test_two_cleans_of_one_content_get_different_noise(
    synth: Synth, cleans: Path, tmp_path: Path
) -> None:
    shutil.copyfile(cleans / "b.png", cleans / "sub" / "b.png")
    assert synth(cleans).code == 0
    noisy = tmp_path / "pairs" / "noisy"
    assert (noisy / "b.png").read_bytes() != (noisy / "sub" / "b.png").read_bytes()


def test_the_seed_changes_every_picture(synth: Synth, cleans: Path, tmp_path: Path) -> None:
    assert synth(cleans).code == 0
    assert synth(cleans, "--seed", 1, out=tmp_path / "other").code == 0
    for name in ("a.png", "b.png", "sub/c.png"):
        first, second = (
            (tmp_path / folder / "noisy" / name).read_bytes() for folder in ("pairs", "other")
        )
        assert first != second


def test_unicode_forms_of_a_name_are_one_key(
    synth: Synth, cleans: Path, tmp_path: Path, metadata: Metadata
) -> None:
    """Some file systems give back the decomposed form of what was written composed."""
    noisy = []
    for form in ("NFC", "NFD"):
        folder, name = tmp_path / form, unicodedata.normalize(form, "été.png")
        folder.mkdir()
        shutil.copyfile(cleans / "b.png", folder / name)
        out = tmp_path / f"out{form}"
        assert synth(folder, out=out).code == 0
        (line,) = metadata(out)
        assert line["seed_key"] == "été.png"
        noisy.append(read_picture(out / line["noisy_file_name"]).pixels)
    assert np.array_equal(noisy[0], noisy[1])


def test_crops_are_crops_of_the_whole(
    synth: Synth, cleans: Path, tmp_path: Path, metadata: Metadata
) -> None:
    assert synth(cleans, "--variants", 2).code == 0
    out = tmp_path / "crops"
    options = ("--variants", 2, "--patch", 32, "--per-image", 3)
    assert synth(cleans, *options, out=out).code == 0
    places: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for line in metadata(out):
        y, x = line["crop"]
        places.setdefault((line["seed_key"], line["variant"]), []).append((y, x))
        stem = line["seed_key"].removesuffix(".png")
        assert line["noisy_file_name"].startswith(f"noisy/{stem}_p")
        assert (line["width"], line["height"]) == (32, 32)
        for side, whole in (("noisy", f"{stem}_v{line['variant']}.png"), ("clean", None)):
            path = cleans / line["seed_key"] if whole is None else tmp_path / "pairs/noisy" / whole
            crop = read_picture(out / line[f"{side}_file_name"]).pixels
            assert np.array_equal(crop, read_picture(path).pixels[y : y + 32, x : x + 32])
    for (key, _), corners in places.items():
        assert len(set(corners)) == len(corners) == (2 if key == "a.png" else 3)
        assert all(y % 8 == x % 8 == 0 for y, x in corners)
        assert places[key, 0] == places[key, 1]


def test_variants_are_different_noise_on_one_clean(
    synth: Synth, cleans: Path, tmp_path: Path, contents: Contents, metadata: Metadata
) -> None:
    assert synth(cleans, "--variants", 3).code == 0
    out = tmp_path / "pairs"
    files = contents(out)
    assert len(metadata(out)) == 9
    assert [line["variant"] for line in metadata(out)[:3]] == [0, 1, 2]
    assert len({files[f"noisy/sub/c_v{variant}.png"] for variant in range(3)}) == 3
    for variant in range(3):
        assert files[f"clean/sub/c_v{variant}.png"] == (cleans / "sub" / "c.png").read_bytes()


def test_the_first_variant_is_the_only_one_of_fewer(
    synth: Synth, cleans: Path, tmp_path: Path
) -> None:
    assert synth(cleans).code == 0
    assert synth(cleans, "--variants", 2, out=tmp_path / "two").code == 0
    assert (tmp_path / "pairs/noisy/b.png").read_bytes() == (
        tmp_path / "two/noisy/b_v0.png"
    ).read_bytes()


def test_strengths_of_a_range_are_drawn_and_recorded(
    synth: Synth, cleans: Path, tmp_path: Path, metadata: Metadata
) -> None:
    assert synth(cleans, "--strength", "0.25:4", "--variants", 8).code == 0
    lines = metadata(tmp_path / "pairs")
    strengths = [line["strength"] for line in lines]
    assert all(0.25 <= strength <= 4 for strength in strengths)
    assert len(set(strengths)) == len(strengths) == 24
    assert min(strengths) < 0.7 < 1.5 < max(strengths)
    levels = [
        np.std(
            read_picture(tmp_path / "pairs" / line["noisy_file_name"]).pixels.astype(float)
            - read_picture(tmp_path / "pairs" / line["clean_file_name"]).pixels
        )
        for line in lines
    ]
    assert np.corrcoef(strengths, levels)[0, 1] > 0.98


def test_a_drawn_strength_is_what_it_says(
    synth: Synth, cleans: Path, tmp_path: Path, metadata: Metadata
) -> None:
    """The range only draws: the same factor given by hand makes the same pixels."""
    assert synth(cleans / "b.png", "--strength", "0.5:2").code == 0
    (line,) = metadata(tmp_path / "pairs")
    fixed = tmp_path / "fixed"
    assert synth(cleans / "b.png", "--strength", repr(line["strength"]), out=fixed).code == 0
    assert (fixed / "noisy/b.png").read_bytes() == (tmp_path / "pairs/noisy/b.png").read_bytes()


def test_several_profiles_are_drawn_and_kept(
    synth: Synth,
    cleans: Path,
    tmp_path: Path,
    metadata: Metadata,
    make_profile: Callable[..., Path],
) -> None:
    first, second = make_profile("camera", seed=1), make_profile("camera", seed=2)
    ran = synth(cleans, "--profile", first, "--profile", second, "--variants", 8)
    assert ran.code == 0
    out = tmp_path / "pairs"
    names = [line["profile"] for line in metadata(out)]
    assert set(names) == {"camera", "camera-2"}
    kept = {path.stem: NoiseProfile.load(path) for path in (out / "profiles").iterdir()}
    assert set(kept) == {"camera", "camera-2"}
    assert np.array_equal(kept["camera"].tokens, NoiseProfile.load(first).tokens)
    assert np.array_equal(kept["camera-2"].tokens, NoiseProfile.load(second).tokens)


def test_profiles_are_drawn_among_those_that_fit(
    synth: Synth,
    cleans: Path,
    tmp_path: Path,
    metadata: Metadata,
    scene: Callable[..., Any],
    write_png: Callable[[Path, Any], Path],
    rgb_profile: Path,
    gray_profile: Path,
) -> None:
    write_png(cleans / "gray.png", scene(channels=1))
    ran = synth(cleans, "--profile", rgb_profile, "--profile", gray_profile, "--variants", 4)
    assert ran.code == 0, ran.err
    for line in metadata(tmp_path / "pairs"):
        assert line["profile"] == ("gray" if line["seed_key"] == "gray.png" else "colour")
        assert line["channels"] == (1 if line["seed_key"] == "gray.png" else 3)
