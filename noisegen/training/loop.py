"""The training loop: one command, resumed by running it again."""

from __future__ import annotations

import copy
import csv
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from noisegen.model.classical import at_intensity
from noisegen.model.conditioning import Statistics
from noisegen.model.config import KERNEL, ModelConfig
from noisegen.model.generator import FIELD_CHANNELS
from noisegen.model.weights import NoiseModel, save_weights
from noisegen.training.bank import Batch, Shard, Source, batches
from noisegen.training.objectives import EnergyConfig, energy_score
from noisegen.training.shrink import shrink_to_start
from noisegen.training.sources import BankSize

log = logging.getLogger(__name__)

LEVELS = 255
"""The bank's pictures have 8 bits: generated ones are rounded to the same steps."""


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides a training run.

    Attributes:
        steps: optimiser steps.
        sets: reference sets a step.
        targets: target crops a reference set.
        crop: side of a target crop, in pixels.
        rate: peak learning rate (AdamW, warm-up, cosine).
        decay: weight decay.
        ema: decay of the averaged weights that are shipped.
        keep: share of the learned change that the written weights keep (:mod:`.shrink`).
        shares: of every batch, by kind of shard.
        seed: of initialisation, batches and fields.
    """

    steps: int = 6000
    sets: int = 6
    targets: int = 2
    crop: int = 96
    rate: float = 1e-3
    warmup: int = 200
    decay: float = 1e-4
    ema: float = 0.999
    keep: float = 0.35
    clip: float = 1.0
    shares: tuple[tuple[str, float], ...] = (
        ("polyu", 0.4),
        ("w2s", 0.1),
        ("simulated", 0.3),
        ("classical", 0.2),
    )
    seed: int = 0
    model: ModelConfig = field(default_factory=ModelConfig)
    energy: EnergyConfig = field(default_factory=EnergyConfig)
    bank: BankSize = field(default_factory=BankSize)


def load_sources(bank: Path, config: TrainingConfig) -> list[Source]:
    """The bank's shards by kind."""
    sources = []
    for kind, share in config.shares:
        shards = tuple(Shard.load(path) for path in sorted(bank.glob(f"{kind}-*.npz")))
        if shards and share > 0:
            sources.append(Source(kind, share, shards))
    return sources


class Trainer:
    """Model, averaged model, optimiser and step: all that a checkpoint holds."""

    def __init__(self, config: TrainingConfig, device: torch.device) -> None:
        torch.manual_seed(config.seed)
        self.config, self.device, self.step = config, device, 0
        self.model = NoiseModel(config.model).to(device)
        self.average = NoiseModel(config.model).to(device)
        self.average.load_state_dict(self.model.state_dict())
        self.average.requires_grad_(False)
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), lr=config.rate, betas=(0.9, 0.98), weight_decay=config.decay
        )

    def train_step(self, batch: Batch) -> float:
        """One optimiser step; returns the loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.rate * schedule(self.step, self.config)
        self.optimiser.zero_grad(set_to_none=True)
        loss = episode_loss(self.model, batch, self.config.energy, self.device)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimiser.step()
        self._update_average()
        self.step += 1
        return float(loss.detach())

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        pairs = zip(self.average.parameters(), self.model.parameters(), strict=True)
        for averaged, current in pairs:
            averaged.lerp_(current, 1 - decay)

    def save(self, path: Path) -> None:
        """Writes a checkpoint, whole or not at all."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "config": asdict(self.config),
        }
        temporary = path.with_suffix(".part")
        torch.save(state, temporary)
        temporary.replace(path)

    def load(self, path: Path) -> None:
        """Goes on from a checkpoint; it must be of the same model."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = int(state["step"])


def schedule(step: int, config: TrainingConfig) -> float:
    """Warm-up, then half a cosine down to a fiftieth."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    share = min(1.0, (step - config.warmup) / max(1, config.steps - config.warmup))
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share))


def episode_loss(
    model: NoiseModel, batch: Batch, energy: EnergyConfig, device: torch.device
) -> Tensor:
    """Encodes the references, draws two noises a target, scores them against the real one."""
    batch = to_device(batch, device)
    targets = len(batch.clean) // len(batch.windows.valid)
    with torch.autocast(device.type, torch.bfloat16):
        encoded = model.encoder(batch.windows, batch.statistics)
        conditioning = encoded.repeat(targets)
        first, second = (
            model.generator(batch.clean, draw_field(batch.clean), conditioning) for _ in range(2)
        )
    level = expected_level(batch.clean, conditioning.statistics)
    fakes = [quantise(batch.clean, noise.float()) for noise in (first, second)]
    one, other = ((fake - batch.clean) / level for fake in fakes)
    return energy_score(one, other, (batch.noisy - batch.clean) / level, energy)


def expected_level(clean: Tensor, statistics: Statistics) -> Tensor:
    """What noise is divided by before scoring: known before the truth is, so the score is proper.

    The measured level at each pixel's intensity, softened by the overall scale and half a step of
    8 bits, so that nearly noiseless intensities do not outweigh the rest.
    """
    scale = statistics.scale.view(-1, 1, 1, 1)
    (level,) = at_intensity([statistics.level], clean)
    return (level.square() + (0.25 * scale).square() + (0.5 / LEVELS) ** 2).sqrt()


def quantise(clean: Tensor, noise: Tensor) -> Tensor:
    """Noisy picture, clipped and rounded to 8 bits; gradients pass the rounding unchanged."""
    noisy = (clean + noise).clamp(0, 1)
    return noisy + ((noisy * LEVELS).round() / LEVELS - noisy).detach()


def draw_field(clean: Tensor) -> Tensor:
    """A Gaussian field for a batch of crops."""
    height, width = clean.shape[-2] + KERNEL - 1, clean.shape[-1] + KERNEL - 1
    return torch.randn(len(clean), FIELD_CHANNELS, height, width, device=clean.device)


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The batch on the device."""
    windows = type(batch.windows)(*(value.to(device) for value in vars(batch.windows).values()))
    return Batch(
        windows, batch.statistics.to(device), batch.noisy.to(device), batch.clean.to(device)
    )


def train(
    config: TrainingConfig, bank: Path, run: Path, device: torch.device, save_minutes: float = 4.0
) -> Iterator[tuple[int, float]]:
    """Trains to ``config.steps``, from the run's checkpoint if there is one.

    Yields:
        Step and loss, after each step. A checkpoint and weights are written every few minutes
        and when the iteration ends, for whatever reason.
    """
    run.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(config, device)
    checkpoint = run / "checkpoint.pt"
    if checkpoint.exists():
        trainer.load(checkpoint)
        log.info("resumed at step %d", trainer.step)
    sources = load_sources(bank, config)
    # The stream depends on the step it starts at: a resumed run does not see old batches again.
    rng = np.random.default_rng([config.seed, trainer.step])
    torch.manual_seed(config.seed * 1_000_003 + trainer.step)
    stream = batches(sources, config.sets, config.targets, config.crop, rng)
    saved, losses = time.monotonic(), []
    try:
        while trainer.step < config.steps:
            losses.append(trainer.train_step(next(stream)))
            yield trainer.step, losses[-1]
            if len(losses) == 50:
                append_log(run / "log.csv", {"step": trainer.step, "loss": float(np.mean(losses))})
                losses.clear()
            if time.monotonic() - saved > 60 * save_minutes:
                store(trainer, run)
                saved = time.monotonic()
    finally:
        store(trainer, run)


def store(trainer: Trainer, run: Path) -> None:
    """Checkpoint and averaged weights."""
    trainer.save(run / "checkpoint.pt")
    card = {"steps": trainer.step, "training": asdict(trainer.config)}
    shipped = copy.deepcopy(trainer.average)
    shrink_to_start(shipped, trainer.config.keep)
    save_weights(run / "weights.safetensors", shipped, trainer.config.model, card)


def append_log(path: Path, row: dict[str, Any]) -> None:
    """One line of the CSV log."""
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if fresh:
            writer.writeheader()
        writer.writerow(row)
