"""``noisegen study`` on a user's own folders, and on PolyU."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import pytest
from pictures import add_gaussian, scene
from study_pictures import write_pairs, write_png

Run = Callable[..., Any]

FAST = ("--steps", 4, "--seeds", 1, "--device", "cpu")


@pytest.fixture
def own(tmp_path: Path, weights_file: Path) -> list[object]:
    """Options of a study of own pictures: two to train on, one to test on, one reference."""
    real = write_pairs(tmp_path / "train", 2, 0)
    test = write_pairs(tmp_path / "test", 1, 50)
    reference = scene(128, 128, seed=90)
    write_png(tmp_path / "ref_clean.png", reference)
    write_png(tmp_path / "ref_noisy.png", add_gaussian(reference, 20, 90))
    return [
        "--real", real, "--test", f"seen={test}", "--ref", tmp_path / "ref_noisy.png",
        "--ref-clean", tmp_path / "ref_clean.png", "--weights", weights_file, *FAST,
    ]  # fmt: skip


@pytest.mark.slow
def test_own_folders(run: Run, own: list[object], tmp_path: Path) -> None:
    out = tmp_path / "study"
    ran = run("study", *own, "--out", out, "--json")
    assert ran.code == 0, ran.err
    found = ran.json
    assert found["pictures"] == {"real": 2, "few": 1, "references": 1, "seen": 1}
    assert [q["arm"] for q in found["qualities"]] == [
        "noisy", "real", "gaussian", "classical", "start", "generated", "lone", "drawn",
        "gaussian-0-50", "mixed-drawn", "mixed-25", "mixed-50", "mixed-75", "few",
        "few+gaussian", "few+generated",
    ]  # fmt: skip
    for name in ("table.md", "results.json", "summary.csv", "scores.csv", "curves.csv"):
        assert (out / name).stat().st_size
    assert not list(out.rglob("*.pt")) + list(out.rglob("*.pkl"))
    again = run("study", *own, "--out", out, "--plot", out / "curves.png")
    assert again.code == 0
    assert "against real" in again.out
    assert imagecodecs.png_decode((out / "curves.png").read_bytes()).shape[:2] == (672, 880)
    assert "few+generated against few: seen" in again.out
    quiet = run("study", *own, "--out", out, "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")


@pytest.mark.slow
def test_only_a_few_real_pairs_and_other_cleans(
    run: Run, own: list[object], tmp_path: Path
) -> None:
    write_png(tmp_path / "photos" / "a.png", scene(96, 128, seed=7))
    rest = own[2:]
    ran = run("study", *rest, "--clean", tmp_path / "photos", "--out", tmp_path / "s", "--json")
    assert ran.code == 0, ran.err
    arms = list(ran.json["arms"])
    assert arms == [
        "gaussian", "classical", "start", "generated", "lone", "drawn", "gaussian-0-50", "few",
        "few+gaussian", "few+generated",
    ]  # fmt: skip


@pytest.mark.slow
def test_a_new_cameras_pairs_are_mixed_in(run: Run, own: list[object], tmp_path: Path) -> None:
    other = scene(128, 128, seed=91)
    write_png(tmp_path / "new.png", add_gaussian(other, 8, 91))
    new = ("--new-ref", tmp_path / "new.png", "--arms", "new,mixed-50")
    ran = run("study", *own, *new, "--out", tmp_path / "s", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["arms"] == {
        "mixed-50": "real + 50 % generated from the new camera's references",
        "new": "generated from the new camera's references alone",
    }


def test_sixteen_bits(run: Run, tmp_path: Path, weights_file: Path) -> None:
    for name, first in (("test", 50), ("ref", 90)):
        for side, picture in (
            ("clean", scene(128, 128, seed=first)),
            ("noisy", add_gaussian(scene(128, 128, seed=first), 20, first)),
        ):
            write_png(tmp_path / name / side / f"{name}.png", picture.astype("uint16") * 16)
    write_png(tmp_path / "c.png", scene(64, 64, seed=3).astype("uint16") * 16)
    ran = run(
        "study", "--test", f"t={tmp_path}/test", "--ref", tmp_path / "ref/noisy", "--ref-clean",
        tmp_path / "ref/clean", "--clean", tmp_path / "c.png", "--arms", "generated,few", "--out",
        tmp_path / "s", "--weights", weights_file, *FAST, "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    noisy = ran.json["qualities"][0]
    assert 20 < noisy["psnr"] < 24


def refused(ran: Any, code: int, *words: str) -> None:
    assert ran.code == code, ran.err
    assert len(ran.err.splitlines()) == 1, ran.err
    for word in words:
        assert word in ran.err


def test_what_cannot_be_is_refused_in_one_line(run: Run, own: list[object], tmp_path: Path) -> None:
    out = ("--out", tmp_path / "s")
    refused(run("study", *out), 2, "--data", "--test NAME=DIR")
    refused(run("study", "--data", tmp_path, *own[:2], *out), 2, "--real beside --data")
    refused(run("study", "--data", tmp_path, *out), 2, "does not hold PolyU")
    refused(run("study", *own, *out, "--arms", "reel"), 2, "--arms reel", "choose of real")
    refused(run("study", *own, *out, "--arms", "new"), 2, "--arms new", "--new-ref")
    refused(run("study", *own, *out, "--size", "huge"), 2, "choose of small, nafnet, full")
    refused(run("study", *own[:2], "--test", "x", *own[4:], *out), 2, "--test x", "name of its own")
    refused(run("study", "--ref", "r.png", *own[2:4], *out), 2, "r.png")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    refused(run("study", *own, "--out", tmp_path / "full"), 1, "is not empty and not a study")
    assert not (tmp_path / "s").exists()


def test_what_is_learned_from_is_no_test(run: Run, own: list[object], tmp_path: Path) -> None:
    same = ("--test", f"train={tmp_path}/train")
    refused(run("study", *own, *same, "--out", tmp_path / "s"), 2, "is a picture of --test train")
    copied = tmp_path / "copied"
    shutil.copytree(tmp_path / "train", copied)
    renamed = ("--test", f"copied={copied}")
    refused(run("study", *own, *renamed, "--out", tmp_path / "s"), 2, "of --test copied")


def test_another_configuration_is_refused(run: Run, own: list[object], tmp_path: Path) -> None:
    out = ("--arms", "few", "--out", tmp_path / "s")
    assert run("study", *own, *out).code == 0
    refused(run("study", *own, *out, "--steps", 5, "--quiet"), 1, "steps 4, now 5", "another --out")


def test_bad_pictures_are_named_and_left_out(run: Run, own: list[object], tmp_path: Path) -> None:
    write_pairs(tmp_path / "train", 1, 5, side=24)
    ran = run("study", *own, "--arms", "few", "--out", tmp_path / "s")
    assert ran.code == 3
    assert "left out" in ran.err
    assert "is 24×24; a crop takes 48×48" in ran.err


@pytest.mark.slow
@pytest.mark.realdata
def test_polyu_keeps_references_apart_from_tests(real_data: Path) -> None:
    from noisegen.research.study.pictures import CAMERAS, camera_of, polyu_study

    data = polyu_study(real_data, lambda _: None, trained=1, tested=1)
    references = {r.name for order in data.extra for r in order.source.references}
    tested = {shot.scene for shots in data.tests.values() for shot in shots}
    assert references == {"SonyA7II_class", "SonyA7II_door"}
    assert {shot.scene for shot in data.tests["unseen"]} == {"SonyA7II_plant", "SonyA7II_stair"}
    assert {name: len(shots) for name, shots in data.tests.items()} | {"seen": 0, "unseen": 0} == {
        "seen": 0, "unseen": 0, "nam25": 25, "s95": 22, "micro": 2,
    }  # fmt: skip
    learned = {shot.scene for shot in (*data.real, *data.few)}
    assert not tested & (learned | references)
    assert {camera_of(scene) for scene in learned} == set(CAMERAS[:3])
    for shot, order in zip(data.real, data.references, strict=True):
        assert order.source.name.startswith(camera_of(shot.scene))
