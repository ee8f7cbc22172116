"""Training of the denoiser that estimates the clean of references that have none."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from noisegen.model.config import BlindSpotConfig
from noisegen.model.denoiser import CleanEstimate, Denoiser
from noisegen.training.crops import CropConfig, SimulatedCrops
from noisegen.training.schedule import schedule

log = logging.getLogger(__name__)

Bytes = NDArray[np.uint8]

SMALLEST_ERROR = 0.3 / 255
"""Standard deviation that no estimate is asked to be better than: cleans are rounded too."""

CHECKPOINT = "denoiser.pt"
"""Its name in the folder of a run."""

SAVE_EVERY = 60.0
"""Seconds between checkpoints."""


@dataclass(frozen=True)
class DenoiserTraining:
    """What decides a training of the denoiser.

    Attributes:
        steps: of the optimiser.
        minutes: after which it ends all the same; the learning rate falls with whichever of both
            is nearer to its end.
        crops: in a batch.
        fixed: share of those that are given, not drawn: real pairs and textbook noise.
        rate: peak learning rate (AdamW, warm-up, cosine).
        warmup: steps at the start.
        ema: decay of the averaged weights, which are kept.
        clip: largest norm of the gradient.
        seed: of initialisation, crops and noise.
    """

    steps: int = 8000
    minutes: float = 600.0
    crops: int = 64
    fixed: float = 0.25
    rate: float = 1e-3
    warmup: int = 200
    ema: float = 0.998
    clip: float = 1.0
    seed: int = 0
    model: BlindSpotConfig = field(default_factory=BlindSpotConfig)
    drawn: CropConfig = field(default_factory=CropConfig)


@dataclass(frozen=True)
class DenoiserStep:
    """One step: how many are done, and its loss."""

    step: int
    loss: float


def denoiser_loss(denoiser: Denoiser, noisy: Tensor, clean: Tensor, spot: int) -> Tensor:
    """Gaussian negative log-likelihood of the clean by both branches; a scalar.

    It weighs a picture's errors relative to its own noise, so that quiet cameras count as much
    as loud ones.

    Args:
        denoiser: trained.
        noisy: B×3×H×W in [0, 1].
        clean: the same shape.
        spot: half width of the blind spot, in cells.
    """
    with torch.autocast(noisy.device.type, torch.bfloat16):
        full, blind = denoiser(noisy, spot)
    return _likelihood(full, clean) + _likelihood(blind, clean)


def _likelihood(estimate: CleanEstimate, clean: Tensor) -> Tensor:
    variance = estimate.log_variance.float().clamp(-14, 2).exp() + SMALLEST_ERROR**2
    error = (estimate.clean.float() - clean).square()
    return 0.5 * (error / variance + variance.log()).mean()


def train_denoiser(
    config: DenoiserTraining,
    pictures: Sequence[Bytes],
    fixed: Bytes | None,
    run: Path,
    device: torch.device,
    start: Denoiser | None = None,
) -> Iterator[DenoiserStep]:
    """Trains; the same call again goes on from the checkpoint in ``run``.

    Args:
        config: of the training.
        pictures: clean, H×W×3, that cameras are simulated on.
        fixed: N×2×3×128×128, noisy and clean, or None.
        run: folder of the checkpoint, which :func:`trained_denoiser` reads.
        device: that trains and draws.
        start: trained before, to go on from.
    """
    run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    denoiser = (copy.deepcopy(start) if start else Denoiser(config.model)).to(device)
    denoiser.requires_grad_(True)
    average = copy.deepcopy(denoiser).requires_grad_(False)
    optimiser = torch.optim.AdamW(denoiser.parameters(), betas=(0.9, 0.98), weight_decay=1e-4)
    checkpoint, step = run / CHECKPOINT, 0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        denoiser.load_state_dict(state["denoiser"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        step = int(state["step"])
        log.info("resumed at step %d of %d", step, config.steps)
    # Of its own from where it goes on: a resumed run does not see old crops again.
    drawn = SimulatedCrops(pictures, config.drawn, config.seed * 1_000_003 + step, device)
    rng = np.random.default_rng([config.seed, step])
    given = torch.from_numpy(fixed).to(device) if fixed is not None else None
    began = saved = time.monotonic()
    while step < config.steps:
        minutes = (time.monotonic() - began) / 60
        share = max(step / config.steps, minutes / config.minutes)
        if minutes >= config.minutes:
            break
        for group in optimiser.param_groups:
            group["lr"] = config.rate * _pace(step, share, config)
        pairs = _batch(config, drawn, given, rng).float() / 255
        spot = config.model.spots[int(rng.integers(len(config.model.spots)))]
        loss = denoiser_loss(denoiser, pairs[:, 0], pairs[:, 1], spot)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(denoiser.parameters(), config.clip)
        if bool(torch.isfinite(norm)):
            optimiser.step()
            _average(average, denoiser, min(config.ema, (1 + step) / (10 + step)))
        step += 1
        if time.monotonic() - saved > SAVE_EVERY:
            _save(checkpoint, denoiser, average, optimiser, step, config)
            saved = time.monotonic()
        yield DenoiserStep(step, float(loss.detach()))
    _save(checkpoint, denoiser, average, optimiser, step, config)


def trained_denoiser(run: Path) -> tuple[Denoiser, dict[str, Any]]:
    """The averaged network of a run's checkpoint, and what a card says of its training."""
    state = torch.load(run / CHECKPOINT, map_location="cpu", weights_only=True)
    denoiser = Denoiser(BlindSpotConfig(**state["config"]["model"]))
    denoiser.load_state_dict(state["average"])
    return denoiser, {"steps": state["step"], "training": state["config"]}


def _pace(step: int, share: float, config: DenoiserTraining) -> float:
    """Of the learning rate, by steps or by time."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    return schedule(round(1000 * share), 1000, 0)


def _batch(
    config: DenoiserTraining, drawn: SimulatedCrops, given: Tensor | None, rng: np.random.Generator
) -> Tensor:
    count = round(config.fixed * config.crops) if given is not None else 0
    crops = drawn.batch(config.crops - count)
    if given is None or not count:
        return crops
    index = torch.from_numpy(rng.integers(len(given), size=count)).to(given.device)
    return torch.cat([crops, given[index]])


@torch.no_grad()
def _average(average: nn.Module, model: nn.Module, decay: float) -> None:
    for averaged, current in zip(average.parameters(), model.parameters(), strict=True):
        averaged.lerp_(current, 1 - decay)


def _save(
    path: Path,
    denoiser: Denoiser,
    average: Denoiser,
    optimiser: torch.optim.Optimizer,
    step: int,
    config: DenoiserTraining,
) -> None:
    """A checkpoint, whole or not at all; a broken network never replaces a sound one."""
    if not all(bool(torch.isfinite(value).all()) for value in average.state_dict().values()):
        log.warning("step %d: the network holds NaN; the last checkpoint is kept", step)
        return
    state = {
        "denoiser": denoiser.state_dict(),
        "average": average.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": step,
        "config": asdict(config),
    }
    temporary = path.with_suffix(".part")
    torch.save(state, temporary)
    temporary.replace(path)
