"""``noisegen train``: what it prints, refuses, and leaves when it is told to stop."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from small_training import SMALL_TRAINING, write_bank

from noisegen.model.weights import load_weights
from noisegen.research.generator import config as configuration
from noisegen.research.generator.config import Stage, TrainingConfig
from noisegen.research.generator.loop import Trainer
from noisegen.training import prepare as filling
from noisegen.training.bank import Batch

Run = Callable[..., Any]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's configuration is a small one."""
    default = partial(TrainingConfig, sets=2, targets=1, crop=64, model=SMALL_TRAINING.model)
    monkeypatch.setattr(configuration, "TrainingConfig", default)


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    folder = tmp_path / "bank"
    folder.mkdir()
    write_bank(folder)
    return folder


@pytest.fixture(autouse=True)
def termination() -> Iterator[None]:
    """The command sets a handler of its own; pytest gets its own back."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def refused(ran: Any, *words: str) -> None:
    assert ran.code == 2, ran.err
    assert ran.out == ""
    assert len(ran.err.splitlines()) == 1, ran.err
    for word in ("error: ", *words):
        assert word in ran.err


def test_dry_run_prints_the_configuration(run: Run, tmp_path: Path) -> None:
    ran = run("train", "--dry-run", "--json", "--seed", 7, "--stages", "base:12")
    assert ran.code == 0, ran.err
    assert ran.json["seed"] == 7
    assert [(stage["name"], stage["steps"]) for stage in ran.json["stages"]] == [("base", 12)]
    assert ran.json["model"]["generator"]["latent_width"] == 128
    assert ran.json["objectives"]["energy"] == 1
    assert "'seed': 0" in run("train", "--dry-run").out


def test_without_a_run_it_is_refused(run: Run) -> None:
    refused(run("train"), "--run")


def test_unknown_stages_are_refused(run: Run, tmp_path: Path) -> None:
    refused(run("train", "--run", tmp_path / "run", "--stages", "sim:x"), "--stages", "sim:x")
    assert not (tmp_path / "run").exists()


def test_an_empty_bank_is_refused(run: Run, tmp_path: Path) -> None:
    ran = run("train", "--run", tmp_path / "run", "--bank", tmp_path, "--device", "cpu")
    refused(ran, str(tmp_path), "train prepare")


@pytest.mark.usefixtures("small")
def test_told_to_stop_it_keeps_its_checkpoint_and_goes_on(
    run: Run, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Trainer.train_step

    def stopped(trainer: Trainer, batch: Batch, stage: Stage, within: int) -> float:
        loss = original(trainer, batch, stage, within)
        if trainer.step == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return loss

    folder = tmp_path / "run"
    command: list[object] = ["train", "--run", folder, "--bank", filled, "--stages", "sim:3"]
    command += ["--device", "cpu"]
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "train_step", stopped)
        ran = run(*command)
    assert ran.code == 130, ran.err
    assert "same command" in ran.err
    weights = folder / "noisegen-sim.safetensors"
    assert load_weights(str(weights)).card["steps"] == 2
    ran = run(*command, "--json", "--quiet")
    assert ran.code == 0, ran.err
    assert (ran.json["steps"], ran.json["weights"]) == (3, str(weights))
    assert ran.json["loss"] > 0
    assert load_weights(str(weights)).card["steps"] == 3


@pytest.mark.parametrize("spec", ["x", "x:y", ":", "FOLDER", "FOLDER:", "FOLDER:none"])
def test_pairs_that_are_no_two_folders_are_refused(run: Run, tmp_path: Path, spec: str) -> None:
    given = spec.replace("FOLDER", str(tmp_path))
    ran = run("train", "prepare", "--bank", tmp_path / "bank", "--pairs", given)
    refused(ran, "--pairs", "NOISY:CLEAN")
    assert not (tmp_path / "bank").exists()


def test_data_that_is_not_there_is_refused(run: Run, tmp_path: Path) -> None:
    ran = run("train", "prepare", "--bank", tmp_path / "bank", "--data", tmp_path)
    refused(ran, "--data", str(tmp_path))


def test_prepare_fills_a_bank_once(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = {"leaves": 0, "photos": 0, "classical": 1, "validation": 0, "pictures": 1, "side": 160}
    small = filling.BankConfig(**sizes)
    monkeypatch.setattr(filling, "BankConfig", lambda seed: small)
    bank = tmp_path / "bank"
    for shards in (1, 0):
        ran = run("train", "prepare", "--bank", bank, "--json")
        assert ran.code == 0, ran.err
        assert ran.json == {"bank": str(bank), "shards": shards}
    assert [path.name for path in bank.glob("*.npz")] == ["classical-00000.npz"]


def test_no_row_of_that_name(run: Run, tmp_path: Path) -> None:
    ran = run("train", "ablation", "--run", tmp_path, "--rows", "nothing like it")
    refused(ran, "--rows", "nothing like it")


def test_a_contact_sheet_is_written(
    run: Run, scene: Callable[..., Any], write_png: Callable[..., Path], tmp_path: Path
) -> None:
    clean, small = (write_png(tmp_path / f"{side}.png", scene(side, side)) for side in (260, 200))
    out = tmp_path / "sheet.png"
    chosen: list[object] = ["--out", out, "--columns", 2, "--rows", 1]
    refused(run("train", "contact-sheet", *chosen, "--clean", small), "256")
    other = ("train", "contact-sheet", "--out", tmp_path / "sheet.jpg", "--clean", clean)
    refused(run(*other), "end its name in .png")
    assert not out.exists()
    ran = run("train", "contact-sheet", *chosen, "--clean", clean)
    assert ran.code == 0, ran.err
    again = ("train", "contact-sheet", *chosen, "--clean", clean)
    ran = run(*again)
    assert (ran.code, "is there already" in ran.err) == (1, True)
    assert run(*again, "--overwrite").code == 0
    with Image.open(out) as sheet:
        assert sheet.format == "PNG"
        assert sheet.width > 2 * 128


@pytest.mark.parametrize("option", ["--seed", "--threads"])
def test_numbers_that_cannot_be_are_refused(run: Run, tmp_path: Path, option: str) -> None:
    ran = run("train", "denoiser", "--run", tmp_path / "r", "--start", "sim", option, -1)
    assert ran.code == 2
    assert option in ran.err
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("factor", ["nan", "inf", "-1"])
def test_a_factor_that_cannot_be_is_refused(run: Run, tmp_path: Path, factor: str) -> None:
    ran = run("train", "prepare", "--bank", tmp_path / "bank", "--drawn", factor)
    assert ran.code == 2
    assert "--drawn" in ran.err
    assert not (tmp_path / "bank").exists()


def test_what_binds_nobody_does_not_begin_with_what_binds(run: Run, tmp_path: Path) -> None:
    begun = ("--start", "sim", "--onward", "base", "--steps", 1)
    ran = run("train", "content", "--run", tmp_path / "run", *begun)
    refused(ran, "--onward base", "noisegen-sim binds nobody")
    assert not (tmp_path / "run").exists()


def test_a_run_that_cannot_begin_leaves_nothing(run: Run, small: None, tmp_path: Path) -> None:
    (tmp_path / "bank").mkdir()
    refused(run("train", "--bank", tmp_path / "bank", "--run", tmp_path / "run"), "no shards")
    assert not (tmp_path / "run").exists()
    (tmp_path / "file").touch()
    ran = run("train", "prepare", "--bank", tmp_path / "file")
    assert ran.code == 1
    assert ran.err == f"error: {tmp_path / 'file'}: is a file, or lies in one; name a folder\n"
