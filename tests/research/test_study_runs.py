"""``noisegen study``: training, resumption, refusals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from study_pictures import QUICK, shots, study_data, write_pairs

from noisegen.errors import OutputError
from noisegen.evaluation.denoiser import DenoiserConfig, DenoiserTraining, train_denoiser
from noisegen.model.weights import Weights
from noisegen.research.study.arms import ARMS, Pools, possible_arms
from noisegen.research.study.noises import Maker, NoiseKind
from noisegen.research.study.pictures import StudyData
from noisegen.research.study.study import Study
from noisegen.research.study.tables import cells, markdown, write_results

KILLED_AFTER = (2, 4)
"""Files that a run has written when it is killed."""


def study_of(data: StudyData, weights: Weights, out: Path, arms: str, seeds: int = 1) -> Study:
    chosen = [arm for arm in ARMS if arm.name in arms.split(",")]
    return Study(data, weights, QUICK, chosen, seeds, out, "cpu", lambda _: None)


def run_files(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (out / "runs").iterdir()}


@pytest.mark.parametrize(
    "network",
    [{"layers": 3}, {"layers": 3, "batch_norm": True}, {"layers": 2, "kind": "nafnet"}],
)
def test_training_goes_on_to_the_bit(network: dict[str, Any]) -> None:
    config = DenoiserConfig(**network, channels=8, steps=12, crops=2, side=32)
    pairs = [(shot.noisy, shot.clean) for shot in shots(2, 0)]
    whole = train_denoiser(pairs, config).state_dict()
    begun = DenoiserTraining(pairs, config)
    begun.advance(5)
    resumed = DenoiserTraining(pairs, config)
    resumed.restore(begun.state())
    resumed.advance(12)
    assert resumed.step == 12
    for name, tensor in resumed.denoiser.state_dict().items():
        assert torch.equal(tensor, whole[name]), name


def test_a_killed_study_ends_with_the_same_files(weights: Weights, tmp_path: Path) -> None:
    whole = study_of(study_data(), weights, tmp_path / "whole", "real,generated")
    looks = len(list(whole.run()))
    assert looks == whole.steps == 2 * 3
    for stop in range(1, looks):
        # A new study each time: what went on in memory before is gone, as after a kill.
        killed = study_of(study_data(), weights, tmp_path / "killed", "real,generated")
        assert len(list(islice(killed.run(), stop))) == stop
    going_on = study_of(study_data(), weights, tmp_path / "killed", "real,generated")
    assert len(list(going_on.run())) == looks
    assert run_files(tmp_path / "killed") == run_files(tmp_path / "whole")
    for study in (whole, going_on):
        write_results(study.out, study.results)
    for name in ("results.json", "table.md", "scores.csv", "curves.csv"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.slow
def test_a_run_killed_anywhere_ends_with_the_same_files(weights_file: Path, tmp_path: Path) -> None:
    """Real kills of the command itself, the last one after what would finish the first arm."""
    for name, first in (("train", 0), ("test", 50), ("ref", 90)):
        write_pairs(tmp_path / name, 1, first)
    fixed = [
        "study", "--test", f"t={tmp_path}/test", "--real", f"{tmp_path}/train", "--ref",
        f"{tmp_path}/ref/noisy", "--ref-clean", f"{tmp_path}/ref/clean", "--arms", "real,few",
        "--steps", "20", "--seeds", "1", "--weights", str(weights_file), "--device", "cpu", "-q",
    ]  # fmt: skip
    whole, killed = ([*fixed, "--out", str(tmp_path / name)] for name in ("whole", "killed"))
    asked: list[dict[str, Any]] = [{"arguments": whole}]
    asked += [{"arguments": killed, "files": files} for files in KILLED_AFTER]
    asked += [{"arguments": killed}]
    forks = Path(__file__).parents[1] / "forked_runs.py"
    # One thread: sums must not depend on how many there are.
    ran = subprocess.run(
        [sys.executable, str(forks), json.dumps(asked)],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    codes = json.loads(ran.stdout.splitlines()[-1])
    assert (codes[0], codes[-1]) == (0, 0), ran.stderr
    assert codes[1] == -9
    for name in ("results.json", "table.md", "scores.csv", "curves.csv", "study.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert run_files(tmp_path / "killed") == run_files(tmp_path / "whole")


def test_a_finished_arm_is_not_trained_again(weights: Weights, tmp_path: Path) -> None:
    list(study_of(study_data(), weights, tmp_path, "real").run())
    before = (tmp_path / "runs" / "real-0.json").stat().st_mtime_ns
    more = study_of(study_data(), weights, tmp_path, "real,gaussian", seeds=2)
    list(more.run())
    assert (tmp_path / "runs" / "real-0.json").stat().st_mtime_ns == before
    assert [(run.arm, run.seed) for run in more.done[1:]] == [
        ("real", 0), ("gaussian", 0), ("real", 1), ("gaussian", 1),
    ]  # fmt: skip


def test_other_settings_are_refused_by_name(weights: Weights, tmp_path: Path) -> None:
    list(study_of(study_data(), weights, tmp_path, "real").run())
    longer = replace(QUICK, denoiser=replace(QUICK.denoiser, steps=90))
    other = replace(study_of(study_data(), weights, tmp_path, "real"), config=longer)
    with pytest.raises(OutputError, match=r"other settings \(steps 60, now 90\)"):
        list(other.run())
    with pytest.raises(OutputError, match="real pairs"):
        list(study_of(study_data(real=2), weights, tmp_path, "real").run())


def test_a_damaged_checkpoint_is_named(weights: Weights, tmp_path: Path) -> None:
    list(islice(study_of(study_data(), weights, tmp_path, "real").run(), 1))
    checkpoint = tmp_path / "runs" / "real-0.checkpoint.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-8])
    with pytest.raises(OutputError, match=r"real-0\.checkpoint\.pt: is damaged .*delete"):
        list(study_of(study_data(), weights, tmp_path, "real").run())


def test_learning_from_the_camera_beats_not_denoising(weights: Weights, tmp_path: Path) -> None:
    study = study_of(study_data(), weights, tmp_path, "real,gaussian,few", seeds=2)
    list(study.run())
    found = {(q.arm, q.test): q for q in study.results.qualities}
    assert found["real", "seen"].psnr > found["noisy", "seen"].psnr + 2
    assert found["gaussian", "seen"].seeds == 2
    steps = [point.step for point in study.done[1].curve if point.test == "seen"]
    assert steps == [20, 40, 60]
    text = markdown(cells(study.results))
    assert text.splitlines()[0].startswith("|  | seen: PSNR | seen: SSIM | seen: against real |")
    assert json.loads((tmp_path / "study.json").read_text())["layers"] == 4


@pytest.mark.slow
def test_shares_of_mixed_arms(weights: Weights, tmp_path: Path) -> None:
    data = study_data()
    pools = Pools(data, Maker(weights, "cpu", tmp_path, 255, lambda _: None))
    real = {id(shot.noisy) for shot in data.real}
    few = {id(shot.noisy) for shot in data.few}
    shares = {}
    for arm in possible_arms(data):
        pairs = pools.pairs(arm)
        shares[arm.name] = np.mean([id(noisy) in real | few for noisy, _ in pairs])
    assert shares == {
        "real": 1, "gaussian": 0, "classical": 0, "start": 0, "generated": 0, "lone": 0,
        "drawn": 0, "gaussian-0-50": 0, "mixed-drawn": 0.5, "mixed-25": 0.75,
        "mixed-50": 0.5, "mixed-75": 0.25, "few": 1, "few+gaussian": 0.5,
        "few+generated": 0.5,
    }  # fmt: skip
    assert len(pools.pairs(ARMS[0])) == len(pools.pairs(ARMS[3])) == 3


def test_noise_of_an_arm_is_that_of_its_references(weights: Weights, tmp_path: Path) -> None:
    data = study_data()
    pools = Pools(data, Maker(weights, "cpu", tmp_path, 255, lambda _: None))
    real, gaussian = (pools.pairs(ARMS[index]) for index in (0, 1))
    for (noisy, clean), (_, same) in zip(gaussian, real, strict=True):
        assert np.array_equal(clean, same)
        assert np.std(noisy.astype(float) - clean) == pytest.approx(20, rel=0.1)
    again = Pools(data, Maker(weights, "cpu", tmp_path, 255, lambda _: pytest.fail("made again")))
    assert all(
        np.array_equal(a, b) for (a, _), (b, _) in zip(again.pairs(ARMS[1]), gaussian, strict=True)
    )


def test_classical_noise_is_not_that_of_the_network_switched_off(
    weights: Weights, tmp_path: Path
) -> None:
    """But it has the same strength: both are measured on the references."""
    orders, maker = study_data().references, Maker(weights, "cpu", tmp_path, 255, lambda _: None)
    noises = {
        kind: [
            noisy.astype(float) - order.clean
            for noisy, order in zip(maker.noisy(kind, orders), orders, strict=True)
        ]
        for kind in (NoiseKind.CLASSICAL, NoiseKind.START)
    }
    for plain, start in zip(*noises.values(), strict=True):
        assert abs(np.corrcoef(plain.ravel(), start.ravel())[0, 1]) < 0.1
        assert np.std(plain) == pytest.approx(np.std(start), rel=0.1)


def test_arms_take_what_is_there() -> None:
    alone = replace(study_data(real=0), few=(), from_few=())
    assert [arm.name for arm in possible_arms(alone)] == [
        "gaussian", "classical", "start", "generated", "lone", "drawn", "gaussian-0-50",
    ]  # fmt: skip
    assert "new" in [arm.name for arm in possible_arms(replace(study_data(), new_camera=True))]


def test_noise_without_references_is_gray_on_every_third_picture(
    weights: Weights, tmp_path: Path
) -> None:
    data = study_data()
    maker = Maker(weights, "cpu", tmp_path, 255, lambda _: None)
    for kind in (NoiseKind.DRAWN, NoiseKind.BLIND_GAUSSIAN):
        noises = [
            noisy.astype(float) - order.clean
            for noisy, order in zip(maker.noisy(kind, data.blind), data.blind, strict=True)
        ]
        equal = [bool((noise == noise[:, :, :1]).all()) for noise in noises]
        assert equal == [False, False, True], kind
        strengths = [noise.std() for noise in noises]
        assert all(0.2 < strength < 60 for strength in strengths), kind
        assert len(set(strengths)) == 3, kind
