"""Training: a bank, a few steps, a resume."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pictures import add_gaussian, scene
from small_network import SMALL

from noisegen.model.generator import FOLLOW_PACE
from noisegen.model.weights import load_weights, untrained_model
from noisegen.training.bank import (
    TARGET,
    Setting,
    Shard,
    batches,
    measure_references,
    reference_windows,
    stack_targets,
)
from noisegen.training.loop import TrainingConfig, load_sources, train
from noisegen.training.shrink import shrink_to_start

CONFIG = replace(
    TrainingConfig(), steps=4, sets=2, targets=1, crop=64, warmup=1, ema=0.5, model=SMALL
)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two settings of Gaussian noise."""
    folder = tmp_path_factory.mktemp("bank")
    settings = []
    for sigma in (8, 20):
        clean = scene(TARGET, TARGET, seed=sigma)
        noisy = add_gaussian(clean, sigma)
        references = [
            measure_references([reference_windows(noisy, clean, blind, 64)], gray=False)
            for blind in (False, True)
        ]
        targets = [(add_gaussian(clean, sigma, seed), clean) for seed in (1, 2, 3)]
        settings.append(Setting(references, stack_targets(targets)))
    Shard.pack(settings).save(folder / "classical-00000.npz")
    return folder


def test_batches_bring_references_and_targets_together(bank: Path) -> None:
    sources = load_sources(bank, CONFIG)
    batch = next(batches(sources, 3, 2, 64, np.random.default_rng(0)))
    assert batch.noisy.shape == batch.clean.shape == (6, 3, 64, 64)
    assert batch.windows.residual.shape[0] == len(batch.statistics.scale) == 3
    for row in range(3):
        noise = (batch.noisy - batch.clean)[2 * row : 2 * row + 2]
        assert float(noise.std() / batch.statistics.scale[row]) == pytest.approx(1, abs=0.15)


def test_training_resumes_and_writes_weights(bank: Path, tmp_path: Path) -> None:
    cpu = torch.device("cpu")
    first = [step for step, _ in train(replace(CONFIG, steps=2), bank, tmp_path, cpu)]
    second = [step for step, _ in train(CONFIG, bank, tmp_path, cpu)]
    assert (first, second) == ([1, 2], [3, 4])
    weights = load_weights(str(tmp_path / "weights.safetensors"))
    assert weights.card["steps"] == 4
    assert weights.config == SMALL


def test_one_seed_one_run(bank: Path, tmp_path: Path) -> None:
    losses = [
        [loss for _, loss in train(CONFIG, bank, tmp_path / name, torch.device("cpu"))]
        for name in ("a", "b")
    ]
    assert losses[0] == losses[1]


def test_keeping_nothing_of_training_follows_activity_alone() -> None:
    model = untrained_model(SMALL)
    torch.nn.init.normal_(model.generator.output.weight)
    shrink_to_start(model, 0.0)
    assert float(model.generator.output.weight.abs().max()) == 0
    np.testing.assert_allclose(FOLLOW_PACE * model.generator.follow.bias.detach(), 1, rtol=1e-6)
