"""``noisegen profile draw``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noisegen.profiles.profile import NoiseProfile

Run = Callable[..., Any]


@pytest.fixture
def draw(run: Run, weights_file: Path, tmp_path: Path) -> Run:
    def invoke(*arguments: object, out: str = "camera.safetensors") -> Any:
        fixed = ("--out", tmp_path / out, "--weights", weights_file)
        return run("profile", "draw", *fixed, *arguments)

    return invoke


def test_a_camera_is_a_file_and_several_a_folder(draw: Run, tmp_path: Path) -> None:
    ran = draw("--kind", "phone", "--iso", 100, out="camera")
    assert ran.code == 2
    assert "camera: of one camera it is a file; end its name in .safetensors" in ran.err
    assert not (tmp_path / "camera").exists()


def test_draw_writes_a_camera_that_show_knows(draw: Run, run: Run, tmp_path: Path) -> None:
    asked = ("--kind", "phone", "--iso", 1600, "--seed", 2)
    ran = draw(*asked)
    assert ran.code == 0, ran.err
    file = tmp_path / "camera.safetensors"
    assert ran.out.startswith(f"wrote {file}: a simulated phone at ISO 1600, seed 2: full well")
    assert NoiseProfile.load(file).kind == "drawn"
    assert "a simulated camera" in run("profile", "show", file).out
    again = draw(*asked)
    assert again.code == 1
    assert "--overwrite" in again.err


def test_draw_makes_several_into_a_folder(draw: Run, tmp_path: Path) -> None:
    asked = ("--kind", "microscope", "--iso", 800, "--gray", "--json")
    ran = draw(*asked, "--count", 2, out="cameras")
    assert ran.code == 0, ran.err
    files = sorted((tmp_path / "cameras").iterdir())
    assert [f.name for f in files] == [f"microscope-iso800-{seed}.safetensors" for seed in (0, 1)]
    assert [p["channels"] for p in ran.json["profiles"]] == [1, 1]
    second = draw(*asked, "--seed", 1, out="second.safetensors").json
    assert second["sha256"] == ran.json["profiles"][1]["sha256"]


@pytest.mark.parametrize(
    ("kind", "iso", "words"),
    [
        ("webcam", 800, "--kind webcam: choose of phone"),
        ("phone", 1, "--iso 1: give an ISO from 10 to"),
    ],
)
def test_draw_says_what_there_is(
    kind: str, iso: float, words: str, draw: Run, tmp_path: Path
) -> None:
    ran = draw("--kind", kind, "--iso", iso)
    assert ran.code == 2
    assert words in ran.err
    assert len(ran.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
