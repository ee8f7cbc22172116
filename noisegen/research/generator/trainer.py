"""Model, averaged model, objectives and optimisers: one step, and all that a checkpoint holds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from noisegen.errors import UsageError
from noisegen.evaluation.denoiser import train_denoiser
from noisegen.model.weights import NoiseModel, load_weights
from noisegen.research.generator.config import Stage, TrainingConfig
from noisegen.research.generator.terms import Terms, generate
from noisegen.training.bank import Batch, Source, to_device
from noisegen.training.checkpoint import (
    descend,
    refuse_other,
    save_checkpoint,
    schedule,
    set_rate,
    update_average,
)


class Trainer:
    """Networks, optimisers and count: all that changes while training."""

    def __init__(self, config: TrainingConfig, device: torch.device) -> None:
        torch.manual_seed(config.seed)
        self.config, self.device, self.step = config, device, 0
        self.model = NoiseModel(config.model).to(device)
        if config.denoiser is not None:
            self._take_denoiser(config.denoiser)
        self.average = NoiseModel(config.model).to(device)
        self.average.load_state_dict(self.model.state_dict())
        self.average.requires_grad_(False)
        self.terms = Terms(config.objectives, self.model).to(device)
        self.optimiser = self._new_optimiser()
        self.adversary: torch.optim.Optimizer | None = None
        if config.objectives.adversarial:
            parameters = self.terms.discriminator.parameters()
            rate = config.objectives.discriminator_rate
            self.adversary = torch.optim.AdamW(parameters, rate, betas=(0.5, 0.99))

    def _take_denoiser(self, weights: str) -> None:
        """What is written holds a denoiser too, which is trained by itself."""
        shipped = load_weights(weights)
        if shipped.config.denoiser != self.config.model.denoiser:
            raise UsageError(f"--denoiser {weights}: its denoiser has other sizes than the model's")
        self.model.denoiser.load_state_dict(shipped.denoiser.state_dict())

    def _new_optimiser(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(
            self.model.parameters(), betas=(0.9, 0.98), weight_decay=self.config.decay
        )

    def begin_stage(self) -> None:
        """Goes on from the averaged weights, which the stage before has written."""
        self.model.load_state_dict(self.average.state_dict())
        self.optimiser = self._new_optimiser()

    def prepare(self, sources: list[Source]) -> None:
        """Trains the frozen denoiser that the alignment term looks through."""
        config = self.config.objectives
        if not config.alignment or self.step:
            return
        rng = np.random.default_rng(self.config.seed)
        pairs = [pair for source in sources for pair in source.pairs(60, rng)]
        trained = train_denoiser(pairs, config.denoiser, self.device)
        self.terms.denoiser.load_state_dict(trained.state_dict())

    def train_step(self, batch: Batch, stage: Stage, within: int) -> float:
        """One optimiser step; returns the loss.

        Args:
            batch: on any device.
            stage: being trained.
            within: steps of it that are done.
        """
        rate = stage.rate * schedule(within, stage.steps, self.config.warmup)
        set_rate(self.optimiser, rate)
        batch = to_device(batch, self.device)
        loss = self._train_noise(batch)
        update_average(self.average, self.model, self.step, self.config.ema)
        self.step += 1
        return float(loss.detach())

    def _train_noise(self, batch: Batch) -> Tensor:
        made = generate(self.model, batch, self.terms.draws, self.device)
        if self.adversary is not None:
            self._step(self.adversary, self.terms.discriminator_loss(made), self.terms)
        loss = self.terms.generator_loss(made, batch)
        self._step(self.optimiser, loss, self.model)
        self.terms.after_step(self.model)
        return loss

    def _step(self, optimiser: torch.optim.Optimizer, loss: Tensor, trained: nn.Module) -> None:
        descend(optimiser, loss, [*trained.parameters()], self.config.clip)

    def save(self, path: Path) -> None:
        """Writes a checkpoint; errors as of :func:`.save_checkpoint`."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "terms": self.terms.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "adversary": self.adversary.state_dict() if self.adversary is not None else None,
            "step": self.step,
            "config": asdict(self.config),
        }
        save_checkpoint(path, state, self.average)

    def load(self, path: Path) -> None:
        """Goes on from a checkpoint.

        Raises:
            UsageError: it is of another configuration; only the stages may be others.
        """
        state = torch.load(path, map_location=self.device, weights_only=True)
        refuse_other(path, state["config"], asdict(self.config), {"stages"})
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.terms.load_state_dict(state["terms"])
        self.optimiser.load_state_dict(state["optimiser"])
        if self.adversary is not None:
            self.adversary.load_state_dict(state["adversary"])
        self.step = int(state["step"])
