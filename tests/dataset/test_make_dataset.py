"""The library's call makes the very files that the command makes."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from dataset_runs import Camera, files_in, run

import noisegen
from noisegen import DatasetOptions, RunOptions

OPTIONS = DatasetOptions(seed=3, variants=2, strength=(0.5, 2.0), patch=32, per_image=2)
CPU = RunOptions(device="cpu")


@pytest.fixture(scope="module")
def commanded(
    camera: Camera, photos: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("commanded") / "pairs"
    more = ("--seed", 3, "--variants", 2, "--strength", "0.5:2", "--patch", 32, "--per-image", 2)
    assert run(*camera.synth(photos, out, *more))[0] == 3
    return files_in(out)


def test_files_and_outcomes_are_those_of_the_command_and_a_call_cut_short_goes_on(
    camera: Camera, photos: Path, commanded: dict[str, bytes], tmp_path: Path
) -> None:
    out, weights = tmp_path / "pairs", str(camera.weights)
    profile = noisegen.NoiseProfile.load(camera.profile)
    begun = noisegen.make_dataset(
        photos, out, profile, weights=weights, options=OPTIONS, run=CPU
    )  # fmt: skip
    # No more is taken than three: the rest is left to the next call.
    assert all(done.pairs for done in islice(begun, 3))
    del begun
    assert not (out / "metadata.jsonl").exists()
    again = list(
        noisegen.make_dataset(
            str(photos), str(out), str(camera.profile), weights=weights, options=OPTIONS, run=CPU
        )
    )
    assert len(again) == 20
    assert sum(done.kept for done in again) >= 3
    assert sum(done.pairs for done in again) == len(commanded_pairs(commanded))
    assert files_in(out) == commanded


def test_cameras_are_drawn_as_the_command_draws_them(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    options, more = DatasetOptions(seed=3, patch=32), ("--seed", 3, "--patch", 32)
    draw: dict[str, Any] = {"draw": "phone:800-6400,dslr", "per_camera": 12}
    weights = str(camera.weights)
    same: dict[str, Any] = {"weights": weights, "options": options, "run": CPU}
    list(noisegen.make_dataset(photos, tmp_path / "called", **draw, **same))
    fixed = ("--clean", photos, "--weights", weights, "--device", "cpu", *more)
    drawn = ("--draw", draw["draw"], "--per-camera", draw["per_camera"])
    assert run("synth", *fixed, *drawn, "--out", tmp_path / "commanded")[0] == 3
    assert files_in(tmp_path / "called") == files_in(tmp_path / "commanded")


def commanded_pairs(files: dict[str, bytes]) -> list[str]:
    return [name for name in files if name.startswith("noisy/")]


def test_what_cannot_be_is_refused_by_the_call_itself_and_nothing_is_written(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    out, weights = tmp_path / "pairs", str(camera.weights)
    with pytest.raises(noisegen.NoisegenError, match="no such file or folder"):
        noisegen.make_dataset(tmp_path / "none", out, camera.profile, weights=weights)
    with pytest.raises(noisegen.NoisegenError, match="none given"):
        noisegen.make_dataset(photos, out, [], weights=weights)
    with pytest.raises(noisegen.NoisegenError, match="other weights"):
        noisegen.make_dataset(photos, out, camera.profile)
    for wrong, words in (
        ({"profiles": camera.profile, "draw": "phone"}, "give one of profiles and draw"),
        ({}, "give one of profiles and draw"),
        ({"draw": "phone", "per_camera": 0}, "^per_camera 0: give 1"),
        ({"profiles": camera.profile, "per_camera": 2}, "^per_camera belongs to draw"),
        ({"profiles": camera.profile}, "give its weights"),
    ):
        with pytest.raises(noisegen.NoisegenError, match=words):
            noisegen.make_dataset(photos, out, **wrong)
    with pytest.raises(noisegen.NoisegenError, match="--engine ray"):
        RunOptions(address="auto")
    assert not out.exists()
