"""``noisegen synth`` end to end: what is written where, and what is said about it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import noisegen
from noisegen.files import pixel_hash, read_picture
from noisegen.profiles.profile import NoiseProfile

Contents = Callable[[Path], dict[str, bytes]]
Metadata = Callable[[Path], list[dict[str, Any]]]


def test_a_reference_and_a_folder_give_pairs(
    run: Callable[..., Any],
    camera: Path,
    cleans: Path,
    weights_file: Path,
    tmp_path: Path,
    contents: Contents,
) -> None:
    out = tmp_path / "new" / "pairs"
    ran = run(
        "synth", "--ref", camera / "noisy.png", "--ref-clean", camera / "clean.png",
        "--clean", cleans, "--out", out, "--weights", weights_file,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert ran.out.splitlines()[-1].startswith("wrote 3 pairs (")
    assert str(out) in ran.out
    names = {"a.png", "b.png", "sub/c.png"}
    assert set(contents(out)) == {
        *(f"{side}/{name}" for side in ("noisy", "clean") for name in names),
        "metadata.jsonl",
        "noisegen.json",
        "profiles/noisy.safetensors",
    }
    for name in names:
        assert (out / "clean" / name).read_bytes() == (cleans / name).read_bytes()
        noisy, clean = read_picture(out / "noisy" / name), read_picture(out / "clean" / name)
        assert noisy.pixels.shape == clean.pixels.shape
        residual = noisy.pixels.astype(float) - clean.pixels
        assert 2 < residual.std() < 30


def test_every_pair_has_its_line(
    synth: Callable[..., Any], cleans: Path, tmp_path: Path, metadata: Metadata
) -> None:
    assert synth(cleans).code == 0
    out = tmp_path / "pairs"
    lines = metadata(out)
    assert [line["seed_key"] for line in lines] == ["a.png", "b.png", "sub/c.png"]
    for line in lines:
        noisy, clean = (
            read_picture(out / line[f"{side}_file_name"]) for side in ("noisy", "clean")
        )
        assert line["noisy_file_name"] == f"noisy/{line['seed_key']}"
        assert line["clean_file_name"] == f"clean/{line['seed_key']}"
        assert line["noisy_sha256"] == pixel_hash(noisy)
        assert line["clean_sha256"] == pixel_hash(clean)
        assert (line["width"], line["height"]) == (noisy.width, noisy.height)
        assert (line["channels"], line["dtype"]) == (3, "uint8")
        assert (line["variant"], line["profile"], line["strength"]) == (0, "colour", 1.0)
        assert "crop" not in line


def test_the_recipe_decides_everything_and_names_no_machine(
    synth: Callable[..., Any], cleans: Path, tmp_path: Path, rgb_profile: Path, weights_file: Path
) -> None:
    assert synth(cleans, "--seed", 5, "--variants", 2, "--strength", "0.5:2").code == 0
    text = (tmp_path / "pairs" / "noisegen.json").read_text(encoding="utf-8")
    recipe = json.loads(text)
    profile = NoiseProfile.load(rgb_profile)
    assert recipe["profiles"] == [
        {
            "name": "colour",
            "file": "profiles/colour.safetensors",
            "sha256": profile.sha256,
            "made_from": None,
            "white_level": 255.0,
            "white_level_given": False,
        }
    ]
    assert recipe["weights"]["sha256"] == hashlib.sha256(weights_file.read_bytes()).hexdigest()
    assert recipe["licence"].startswith("what the weights' training data allow")
    assert recipe["options"]["seed"] == 5
    assert recipe["options"]["variants"] == 2
    assert recipe["options"]["strength"] == [0.5, 2.0]
    assert recipe["versions"]["noisegen"] == noisegen.__version__
    assert {"torch", "numpy"} <= set(recipe["versions"])
    assert str(tmp_path) not in text


def test_the_profiles_used_are_kept_beside_the_pairs(
    synth: Callable[..., Any], cleans: Path, tmp_path: Path, rgb_profile: Path
) -> None:
    assert synth(cleans).code == 0
    kept = NoiseProfile.load(tmp_path / "pairs" / "profiles" / "colour.safetensors")
    assert kept.sha256 == NoiseProfile.load(rgb_profile).sha256


def test_json_is_one_object_on_stdout(
    synth: Callable[..., Any], cleans: Path, tmp_path: Path
) -> None:
    ran = synth(cleans, "--json")
    assert ran.code == 0
    assert ran.json["pairs"] == 3
    assert ran.json["out"] == str(tmp_path / "pairs")
    assert ran.json["skipped"] == []
    assert ran.json["megapixels"] == pytest.approx((72 * 96 * 2 + 40 * 33) / 1e6)


def test_quiet_says_nothing(synth: Callable[..., Any], cleans: Path) -> None:
    ran = synth(cleans, "--quiet")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


@pytest.mark.parametrize("extra", [(), ("--json",), ("--patch", "32", "--per-image", "2")])
def test_dry_run_writes_nothing(
    synth: Callable[..., Any], cleans: Path, tmp_path: Path, extra: tuple[str, ...]
) -> None:
    ran = synth(cleans, "--dry-run", "--variants", 2, *extra)
    assert ran.code == 0, ran.err
    assert not (tmp_path / "pairs").exists()
    if "--json" in extra:
        assert (ran.json["images"], ran.json["pairs"]) == (3, 6)
        assert ran.json["megapixels"] == pytest.approx(2 * (72 * 96 * 2 + 40 * 33) / 1e6)
        assert ran.json["seconds"] > 0
        assert ran.json["megabytes"] > 0
    else:
        # Of a.png's 40×33 pixels two crops of 32×32 fit on the 8×8 grid.
        assert f"would write {12 if extra else 6} pairs" in ran.out


def test_one_clean_file_will_do(synth: Callable[..., Any], cleans: Path, tmp_path: Path) -> None:
    assert synth(cleans / "sub" / "c.png").code == 0
    assert (tmp_path / "pairs" / "noisy" / "c.png").is_file()


def test_an_estimated_clean_is_said_to_be_one(
    run: Callable[..., Any], camera: Path, cleans: Path, weights_file: Path, tmp_path: Path
) -> None:
    ran = run(
        "synth", "--ref", camera / "noisy.png", "--clean", cleans, "--out", tmp_path / "pairs",
        "--weights", weights_file,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert "estimated" in ran.err
    kept = NoiseProfile.load(tmp_path / "pairs" / "profiles" / "noisy.safetensors")
    assert kept.kind == "estimated"


def test_overwrite_replaces_the_dataset_and_nothing_else(
    synth: Callable[..., Any], cleans: Path, tmp_path: Path, contents: Contents
) -> None:
    out = tmp_path / "pairs"
    assert synth(cleans).code == 0
    (out / "notes.txt").write_text("mine")
    shutil.rmtree(cleans / "sub")
    ran = synth(cleans, "--overwrite")
    assert ran.code == 0, ran.err
    names = set(contents(out))
    assert "noisy/a.png" in names
    assert "noisy/sub/c.png" not in names
    assert (out / "notes.txt").read_text() == "mine"


def test_strength_scales_the_noise(synth: Callable[..., Any], cleans: Path, tmp_path: Path) -> None:
    levels = []
    for strength in ("0.5", "1.5"):
        out = tmp_path / strength
        assert synth(cleans / "b.png", "--strength", strength, out=out).code == 0
        clean = read_picture(cleans / "b.png").pixels.astype(float)
        levels.append(float(np.std(read_picture(out / "noisy" / "b.png").pixels - clean)))
    assert levels[1] / levels[0] == pytest.approx(3, rel=0.1)


def test_a_pattern_names_the_cleans_among_noisy_pictures(
    synth: Callable[..., Any], run: Callable[..., Any], cleans: Path, tmp_path: Path
) -> None:
    scenes = tmp_path / "scenes"
    for scene in ("1", "2"):
        (scenes / scene).mkdir(parents=True)
        for name in ("NOISY_010.png", "GT_010.png"):
            (scenes / scene / name).write_bytes((cleans / "b.png").read_bytes())
    whole = synth(scenes)
    assert "warning: 2 pictures among the cleans, as NOISY_010.png, have noise" in whole.err
    ran = synth(scenes / "*" / "GT*", "--overwrite")
    assert (ran.code, ran.err) == (0, "")
    noisy = tmp_path / "pairs" / "noisy"
    found = sorted(p.relative_to(noisy).as_posix() for p in noisy.rglob("*.png"))
    assert found == ["1/GT_010.png", "2/GT_010.png"]
    nothing = synth(scenes / "*" / "GT*.tif", "--overwrite")
    assert nothing.code == 2 and "GT*.tif: holds no picture" in nothing.err
    again = run("regenerate", tmp_path / "pairs", "--clean", scenes, "--out", tmp_path / "again")
    assert "a folder; name the recipe" in again.err
