"""Training from a bank, stage by stage; the same call again goes on where it stopped."""

from __future__ import annotations

import copy
import csv
import logging
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from noisegen.errors import UsageError
from noisegen.model.generator import FOLLOW_PACE
from noisegen.model.weights import NoiseModel, save_weights
from noisegen.research.generator.config import Shares, Stage, TrainingConfig
from noisegen.research.generator.terms import Validation, validate
from noisegen.research.generator.trainer import Trainer
from noisegen.training.bank import Shard, Source, batches
from noisegen.training.checkpoint import local_device, process_group
from noisegen.training.prepare import HELD_OUT


@torch.no_grad()
def shrunk_to_start(model: NoiseModel, keep: float) -> NoiseModel:
    """A network between a trained one and the classical model that follows local activity.

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


log = logging.getLogger(__name__)

LOG_EVERY = 50
"""Steps between lines of the CSV log."""


@dataclass(frozen=True)
class Progress:
    """One step: its number over all stages, its stage, its loss, the last validation's scores."""

    step: int
    stage: str
    loss: float
    validation: Validation | None = None


def load_sources(bank: Path, shares: Shares) -> list[Source]:
    """The bank's shards by kind.

    Raises:
        UsageError: the bank holds nothing of any of the kinds.
    """
    sources = []
    for kind, share in shares:
        shards = tuple(Shard.load(path) for path in sorted(bank.glob(f"{kind}-*.npz")))
        if shards and share > 0:
            sources.append(Source(kind, share, shards))
    if not sources:
        kinds = ", ".join(kind for kind, _ in shares)
        raise UsageError(f"{bank}: holds no shards of {kinds}; fill it with noisegen train prepare")
    return sources


def train(
    config: TrainingConfig, bank: Path, run: Path, device: torch.device, save_minutes: float = 4.0
) -> Iterator[Progress]:
    """Trains all stages, from the run's checkpoint if there is one.

    Args:
        config: of the run.
        bank: folder of shards.
        run: folder of checkpoint, log and weights.
        device: where to train; under ``torchrun`` each process takes its own GPU.
        save_minutes: between checkpoints.

    Yields:
        Each step. A checkpoint and weights are written every few minutes, at the end of a stage,
        and when the iteration ends, for whatever reason.

    Raises:
        UsageError: the bank holds nothing to train on.
    """
    run.mkdir(parents=True, exist_ok=True)
    with process_group() as rank:
        trainer = Trainer(config, local_device(device))
        checkpoint = run / "checkpoint.pt"
        if checkpoint.exists():
            trainer.load(checkpoint)
            log.info("resumed at step %d of %d", trainer.step, config.steps)
        before = 0
        for stage in config.stages:
            if trainer.step < before + stage.steps:
                yield from _train_stage(trainer, stage, before, bank, run, rank, save_minutes)
            before += stage.steps


def _train_stage(
    trainer: Trainer,
    stage: Stage,
    before: int,
    bank: Path,
    run: Path,
    rank: int,
    save_minutes: float,
) -> Iterator[Progress]:
    sources = load_sources(bank, stage.shares)
    trainer.prepare(sources)
    if trainer.step == before:
        trainer.begin_stage()
    held_out = load_sources(bank, ((HELD_OUT, 1.0),)) if any(bank.glob(f"{HELD_OUT}-*")) else []
    # The stream depends on the step it starts at: a resumed run does not see old batches again.
    config = trainer.config
    rng = np.random.default_rng([config.seed, trainer.step, rank])
    torch.manual_seed((config.seed * 1_000_003 + trainer.step) * 64 + rank)
    two = config.objectives.contrastive > 0
    stream = batches(sources, config.sets, config.targets, config.crop, rng, two)
    saved, losses, scores = time.monotonic(), [], None
    try:
        while trainer.step < before + stage.steps:
            losses.append(trainer.train_step(next(stream), stage, trainer.step - before))
            yield Progress(trainer.step, stage.name, losses[-1], scores)
            if len(losses) == LOG_EVERY and rank == 0:
                row = {"step": trainer.step, "stage": stage.name, "loss": float(np.mean(losses))}
                _append(run / "loss.csv", row)
                losses.clear()
            if time.monotonic() - saved > 60 * save_minutes and rank == 0:
                scores = _store(trainer, stage, run, held_out)
                saved = time.monotonic()
    finally:
        if rank == 0:
            _store(trainer, stage, run, held_out)


def _store(trainer: Trainer, stage: Stage, run: Path, held_out: list[Source]) -> Validation | None:
    """Checkpoint, averaged weights, and their scores where the bank has held-out settings."""
    trainer.save(run / "checkpoint.pt")
    model = shrunk_to_start(trainer.average, trainer.config.keep)
    scores: Validation | None = None
    if held_out:
        scores = validate(model, held_out, trainer.device)
        log.info("step %d of %d: %s", trainer.step, trainer.config.steps, scores)
        _append(run / "validation.csv", {"step": trainer.step, **asdict(scores)})
    card = {
        "steps": trainer.step,
        "stage": stage.name,
        "training": asdict(trainer.config),
        "validation": asdict(scores) if scores else None,
    }
    config = trainer.config.model
    save_weights(run / f"noisegen-{stage.name}.safetensors", model, config, card)
    return scores


def _append(path: Path, row: dict[str, Any]) -> None:
    """One line of a CSV log."""
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if fresh:
            writer.writeheader()
        writer.writerow(row)
