"""``noisegen synth --draw``: pairs in the noise of simulated cameras."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noisegen.profiles.profile import NoiseProfile

Run = Callable[..., Any]
Contents = Callable[[Path], dict[str, bytes]]
DRAW = ("--draw", "phone:800-6400,microscope", "--seed", 3)


@pytest.fixture
def draw(run: Run, weights_file: Path, tmp_path: Path) -> Run:
    def invoke(clean: Path, *arguments: object, out: str = "pairs") -> Any:
        fixed = ("--clean", clean, "--weights", weights_file, "--device", "cpu")
        return run("synth", *fixed, "--out", tmp_path / out, *DRAW, *arguments)

    return invoke


@pytest.mark.slow
def test_each_picture_has_a_camera_and_all_is_made_again(
    draw: Run,
    run: Run,
    cleans: Path,
    scene: Callable[..., Any],
    write_png: Callable[..., Path],
    weights_file: Path,
    contents: Contents,
    metadata: Callable[[Path], list[dict[str, Any]]],
    tmp_path: Path,
) -> None:
    for path in sorted(cleans.rglob("*.png"))[1:]:
        path.unlink()
    write_png(cleans / "gray.png", scene(64, 64, 1))
    ran = draw(cleans)
    assert ran.code == 0, ran.err
    out = tmp_path / "pairs"
    recipe = json.loads((out / "noisegen.json").read_text())
    assert recipe["drawn"].startswith("phone:800-6400,microscope:100-6400; a camera for 1 of")
    names = [entry["name"] for entry in recipe["profiles"]]
    assert len(names) == 2
    assert sorted(line["profile"] for line in metadata(out)) == sorted(names)
    made = [NoiseProfile.load(out / entry["file"]) for entry in recipe["profiles"]]
    assert [profile.channels for profile in made] == [3, 1]
    assert run("verify", out).code == 0
    options = ("--clean", cleans, "--weights", weights_file, "--device", "cpu")
    again = run("regenerate", out / "noisegen.json", *options, "--out", tmp_path / "again")
    assert again.code == 0, again.err
    assert "all equal" in again.out
    assert contents(out) == contents(tmp_path / "again")


@pytest.mark.slow
def test_a_begun_dataset_goes_on_with_its_cameras(
    draw: Run, cleans: Path, contents: Contents, tmp_path: Path
) -> None:
    assert draw(cleans, "--per-camera", 3, "--shard", "1/2").code == 0
    before = contents(tmp_path / "pairs" / "profiles")
    assert len(before) == 1
    (cleans / "d.png").write_bytes((cleans / "b.png").read_bytes())
    ran = draw(cleans, "--per-camera", 3, "--shard", "2/2")
    assert ran.code == 0, ran.err
    assert contents(tmp_path / "pairs" / "profiles") == before
    other = draw(cleans, "--per-camera", 2)
    assert other.code == 1
    assert "a camera for 2 of the pictures, there" in other.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ("--ref", "--profile", "--blend", "--draw")),
        (("--draw", "phone", "--profile", "a.safetensors"), ("give one of --ref",)),
        (("--draw", "webcam"), ("draw webcam", "kind of phone")),
        (("--blend", "a:1", "--per-camera", 2), ("--per-camera belongs to --draw",)),
    ],
)
def test_what_cannot_be_drawn_is_told(
    arguments: tuple[object, ...], words: tuple[str, ...], refused: Callable[..., None]
) -> None:
    refused(*arguments, code=2, words=words)


def test_more_cameras_than_a_recipe_names_are_refused_before_any_is_drawn(
    draw: Run, cleans: Path, tmp_path: Path
) -> None:
    ran = draw(cleans, "--variants", 1000)
    assert ran.code == 2
    assert "3000 cameras for 3 pictures" in ran.err
    assert "--per-camera 2 or more" in ran.err
    assert not (tmp_path / "pairs").exists()


def test_gray_pictures_that_came_later_are_told_what_they_lack(
    run: Run, tmp_path: Path, write_png: Callable[..., Path], scene: Callable[..., Any]
) -> None:
    cleans = tmp_path / "cleans"
    write_png(cleans / "a.png", scene(64, 64))
    command = ("synth", "--draw", "phone:800", "--clean", cleans, "--out", tmp_path / "pairs")
    assert run(*command).code == 0
    write_png(cleans / "gray.png", scene(64, 64, 1))
    ran = run(*command)
    assert ran.code == 3
    assert "cameras drawn for gray ones, in another folder" in ran.err
