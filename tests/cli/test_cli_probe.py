"""``noisegen probe`` on a user's own list of shots."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from browser import ask, found_browser
from pictures import add_gaussian, scene
from scipy.ndimage import gaussian_filter

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three scenes by each of two cameras: one's noise is white, the other's has a wide grain."""
    folder = tmp_path_factory.mktemp("shots")
    lines = ["noisy,clean,camera,iso,scene"]
    for index in range(3):
        clean = scene(256, 288, seed=index)
        imagecodecs.imwrite(folder / f"{index}.png", clean)
        white = add_gaussian(np.full_like(clean, 128), 8, index).astype(float) - 128
        grainy = 2 * gaussian_filter(white, (1, 1, 0)) * np.sqrt(4 * np.pi)
        for camera, noise in (("phone", white), ("old", grainy)):
            noisy = np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)
            imagecodecs.imwrite(folder / f"{camera}{index}.png", noisy)
            iso = 100 if index < 2 else 400
            lines.append(f"{camera}{index}.png,{index}.png,{camera},{iso},{index}")
    path = folder / "shots.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def probed(run: Run, shots: Path, weights_file: Path) -> tuple[Any, Path]:
    """What the command said, and its page."""
    out = shots.with_name("probe.html")
    ran = run("probe", shots, "--crops", 1, "--weights", weights_file, "--out", out, "--json")
    assert ran.code == 0, ran.err
    return ran, out


def test_two_cameras_are_told_apart(probed: tuple[Any, Path]) -> None:
    ran, out = probed
    # One scene alone has ISO 400.
    assert "warning: iso: to be told apart" in ran.err
    found = ran.json
    assert (found["crops"], found["scenes"]) == (6, 3)
    (question,) = found["questions"].values()
    assert question["majority"] == 0.5
    assert question["scenes"] == {"old": 3, "phone": 3}
    assert question["told"]["prompt"]["linear"]["accuracy"] == 1
    assert question["told"]["brightness alone"]["linear"]["accuracy"] <= 0.6
    assert len(found["components"]["places"]) == 6
    page = out.read_text(encoding="utf-8")
    assert len(re.findall(r"<use [^>]*fill: var\(--(?:B|generated)\)", page)) == 6
    assert "Prompts in two dimensions" in page
    assert "Camera, share of crops told right" in page


def test_the_same_page_every_time(
    run: Run, shots: Path, weights_file: Path, probed: tuple[Any, Path], tmp_path: Path
) -> None:
    fixed = ("probe", shots, "--crops", 1, "--weights", weights_file)
    again = run(*fixed, "--out", tmp_path / "again.html")
    assert again.code == 0
    assert "brightness alone" in again.out
    assert (tmp_path / "again.html").read_bytes() == probed[1].read_bytes()


def test_a_browser_shows_the_page(probed: tuple[Any, Path], tmp_path: Path) -> None:
    found_browser()
    question = """{
      overflow: page.documentElement.scrollWidth - frame.innerWidth,
      dots: [...page.querySelectorAll(".chart svg use")].filter(
        (dot) => !dot.style.fill.includes("soft")).length,
      colours: new Set([...page.querySelectorAll(".chart svg use")].map(
        (dot) => frame.getComputedStyle(dot).fill)).size,
    }"""
    for width in (360, 1200):
        found = ask(probed[1], width, question, tmp_path)
        assert found["overflow"] <= 0
        # Two of the dots, one of the marks along the axis.
        assert (found["dots"], found["colours"]) == (6, 3)


def test_shots_that_cannot_be_used_are_skipped_by_name(
    run: Run, shots: Path, weights_file: Path
) -> None:
    imagecodecs.imwrite(shots.with_name("small.png"), scene(40, 40))
    shots.with_name("broken.png").write_bytes(b"no picture")
    listed = shots.with_name("some.csv")
    extra = "small.png,,phone,100,5\nbroken.png,,phone,100,6\n"
    listed.write_text(shots.read_text() + extra)
    ran = run("probe", listed, "--crops", 1, "--weights", weights_file, "--json")
    assert ran.code == 3
    assert [one.split(":")[0] for one in ran.json["skipped"]] == [
        "small.png",
        str(shots.with_name("broken.png")),
    ]
    assert ran.json["crops"] == 6
    listed.write_text("noisy,camera\n" + "".join(f"small.png,{a}\n" for a in "abab"))
    assert run("probe", listed).code == 2  # one scene, as it is one file


def test_what_cannot_be_asked_is_said_in_a_line(run: Run, shots: Path, tmp_path: Path) -> None:
    (tmp_path / "taken.html").write_text("mine")
    alone = shots.with_name("alone.csv")
    alone.write_text("".join(shots.read_text().splitlines(keepends=True)[:2]))
    unnamed, empty = tmp_path / "unnamed.csv", tmp_path / "empty.csv"
    unnamed.write_text("noisy,camera\n,phone\n")
    empty.write_text("noisy,camera\n")
    for arguments, words in (
        ((alone, "--crops", 1), "to be told apart"),
        ((tmp_path / "none.csv",), "cannot be read as CSV"),
        ((unnamed,), "line 2: names no noisy file"),
        ((empty,), "lists no shot"),
        (("--data", tmp_path), "does not hold PolyU"),
        ((shots, "--out", tmp_path / "page.png"), "end its name in .html"),
        ((shots, "--out", tmp_path / "taken.html"), "taken.html"),
    ):
        ran = run("probe", *arguments)
        assert ran.code in (1, 2)
        assert words in ran.err
        assert len(ran.err.splitlines()) == 1
    assert (tmp_path / "taken.html").read_text() == "mine"


def test_without_scikit_learn_the_extra_is_named() -> None:
    script = "import sys; sys.modules['sklearn'] = None; from noisegen.cli.app import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", script, "probe"], capture_output=True, text=True, timeout=120
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "pip install '.[probe]'" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
