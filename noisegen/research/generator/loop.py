"""Training from a bank, stage by stage; the same call again goes on where it stopped."""

from __future__ import annotations

import copy
import csv
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import distributed

from noisegen.dataset.folder import make_folder
from noisegen.errors import UsageError
from noisegen.evaluation.denoiser import train_denoiser
from noisegen.model.generator import FOLLOW_PACE
from noisegen.model.weights import NoiseModel, load_weights, save_weights
from noisegen.research.generator.config import Shares, Stage, TrainingConfig
from noisegen.research.generator.terms import Terms, Validation, generate, validate
from noisegen.training.bank import Batch, Shard, Source, batches, to_device
from noisegen.training.loop import (
    Training,
    TrainingStep,
    descend,
    saved_steps,
    schedule,
)
from noisegen.training.prepare import HELD_OUT

log = logging.getLogger(__name__)

LOG_EVERY = 50
"""Steps between lines of the CSV log."""

SAVE_EVERY = 240.0
"""Seconds between checkpoints: each is validated."""


@dataclass(frozen=True)
class Progress(TrainingStep):
    """One step, counted over all stages, with its stage and the last validation's scores."""

    stage: str
    validation: Validation | None = None


class Trainer(Training[NoiseModel]):
    """A model being trained, with its objectives and an adversary where they need one."""

    free = frozenset({"stages"})

    def __init__(self, config: TrainingConfig, device: torch.device) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        model = NoiseModel(config.model)
        if config.denoiser is not None:
            # What is written holds a denoiser too, which is trained by itself.
            shipped = load_weights(config.denoiser)
            if shipped.config.denoiser != config.model.denoiser:
                name = config.denoiser
                raise UsageError(
                    f"--denoiser {name}: its denoiser has other sizes than the model's"
                )
            model.denoiser.load_state_dict(shipped.denoiser.state_dict())
        super().__init__(model, config, device)
        self.terms = Terms(config.objectives, self.network).to(device)
        self.adversary: torch.optim.Optimizer | None = None
        if config.objectives.adversarial:
            parameters = self.terms.discriminator.parameters()
            rate = config.objectives.discriminator_rate
            self.adversary = torch.optim.AdamW(parameters, rate, betas=(0.5, 0.99))

    @property
    def parts(self) -> dict[str, Any]:
        """Networks and optimisers whose state a checkpoint holds, by name."""
        beside = {"adversary": self.adversary} if self.adversary is not None else {}
        return {**super().parts, "terms": self.terms, **beside}

    def begin_stage(self) -> None:
        """Goes on from the averaged weights, which the stage before has written."""
        self.network.load_state_dict(self.average.state_dict())
        self.optimiser = self.new_optimiser()

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
        """Makes one optimiser step; returns the loss.

        Args:
            batch: on any device.
            stage: being trained.
            within: steps of it that are done.
        """
        batch = to_device(batch, self.device)
        made = generate(self.network, batch, self.terms.draws, self.device)
        if self.adversary is not None:
            descend(self.adversary, self.terms.discriminator_loss(made), self.config.clip)
        rate = stage.rate * schedule(within, stage.steps, self.config.warmup)
        loss = self.learn(self.terms.generator_loss(made, batch), rate)
        self.terms.after_step(self.network)
        return loss


def train(
    config: TrainingConfig, bank: Path, run: Path, device: torch.device
) -> Iterator[Progress]:
    """Trains all stages, from the run's checkpoint if there is one.

    Args:
        config: of the run.
        bank: folder of shards.
        run: folder of checkpoint, log and weights.
        device: where to train; under ``torchrun`` each process takes its own GPU.

    Yields:
        Each step. A checkpoint and weights are written every few minutes, at the end of a stage,
        and when the iteration ends, for whatever reason.

    Raises:
        UsageError: the bank holds nothing to train on.
    """
    for stage in config.stages:
        _check_bank(bank, stage.shares)
    make_folder(run)
    with process_group() as rank:
        trainer = Trainer(config, local_device(device))
        trainer.resume(run / "checkpoint.pt", config.steps)
        before = 0
        for stage in config.stages:
            if trainer.step < before + stage.steps:
                yield from _train_stage(trainer, stage, before, (bank, run), rank)
            before += stage.steps


def _train_stage(
    trainer: Trainer, stage: Stage, before: int, folders: tuple[Path, Path], rank: int
) -> Iterator[Progress]:
    (bank, run), config = folders, trainer.config
    sources = load_sources(bank, stage.shares)
    trainer.prepare(sources)
    if trainer.step == before:
        trainer.begin_stage()
    held_out = load_sources(bank, ((HELD_OUT, 1.0),)) if any(bank.glob(f"{HELD_OUT}-*")) else []
    # The stream depends on the step it starts at: a resumed run does not see old batches again.
    rng = np.random.default_rng([config.seed, trainer.step, rank])
    torch.manual_seed((config.seed * 1_000_003 + trainer.step) * 64 + rank)
    two = config.objectives.contrastive > 0
    stream = batches(sources, config.sets, config.targets, config.crop, rng, two)
    losses: list[float] = []
    scores: Validation | None = None

    def step() -> Progress:
        losses.append(trainer.train_step(next(stream), stage, trainer.step - before))
        progress = Progress(trainer.step, losses[-1], stage.name, scores)
        if len(losses) == LOG_EVERY and rank == 0:
            row = {"step": trainer.step, "stage": stage.name, "loss": float(np.mean(losses))}
            _append(run / "loss.csv", row)
            losses.clear()
        return progress

    def save() -> None:
        nonlocal scores
        if rank == 0:
            scores = _store(trainer, stage, run, held_out)

    yield from saved_steps(lambda: trainer.step < before + stage.steps, step, save, SAVE_EVERY)


def _store(trainer: Trainer, stage: Stage, run: Path, held_out: list[Source]) -> Validation | None:
    """Writes checkpoint and averaged weights; returns their scores on held-out settings, if any."""
    trainer.save(run / "checkpoint.pt")
    model = shrunk_to_start(trainer.average, trainer.config.keep)
    scores = validate(model, held_out, trainer.device) if held_out else None
    if scores is not None:
        log.info("step %d of %d: %s", trainer.step, trainer.config.steps, scores)
        _append(run / "validation.csv", {"step": trainer.step, **asdict(scores)})
    card = {
        "steps": trainer.step,
        "stage": stage.name,
        "training": asdict(trainer.config),
        "validation": asdict(scores) if scores else None,
    }
    save_weights(run / f"noisegen-{stage.name}.safetensors", model, trainer.config.model, card)
    return scores


def load_sources(bank: Path, shares: Shares) -> list[Source]:
    """Loads the bank's shards by kind.

    Raises:
        UsageError: the bank holds nothing of any of the kinds.
    """
    _check_bank(bank, shares)
    sources = []
    for kind, share in shares:
        shards = tuple(Shard.load(path) for path in sorted(bank.glob(f"{kind}-*.npz")))
        if shards and share > 0:
            sources.append(Source(kind, share, shards))
    return sources


def _check_bank(bank: Path, shares: Shares) -> None:
    if not any(share > 0 and any(bank.glob(f"{kind}-*.npz")) for kind, share in shares):
        kinds = ", ".join(kind for kind, _ in shares)
        raise UsageError(f"{bank}: holds no shards of {kinds}; fill it with noisegen train prepare")


@torch.no_grad()
def shrunk_to_start(model: NoiseModel, keep: float) -> NoiseModel:
    """Averages a trained network with the classical model that follows local activity.

    Both predict the same thing and their last layers are linear, so the average of the two is one
    network again. Such averages lose little where training was and gain elsewhere (Wortsman et
    al., *Robust fine-tuning of zero-shot models*, CVPR 2022): here, on cameras never trained on.

    Args:
        model: trained; left as it is.
        keep: share in [0, 1] of the learned change that stays.
    """
    shrunk = copy.deepcopy(model)
    generator = shrunk.pixel_generator
    for parameter in (*generator.output.parameters(), *generator.follow.parameters()):
        parameter.mul_(keep)
    generator.follow.bias.add_((1 - keep) / FOLLOW_PACE)
    return shrunk


def _append(path: Path, row: dict[str, Any]) -> None:
    """Adds a line to a CSV log."""
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if fresh:
            writer.writeheader()
        writer.writerow(row)


@contextmanager
def process_group() -> Iterator[int]:
    """Joins the other processes that ``torchrun`` started, if any; yields this one's rank."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield 0
        return
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield distributed.get_rank()
    finally:
        distributed.destroy_process_group()


def local_device(device: torch.device) -> torch.device:
    """This process's GPU where there are several."""
    rank = os.environ.get("LOCAL_RANK")
    return torch.device("cuda", int(rank)) if device.type == "cuda" and rank else device
