"""Several processes: gradients are averaged, all copies stay equal, one of them writes."""

from __future__ import annotations

import csv
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_training import SMALL_TRAINING
from torch import nn
from torch.multiprocessing.spawn import spawn

from noisegen.model.weights import load_weights
from noisegen.research.generator.config import Stage
from noisegen.research.generator.loop import (
    Trainer,
    load_sources,
    local_device,
    process_group,
    train,
)
from noisegen.training.bank import batches
from noisegen.training.loop import average_gradients

CPU = torch.device("cpu")
STAGE = Stage("row", 2, (("leaves", 0.5), ("classical", 0.5)))
CONFIG = replace(SMALL_TRAINING, stages=(STAGE,))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def join_as(rank: int, port: int) -> None:
    """What torchrun tells each process."""
    told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in told.items()})
    os.environ["MASTER_ADDR"] = "127.0.0.1"


def one_of_two(rank: int, ports: tuple[int, int], bank: Path, folder: Path) -> None:
    """Averages known gradients, trains two steps on batches of its own, then runs ``train``."""
    torch.set_num_threads(1)
    join_as(rank, ports[0])
    found: dict[str, Any] = {}
    with process_group() as found["rank"]:
        found["gradients"] = averaged(rank)
        trainer = Trainer(CONFIG, CPU)
        sources = load_sources(bank, STAGE.shares)
        stream = batches(sources, 2, 1, 64, np.random.default_rng(rank))
        found["losses"] = [trainer.train_step(next(stream), STAGE, step) for step in range(2)]
        found["model"] = trainer.network.state_dict()
    join_as(rank, ports[1])
    found["steps"] = [(s.step, s.loss) for s in train(CONFIG, bank, folder / "run", CPU)]
    torch.save(found, folder / f"{rank}.pt")


def averaged(rank: int) -> list[torch.Tensor | None]:
    """Gradients of two parameters, with one that has none between them."""
    parameters = [nn.Parameter(torch.zeros(shape)) for shape in ((2, 2), (1,), (3,))]
    parameters[0].grad = torch.full((2, 2), 1.0 + 2 * rank)
    parameters[2].grad = torch.tensor([0.0, 1.0, -4.0]) * (1 - rank)
    average_gradients(parameters)
    return [parameter.grad for parameter in parameters]


Two = tuple[Path, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def two(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> Two:
    """The folder of two processes' run, and what each of them found."""
    folder = tmp_path_factory.mktemp("two")
    arguments = ((free_port(), free_port()), bank, folder)
    spawn(one_of_two, arguments, nprocs=2)
    return folder, [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


@pytest.mark.slow
def test_gradients_are_means_over_the_processes(two: Two) -> None:
    _, found = two
    assert [each["rank"] for each in found] == [0, 1]
    for each in found:
        first, none, last = each["gradients"]
        assert torch.equal(first, torch.full((2, 2), 2.0))
        assert none is None
        assert torch.equal(last, torch.tensor([0.0, 0.5, -2.0]))


@pytest.mark.slow
def test_copies_stay_equal_on_different_batches(two: Two) -> None:
    _, (first, second) = two
    assert first["losses"][0] != second["losses"][0]
    assert first["model"].keys() == second["model"].keys()
    start = Trainer(CONFIG, CPU).network.state_dict()
    for name, value in first["model"].items():
        assert torch.equal(value, second["model"][name]), name
    assert any(not torch.equal(value, first["model"][name]) for name, value in start.items())


def test_training_ends_on_both_and_is_written_once(two: Two) -> None:
    folder, (first, second) = two
    for each in (first, second):
        assert [step for step, _ in each["steps"]] == [1, 2]
    assert first["steps"] != second["steps"]
    run = folder / "run"
    assert load_weights(str(run / "noisegen-row.safetensors")).card["steps"] == 2
    with (run / "validation.csv").open(newline="") as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["2"]


def test_alone_nothing_is_joined_or_averaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with process_group() as rank:
        assert rank == 0
        assert not torch.distributed.is_initialized()
        first, *_ = averaged(1)
    assert first is not None
    assert torch.equal(first, torch.full((2, 2), 3.0))


def test_each_process_takes_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert local_device(torch.device("cuda")) == torch.device("cuda", 3)
    assert local_device(CPU) == CPU
    monkeypatch.delenv("LOCAL_RANK")
    assert local_device(torch.device("cuda")) == torch.device("cuda")


@pytest.mark.slow
def test_torchrun_runs_the_command(bank: Path, tmp_path: Path) -> None:
    """Two steps of the shipped size, as the guide starts them.

    Without the dashes torchrun's own parser takes ``--run`` for an abbreviation of its options.
    """
    run = tmp_path / "run"
    launched = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    launched += ["--master-port", str(free_port()), "-m", "--", "noisegen", "train"]
    launched += [
        "--stages",
        "sim:2",
        "--bank",
        str(bank),
        "--run",
        str(run),
        "--device",
        "cpu",
        "--threads",
        "1",
    ]
    ended = subprocess.run(launched, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    assert load_weights(str(run / "noisegen-sim.safetensors")).card["steps"] == 2
    assert len((run / "validation.csv").read_text().splitlines()) == 2
