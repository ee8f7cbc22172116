"""The library's call makes the very files that the command makes."""

from __future__ import annotations

import shutil
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dataset_runs import Camera, files_in, run

import noisegen
from noisegen import DatasetOptions, RunOptions, make_dataset
from noisegen.dataset.plan import Layout, Shard
from noisegen.errors import UsageError

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


@pytest.mark.slow
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
        ({"draw": "phone", "per_camera": "3"}, "^per_camera '3': give 1"),
        ({"draw": 5}, "kind of phone"),
        ({"draw": "webcam", "per_camera": np.int64(2)}, "kind of phone"),
        ({"profiles": [None]}, "^profiles: None is none"),
        ({"profiles": camera.profile, "per_camera": 2}, "^per_camera belongs to draw"),
        ({"profiles": camera.profile}, "give its weights"),
    ):
        with pytest.raises(noisegen.NoisegenError, match=words):
            noisegen.make_dataset(photos, out, **wrong)
    with pytest.raises(noisegen.NoisegenError, match="add engine ray"):
        RunOptions(address="auto")
    assert not out.exists()


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        (DatasetOptions, {"variants": 0}, "variants and per_image: give 1 or more"),
        (DatasetOptions, {"variants": 10**12}, "and up to 100000 variants"),
        (DatasetOptions, {"seed": 1.5}, "seed 1.5: give a whole number"),
        (DatasetOptions, {"strength": (2, 1)}, r"strength 2:1: .* or \(low, high\)"),
        (DatasetOptions, {"strength": (1, 2, 3)}, r"two as \(low, high\)"),
        (DatasetOptions, {"patch": "64"}, "patch '64': give a whole number"),
        (DatasetOptions, {"per_image": 2}, "per_image counts crops; add patch"),
        (DatasetOptions, {"white_level": "a"}, "white_level 'a': give a number"),
        (DatasetOptions, {"layout": "tar"}, "layout 'tar': choose of folders, webdataset"),
        (RunOptions, {"engine": "dask"}, "engine 'dask': choose of threads, ray"),
        (RunOptions, {"address": "host:1"}, "address names a Ray cluster; add engine ray"),
        (RunOptions, {"workers": 0}, "workers 0: give 1 or more"),
        (RunOptions, {"shard": (1, 2)}, "shard"),
        (RunOptions, {"shard": "1/2", "overwrite": True}, "overwrite with shard"),
    ],
)
def test_options_made_in_python_name_their_fields(
    kind: type, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said) as refusal:
        kind(**given)
    assert "--" not in str(refusal.value)


def test_options_are_taken_as_python_writes_them() -> None:
    # Types that no checker passes, on purpose: Python hands on whatever it is given.
    options = DatasetOptions(strength=2, layout="hf", seed=np.int64(3))  # type: ignore[arg-type]
    assert (options.strength, options.layout, type(options.seed)) == ((2, 2), Layout.HF, int)
    assert RunOptions(shard="2/3").shard == Shard(2, 3)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="white_level inf: give a number up to"):
        DatasetOptions(white_level=10**400)
    with pytest.raises(UsageError, match=r"options=\{'seed': 1\}: give noisegen.DatasetOptions"):
        make_dataset("photos", "pairs", "p.safetensors", options={"seed": 1})  # type: ignore[arg-type]


@pytest.mark.parametrize("half", [np.float32(0.5), Fraction(1, 2)])
def test_any_kind_of_number_makes_the_recipe_that_the_command_makes(
    camera: Camera, photos: Path, tmp_path: Path, half: Any
) -> None:
    more = ("--strength", "0.5:2", "--white-level", 4095)
    assert run(*camera.synth(photos / "1.png", tmp_path / "typed", *more))[0] == 0
    options = DatasetOptions(strength=(half, 2), white_level=4095)
    made = make_dataset(
        photos / "1.png", tmp_path / "pairs", camera.profile, weights=str(camera.weights),
        options=options, run=CPU,
    )  # fmt: skip
    assert [done.pairs for done in made] == [1]
    assert files_in(tmp_path / "pairs") == files_in(tmp_path / "typed")


def test_loading_a_generator_names_its_arguments() -> None:
    for given, said in (({"device": "gpu"}, "^device gpu: unknown"), ({"tile": 0}, "^tile 0: ")):
        with pytest.raises(UsageError, match=said):
            noisegen.load_generator(**given)
    with pytest.raises(noisegen.NoisegenError, match="1 noisy picture, but 2 clean ones"):
        noisegen.load_generator().profile(np.zeros((64, 64, 3)), [np.zeros((64, 64, 3))] * 2)


def test_errors_while_it_is_made_name_arguments_too(
    camera: Camera, photos: Path, tmp_path: Path
) -> None:
    cleans, out = tmp_path / "photos", tmp_path / "pairs"
    shutil.copytree(photos, cleans)
    make = partial(make_dataset, cleans, out, camera.profile, weights=str(camera.weights), run=CPU)
    list(make())
    (cleans / "1.png").unlink()
    with pytest.raises(noisegen.NoisegenError, match="take these pairs away with prune"):
        list(make())
