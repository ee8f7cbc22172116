"""The denoiser's training: crops that never run out, resuming, weights that hold it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pictures import scene
from typer.testing import CliRunner

from noisegen.cli.app import app
from noisegen.errors import UsageError
from noisegen.model.config import BlindSpotConfig
from noisegen.model.denoiser import Denoiser
from noisegen.model.weights import load_weights
from noisegen.training.bank import stack_targets
from noisegen.training.crops import SIDE, CropConfig, SimulatedCrops
from noisegen.training.denoise import (
    DenoiserTraining,
    denoiser_loss,
    train_denoiser,
    trained_denoiser,
)
from noisegen.training.pack import classical_crops, read_pack

CPU = torch.device("cpu")
SMALL = DenoiserTraining(
    steps=4,
    crops=2,
    fixed=0.5,
    warmup=1,
    model=BlindSpotConfig(8, (1, 2), 8, (1,)),
    drawn=CropConfig(settings=2, scenes=1, held=4, batches=2),
)


@pytest.fixture(scope="module")
def pictures() -> list[NDArray[np.uint8]]:
    return [scene(288, 272, seed=seed) for seed in range(2)]


@pytest.fixture(scope="module")
def given(pictures: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return classical_crops(pictures, 3, np.random.default_rng(0))


def test_the_denoiser_learns() -> None:
    torch.manual_seed(0)
    denoiser = Denoiser(BlindSpotConfig(8, (1, 2), 8, (1,)))
    optimiser = torch.optim.Adam(denoiser.parameters(), 3e-3)
    clean = torch.rand(4, 3, 1, 1).expand(-1, -1, 32, 32)
    losses = []
    for _ in range(60):
        noisy = clean + 0.1 * torch.randn(4, 3, 32, 32)
        loss = denoiser_loss(denoiser, noisy, clean, 1)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    # Twice the negative log-likelihood falls below that of the noise itself: ln 0.1 + 1/2 each.
    assert np.mean(losses[-5:]) < 2 * (np.log(0.1) + 0.5) - 0.5


def test_crops_are_pairs_of_a_camera_and_are_renewed(pictures: list[NDArray[np.uint8]]) -> None:
    crops = SimulatedCrops(pictures, SMALL.drawn, 0, CPU)
    first = crops.batch(6)
    assert first.shape == (6, 2, 3, SIDE, SIDE)
    assert first.dtype == torch.uint8
    noise = first[:, 0].float() - first[:, 1].float()
    assert 0.2 < float(noise.std()) < 80
    seen = {tuple(crop.flatten()[:999].tolist()) for _ in range(8) for crop in crops.batch(4)}
    assert len(seen) > SMALL.drawn.held
    again = SimulatedCrops(pictures, SMALL.drawn, 0, CPU).batch(6)
    assert torch.equal(first, again)


def test_given_crops_hold_gray_dim_and_colour(pictures: list[NDArray[np.uint8]]) -> None:
    crops = classical_crops(pictures, 80, np.random.default_rng(1))
    noisy, clean = crops[:, 0].astype(int), crops[:, 1].astype(int)
    assert ((noisy == noisy[:, :1]).all((1, 2, 3))).any()
    assert (clean.max((2, 3)) == 0).any()
    assert np.abs(noisy - clean).mean() > 1


def test_gray_crops_stack_beside_colour() -> None:
    gray, colour = np.full((128, 128, 1), 7, np.uint8), np.full((128, 128, 3), 9, np.uint8)
    crops = stack_targets([(gray, gray + 1), (colour, colour + 1)])
    assert crops.shape == (2, 2, 3, 128, 128)
    assert crops[:, :, :, 0, 0].tolist() == [[[7] * 3, [8] * 3], [[9] * 3, [10] * 3]]


def test_a_run_goes_on_where_it_stopped(
    pictures: list[NDArray[np.uint8]], given: NDArray[np.uint8], tmp_path: Path
) -> None:
    steps = [
        s.step for s in train_denoiser(replace(SMALL, steps=2), pictures, given, tmp_path, CPU)
    ]
    assert steps == [1, 2]
    before, _ = trained_denoiser(tmp_path)
    steps = [step.step for step in train_denoiser(SMALL, pictures, given, tmp_path, CPU)]
    assert steps == [3, 4]
    after, card = trained_denoiser(tmp_path)
    assert card["steps"] == 4
    assert any(
        not torch.equal(old, new)
        for old, new in zip(before.parameters(), after.parameters(), strict=True)
    )


def test_a_broken_batch_changes_nothing(
    pictures: list[NDArray[np.uint8]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("noisegen.training.denoise.SMALLEST_ERROR", float("nan"))
    start = Denoiser(SMALL.model)
    assert np.isnan(
        [s.loss for s in train_denoiser(SMALL, pictures, None, tmp_path, CPU, start)]
    ).all()
    after, _ = trained_denoiser(tmp_path)
    for old, new in zip(start.parameters(), after.parameters(), strict=True):
        assert torch.equal(old, new)


def test_time_ends_a_training(pictures: list[NDArray[np.uint8]], tmp_path: Path) -> None:
    brief = replace(SMALL, steps=10**6, minutes=0.02)
    assert 0 < len(list(train_denoiser(brief, pictures, None, tmp_path, CPU))) < 1000


@pytest.mark.slow
def test_the_command_writes_weights_that_load(tmp_path: Path, weights_file: Path) -> None:
    """The other networks stay as they are; the denoiser is another."""
    command = ["train", "denoiser", "--run", str(tmp_path / "run"), "--start", str(weights_file)]
    sizes = [
        "--onward",
        str(weights_file),
        "--steps",
        "1",
        "--pictures",
        "2",
        "--threads",
        "1",
        "--json",
    ]
    result = CliRunner().invoke(app, [*command, *sizes])
    assert result.exit_code == 0, result.output
    old = load_weights(str(weights_file))
    new = load_weights(str(tmp_path / "run" / weights_file.name))
    assert new.card["denoiser"]["steps"] == 1
    for name, value in old.model.state_dict().items():
        same = torch.equal(value, new.model.state_dict()[name])
        assert same or name.startswith("denoiser."), name


@pytest.mark.parametrize("damage", ["text", "empty", "cut", "array", "bare", "missing"])
def test_what_is_no_pack_is_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "pack.npz"
    np.savez(path, colour=np.zeros((0, 2, 3, SIDE, SIDE), np.uint8), gray=np.zeros((0, 2, 4, 4)))
    if damage == "array":
        np.save(tmp_path / "pack.npy", np.zeros(3))
        path = tmp_path / "pack.npy"
    elif damage == "missing":
        path.unlink()
    elif damage != "bare":
        whole = path.read_bytes()
        path.write_bytes({"text": b"no pack", "empty": b"", "cut": whole[:100]}[damage])
    with pytest.raises(UsageError, match="make it by noisegen train pack") as refusal:
        read_pack(path)
    assert "\n" not in str(refusal.value)


def test_weights_that_bind_nobody_see_no_pack(tmp_path: Path) -> None:
    command = ["train", "denoiser", "--run", str(tmp_path), "--start", "sim", "--pack", "pack.npz"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 2
    assert "--start base" in " ".join(result.output.split())


def test_a_run_of_another_configuration_is_refused(
    pictures: list[NDArray[np.uint8]], tmp_path: Path
) -> None:
    list(train_denoiser(replace(SMALL, steps=1), pictures, None, tmp_path, CPU))
    with pytest.raises(UsageError, match="with another crops"):
        list(train_denoiser(replace(SMALL, crops=3), pictures, None, tmp_path, CPU))
    (tmp_path / "denoiser.pt").write_bytes(b"damaged")
    with pytest.raises(UsageError, match="no checkpoint of this training"):
        list(train_denoiser(SMALL, pictures, None, tmp_path, CPU))


def test_what_is_interrupted_is_kept(pictures: list[NDArray[np.uint8]], tmp_path: Path) -> None:
    training = train_denoiser(SMALL, pictures, None, tmp_path, CPU)
    next(training)
    training.close()
    assert trained_denoiser(tmp_path)[1]["steps"] == 1
