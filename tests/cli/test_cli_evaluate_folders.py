"""``noisegen evaluate --real DIR --synth DIR``."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from inspect import getdoc
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from pictures import add_gaussian, scene

from noisegen.cli.score_commands import Evaluate
from noisegen.evaluation.noise_summary import VARIANTS

Run = Callable[..., Any]
Pixels = NDArray[Any]


def write(path: Path, pixels: Pixels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(imagecodecs.png_encode(pixels.squeeze()))


def write_pairs(
    folder: Path,
    sigma: float,
    seed: int = 0,
    names: tuple[str, ...] = ("a", "sub/b"),
    first: int = 0,
) -> Path:
    """Pairs of Gaussian noise; ``first`` is the first picture's number."""
    for index, name in enumerate(names):
        clean = scene(96, 120, seed=first + index)
        write(folder / "clean" / f"{name}.png", clean)
        write(folder / "noisy" / f"{name}.png", add_gaussian(clean, sigma, seed + index))
    return folder


@pytest.fixture
def real(tmp_path: Path) -> Path:
    return write_pairs(tmp_path / "real", 10)


def test_the_same_pictures_are_compared_one_by_one(run: Run, real: Path, tmp_path: Path) -> None:
    """σ 12 against 10: a relative error of 0.2, half an octave · 0.526 at every intensity."""
    synth = write_pairs(tmp_path / "synth", 12, seed=50)
    ran = run("evaluate", "--real", real, "--synth", synth, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["paired"] is True
    assert ran.json["pictures"] == {"real": 2, "synth": 2}
    row = ran.json["rows"]["synthetic"]
    for channel in ("all", "R", "G", "B"):
        assert row[channel]["sigma"]["mean"] == pytest.approx(0.2, abs=0.02)
        assert row[channel]["level"]["together"] == pytest.approx(np.log2(1.2), abs=0.05)
        assert row[channel]["akld"]["together"] is None
        assert row[channel]["akld"]["mean"] > 0.01
    assert {one["image"] for one in ran.json["images"]} == {"a", "sub/b"}
    assert len(ran.json["images"]) == 2 * 4
    middle = next(b for b in ran.json["intensity"] if b["channel"] == "G" and b["from"] == 0.5)
    assert 255 * middle["real_sigma"] == pytest.approx(10, rel=0.05)
    assert 255 * middle["synth_sigma"] == pytest.approx(12, rel=0.05)


def test_equal_pairs_are_equal(run: Run, real: Path) -> None:
    values = run("evaluate", "--real", real, "--synth", real, "--json").json["rows"]["synthetic"]
    assert max(figure["mean"] for figure in values["all"].values()) < 1e-9


def test_planes_of_stacks_are_compared_one_by_one(run: Run, tmp_path: Path) -> None:
    """The second plane's noise has twice the strength."""
    clean = np.stack([scene(96, 120, 1, seed) for seed in (1, 2)])[..., 0]
    for side, sigma in (("real", 10), ("synth", 20)):
        noisy = np.stack(
            [add_gaussian(clean[0], 10, seed=sigma), add_gaussian(clean[1], sigma, seed=sigma)]
        )
        for name, stack in (("noisy", noisy), ("clean", clean)):
            folder = tmp_path / side / name
            folder.mkdir(parents=True)
            tifffile.imwrite(folder / "a.tif", stack, photometric="minisblack")
    ran = run("evaluate", "--real", tmp_path / "real", "--synth", tmp_path / "synth", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["pictures"] == {"real": 2, "synth": 2}
    found = {one["image"]: one["sigma"] for one in ran.json["images"] if one["channel"] == "all"}
    assert found == {"a#1": pytest.approx(0, abs=0.03), "a#2": pytest.approx(1, abs=0.05)}


@pytest.mark.parametrize("shape", [(40, 40), (4, 40, 40)])
def test_floats_are_refused_by_what_they_are(
    run: Run, tmp_path: Path, shape: tuple[int, ...]
) -> None:
    for side in ("noisy", "clean"):
        (tmp_path / side).mkdir()
        pixels = np.zeros(shape, np.float32)
        tifffile.imwrite(tmp_path / side / "a.tif", pixels, photometric="minisblack")
    ran = run("evaluate", "--real", tmp_path, "--synth", tmp_path)
    assert ran.code == 2
    assert "a.tif: is of float32: to be compared, convert it to 8 or 16 unsigned bits" in ran.err


def test_the_table_fits_a_terminal_of_80(
    run: Run, real: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = run("evaluate", "--real", real, "--synth", real).out
    assert "…" not in shown
    assert "│ synthetic │" in shown
    # Its right border is there.
    assert all(line[-1] in "┓┃┩│┘" for line in shown.splitlines() if line[0] in "┏┃┡│└")


def test_other_pictures_are_compared_all_together(run: Run, real: Path, tmp_path: Path) -> None:
    """Of equal names too: the cleans decide."""
    synth = write_pairs(tmp_path / "synth", 12, names=("a", "sub/b", "c"), first=7)
    ran = run("evaluate", "--real", real, "--synth", synth)
    assert ran.code == 0, ran.err
    assert "2 real and 3 synthetic pictures" in ran.out
    assert "picture by picture" not in ran.out
    values = run("evaluate", "--real", real, "--synth", synth, "--json").json
    assert values["paired"] is False
    assert values["images"] == []
    figures = values["rows"]["synthetic"]["all"]
    assert "akld" not in figures
    assert figures["sigma"]["mean"] is None
    assert figures["sigma"]["together"] == pytest.approx(0.2, abs=0.03)


def test_references_bring_the_baselines(
    run: Run, real: Path, tmp_path: Path, weights_file: Path
) -> None:
    clean = scene(192, 192, seed=9)
    write(tmp_path / "ref.png", add_gaussian(clean, 10))
    write(tmp_path / "ref_clean.png", clean)
    synth = write_pairs(tmp_path / "synth", 20, seed=50)
    fixed = ("--weights", weights_file, "--device", "cpu", "--json")
    refs = ("--ref", tmp_path / "ref.png", "--ref-clean", tmp_path / "ref_clean.png")
    ran = run("evaluate", "--real", real, "--synth", synth, *refs, *fixed)
    assert ran.code == 0, ran.err
    rows = ran.json["rows"]
    assert list(rows) == ["synthetic", "gaussian", "noisegen", "floor"]
    for name in ("gaussian", "noisegen", "floor"):
        assert rows[name]["all"]["kld"]["mean"] < 0.1 * rows["synthetic"]["all"]["kld"]["mean"]
    assert {one["row"] for one in ran.json["images"]} == set(rows)


def test_a_gray_profile_is_no_baseline_of_rgb(
    run: Run, real: Path, gray_profile: Path, weights_file: Path
) -> None:
    ran = run(
        "evaluate", "--real", real, "--synth", real, "--profile", gray_profile,
        "--weights", weights_file,
    )  # fmt: skip
    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert "other channels" in ran.err


def test_csv_holds_every_picture_and_channel(run: Run, real: Path, tmp_path: Path) -> None:
    synth = write_pairs(tmp_path / "synth", 12, seed=50)
    out = tmp_path / "tables"
    command = ("evaluate", "--real", real, "--synth", synth, "--kld", "henz", "--csv", out)
    assert run(*command).code == 0
    with (out / "scores.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == (2 + 3) * 4
    values = run(*command[:-2], "--json").json
    for one in values["images"]:
        line = next(
            x for x in lines if (x["image"], x["channel"]) == (one["image"], one["channel"])
        )
        assert float(line["kld henz"]) == one["kld henz"]
    with (out / "intensity.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(values["intensity"])
    again = run(*command)
    assert again.code == 1
    assert "scores.csv: is there already" in again.err


def test_two_folders_a_side_and_other_endings(run: Run, real: Path, tmp_path: Path) -> None:
    """A real noisy TIFF belongs to the clean PNG of its name."""
    noisy = scene(96, 120, seed=0)
    path = tmp_path / "shots" / "a.tif"
    path.parent.mkdir()
    path.write_bytes(imagecodecs.tiff_encode(add_gaussian(noisy, 10), photometric="rgb"))
    spec = f"{path.parent}:{real / 'clean'}"
    ran = run("evaluate", "--real", spec, "--synth", real, "--json")
    assert ran.code == 3
    assert "b.png: has no counterpart" in ran.err
    assert ran.json["pictures"] == {"real": 1, "synth": 1}


def test_sidd_as_it_is_unpacked_and_numbers_and_two_files(
    run: Run, real: Path, tmp_path: Path
) -> None:
    """The pairs of a set in other people's layouts: all of them are the same pairs."""
    sidd = tmp_path / "Data"
    for index, name in enumerate(("a.png", "sub/b.png")):
        for side, there in (("noisy", "NOISY"), ("clean", "GT")):
            pixels = imagecodecs.png_decode((real / side / name).read_bytes())
            write(sidd / f"000{index}_S6" / f"{there}_SRGB_010.PNG", pixels)
            number = f"{index:03d}" if side == "noisy" else index
            write(tmp_path / side / f"{there}_{number}.png", pixels)
    for place in (
        f"{sidd}",
        f"{sidd}/*/NOISY*.PNG:{sidd}/*/GT*.PNG",
        f"{tmp_path / 'noisy'}:{tmp_path / 'clean'}",
    ):
        ran = run("evaluate", "--real", place, "--synth", real, "--json")
        assert ran.code == 0, ran.err
        assert ran.json["pictures"] == {"real": 2, "synth": 2}
        assert ran.json["rows"]["synthetic"]["all"]["sigma"]["together"] < 1e-9
    shot, truth = (real / side / "a.png" for side in ("noisy", "clean"))
    ran = run("evaluate", "--real", f"{shot}:{truth}", "--synth", real, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["pictures"]["real"] == 1
    (sidd / "0001_S6" / "GT_SRGB_010.PNG").unlink()
    assert run("evaluate", "--real", sidd, "--synth", real).code == 2


def test_metadata_names_the_pairs(run: Run, real: Path, tmp_path: Path) -> None:
    listed = tmp_path / "listed"
    write_pairs(listed, 10)
    (listed / "clean" / "a.png").rename(listed / "clean" / "truth.png")
    lines = [{"noisy_file_name": "noisy/a.png", "clean_file_name": "clean/truth.png"}]
    (listed / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    ran = run("evaluate", "--real", real, "--synth", listed, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["pictures"]["synth"] == 1
    assert "1 pair on one side only" in ran.err
    lines[0]["clean_file_name"] = "../real/clean/a.png"
    (listed / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert "would leave its folder" in run("evaluate", "--real", real, "--synth", listed).err


@pytest.mark.parametrize("layout", ["folders", "webdataset", "lmdb"])
def test_datasets_of_ours_in_any_layout(
    run: Run, synth: Run, cleans: Path, tmp_path: Path, layout: str
) -> None:
    made = synth(cleans, "--layout", layout, out=tmp_path / layout)
    assert made.code == 0, made.err
    synth(cleans, "--seed", "1", out=tmp_path / "other")
    ran = run("evaluate", "--real", tmp_path / "other", "--synth", tmp_path / layout, "--json")
    assert ran.code == 0, ran.err
    assert (ran.json["paired"], ran.json["pictures"]["synth"]) == (True, 3)
    assert ran.json["rows"]["synthetic"]["all"]["sigma"]["together"] < 0.1


def test_what_an_archive_holds_is_named_as_in_the_dataset(
    run: Run, synth: Run, real: Path, cleans: Path, tmp_path: Path
) -> None:
    write(cleans / "deep.png", scene(64, 64).astype(np.uint16) * 257)
    assert synth(cleans, "--layout", "webdataset", out=tmp_path / "tars").code == 0
    ran = run("evaluate", "--real", real, "--synth", tmp_path / "tars", "--json")
    assert ran.code == 3
    (skipped,) = ran.json["skipped"]
    assert skipped.startswith(f"{tmp_path / 'tars' / 'noisy' / 'deep.png'}: is RGB of 16 bits")


def test_16_bits_find_their_white_level(run: Run, tmp_path: Path) -> None:
    for side, seed in (("real", 0), ("synth", 1)):
        clean = scene(96, 96, channels=1).astype(np.uint16) * 16
        noise = np.random.default_rng(seed).normal(0, 100, clean.shape)
        write(tmp_path / side / "clean" / "a.png", clean)
        noisy = np.clip(np.rint(clean + noise), 0, 4095).astype(np.uint16)
        write(tmp_path / side / "noisy" / "a.png", noisy)
    command = ("evaluate", "--real", tmp_path / "real", "--synth", tmp_path / "synth")
    ran = run(*command, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["white_level"] == 4095
    assert "white level 4095" in ran.err
    level = [b["real_sigma"] for b in ran.json["intensity"] if b["real_pixels"] > 500]
    assert np.mean(level) == pytest.approx(100 / 4095, rel=0.05)
    low = run(*command, "--white-level", 1023)
    assert low.code == 1
    assert "--white-level" in low.err.splitlines()[-1]


def test_sides_of_two_white_levels_are_doubted(run: Run, tmp_path: Path) -> None:
    """12 bits in 16 beside all 16, of pictures that only one side shows."""
    for side, step, seed in (("real", 1, 0), ("synth", 16, 1)):
        clean = scene(96, 96, channels=1, seed=seed).astype(np.uint16) * 16 * step
        noise = np.random.default_rng(seed).normal(0, 100 * step, clean.shape)
        write(tmp_path / side / "clean" / f"{side}.png", clean)
        noisy = np.clip(np.rint(clean + noise), 0, 4095 * step).astype(np.uint16)
        write(tmp_path / side / "noisy" / f"{side}.png", noisy)
    ran = run("evaluate", "--real", tmp_path / "real", "--synth", tmp_path / "synth", "--json")
    assert "4095" in ran.err
    assert "bring them to one white level" in ran.err


def test_a_stack_beside_one_clean_is_named(run: Run, tmp_path: Path) -> None:
    rng, folder = np.random.default_rng(0), tmp_path / "stack"
    for part, shape in (("noisy", (3, 64, 64)), ("clean", (64, 64))):
        (folder / part).mkdir(parents=True)
        pixels = rng.integers(0, 255, shape, np.uint8)
        tifffile.imwrite(folder / part / "s.tif", pixels, photometric="minisblack")
    ran = run("evaluate", "--real", folder, "--synth", folder)
    assert "s.tif: is one picture, its counterpart a stack; make them alike" in ran.err


def test_pairs_of_one_side_are_named(run: Run, real: Path, tmp_path: Path) -> None:
    synth = write_pairs(tmp_path / "synth", 12, seed=50, names=("a", "other"))
    ran = run("evaluate", "--real", real, "--synth", synth, "--json")
    assert ran.json["left_out"] == ["real sub/b", "synthetic other"]
    assert "2 pairs on one side only (real sub/b, synthetic other)" in ran.err


def test_what_cannot_be_compared_is_named(run: Run, real: Path, tmp_path: Path) -> None:
    synth = write_pairs(tmp_path / "synth", 12, seed=50)
    (synth / "noisy" / "a.png").write_bytes(b"no picture")
    ran = run("evaluate", "--real", real, "--synth", synth, "--json")
    assert ran.code == 3
    assert len(ran.json["skipped"]) == 1
    assert "a.png" in ran.json["skipped"][0]
    write(synth / "noisy" / "a.png", scene(50, 50))
    assert "not of its clean's size" in run("evaluate", "--real", real, "--synth", synth).err


def test_usage_is_checked(run: Run, real: Path, tmp_path: Path) -> None:
    gray = tmp_path / "gray"
    write(gray / "noisy" / "a.png", scene(32, 32, 1))
    write(gray / "clean" / "a.png", scene(32, 32, 1))
    (tmp_path / "empty").mkdir()
    both = ("--real", real, "--synth", real)
    for arguments, words in (
        (("--real", real), "go together"),
        ((*both, "--split", "gaussian"), "do not go with"),
        ((*both, "--kld", "png"), "choose of naflow"),
        ((*both, "--device", "nope"), "nope"),
        ((*both, "--white-level", 100), "pictures of 8 bits have 255"),
        ((*both, "--ref-clean", real), "--ref-clean belongs to --ref"),
        ((*both, "--ref", real, "--profile", real), "give one"),
        ((*both, "--white-level", -3), "above 0"),
        (("--kld", "henz"), "belongs to --real"),
        (("--real", tmp_path / "no", "--synth", real), "no such folder"),
        (("--real", tmp_path / "empty", "--synth", real), "holds neither"),
        (("--real", real, "--synth", gray), "compare pictures of one kind"),
    ):
        ran = run("evaluate", *arguments)
        assert ran.code == 2, ran.err
        assert words in ran.err
        assert len(ran.err.splitlines()) == 1


def test_weights_that_do_not_count_must_be_there_all_the_same(run: Run, real: Path) -> None:
    ran = run("evaluate", "--real", real, "--synth", real, "--weights", "nope")
    assert (ran.code, "nope: no such weights" in ran.err) == (1, True)


def test_set_metrics_want_several_pictures(run: Run, tmp_path: Path) -> None:
    one = write_pairs(tmp_path / "one", 10, names=("a",))
    ran = run("evaluate", "--real", one, "--synth", one, "--set-metrics", "--json")
    assert ran.code == 0
    assert ran.json["sets"] == {}
    assert "two pictures or more" in ran.err


@pytest.mark.slow
def test_set_metrics_of_folders(run: Run, real: Path, tmp_path: Path) -> None:
    synth = write_pairs(tmp_path / "synth", 25, seed=50)
    ran = run("evaluate", "--real", real, "--synth", synth, "--set-metrics", "--json")
    found = ran.json["sets"]["synthetic"]
    assert found["mmd"] > 0.1
    assert found["told_apart"]["chance"] == 0.5
    assert found["told_apart"]["low"] > 0.9


def test_every_divergence_is_defined_in_the_help() -> None:
    words = getdoc(Evaluate) or ""
    assert all(f"\n\n{name} (" in words for name in VARIANTS)
