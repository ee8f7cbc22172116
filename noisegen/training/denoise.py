"""Training of the denoiser that estimates the clean of references that have none."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from noisegen.errors import UsageError
from noisegen.model.config import BlindSpotConfig
from noisegen.model.denoiser import CleanEstimate, Denoiser
from noisegen.training.checkpoint import save_checkpoint, update_average
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
        model: sizes of the network.
        drawn: how cameras are drawn.
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
) -> Generator[DenoiserStep, None, None]:
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
    state, checkpoint = _State(config, device, start), run / CHECKPOINT
    if checkpoint.exists():
        state.load(checkpoint)
        log.info("resumed at step %d of %d", state.step, config.steps)
    # Of its own from where it goes on: a resumed run does not see old crops again.
    drawn = SimulatedCrops(pictures, config.drawn, config.seed * 1_000_003 + state.step, device)
    rng = np.random.default_rng([config.seed, state.step])
    given = torch.from_numpy(fixed).to(device) if fixed is not None else None
    began, before, saved = time.monotonic(), state.seconds, time.monotonic()
    try:
        while (share := _done(state, config)) < 1:
            pairs = _batch(config, drawn, given, rng).float() / 255
            spot = config.model.spots[int(rng.integers(len(config.model.spots)))]
            loss = state.learn(pairs, spot, _pace(state.step, share, config))
            state.seconds = before + time.monotonic() - began
            if time.monotonic() - saved > SAVE_EVERY:
                state.save(checkpoint)
                saved = time.monotonic()
            yield DenoiserStep(state.step, loss)
    finally:
        state.save(checkpoint)


class _State:
    """All that changes while training."""

    def __init__(
        self, config: DenoiserTraining, device: torch.device, start: Denoiser | None
    ) -> None:
        self.config, self.device = config, device
        self.denoiser = (copy.deepcopy(start) if start else Denoiser(config.model)).to(device)
        self.denoiser.requires_grad_(True)
        self.average = copy.deepcopy(self.denoiser).requires_grad_(False)
        self.optimiser = torch.optim.AdamW(
            self.denoiser.parameters(), betas=(0.9, 0.98), weight_decay=1e-4
        )
        self.step, self.seconds = 0, 0.0

    def learn(self, pairs: Tensor, spot: int, pace: float) -> float:
        """One step on B×2×3×128×128 pairs in [0, 1]; returns the loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.rate * pace
        loss = denoiser_loss(self.denoiser, pairs[:, 0], pairs[:, 1], spot)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.denoiser.parameters(), self.config.clip)
        # One batch that overflows must not end a training.
        if bool(torch.isfinite(norm)):
            self.optimiser.step()
            update_average(self.average, self.denoiser, self.step, self.config.ema)
        self.step += 1
        return float(loss.detach())

    def save(self, path: Path) -> None:
        """Writes a checkpoint; errors as of :func:`.save_checkpoint`."""
        state = {
            "denoiser": self.denoiser.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "config": asdict(self.config),
        }
        save_checkpoint(path, state, self.average)

    def load(self, path: Path) -> None:
        """Goes on from a checkpoint.

        Raises:
            UsageError: it is damaged, or of another configuration; only how long it trains may be
                another.
        """
        state = _read(path, self.device)
        for name, value in asdict(self.config).items():
            if name not in ("steps", "minutes") and state["config"].get(name) != value:
                raise UsageError(
                    f"{path}: was trained with another {name}; use the same, or another --run"
                )
        self.denoiser.load_state_dict(state["denoiser"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds = int(state["step"]), float(state["seconds"])


def _read(path: Path, device: torch.device) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        if not {"denoiser", "average", "optimiser", "step", "seconds", "config"} <= set(state):
            raise KeyError("an entry")
    except (OSError, EOFError, RuntimeError, KeyError, TypeError, UnpicklingError):
        raise UsageError(
            f"{path}: no checkpoint of a denoiser; delete it to begin anew, or use another --run"
        ) from None
    return state


def _done(state: _State, config: DenoiserTraining) -> float:
    """Share of the training that is done, by steps or by time."""
    return max(state.step / config.steps, state.seconds / 60 / config.minutes)


def trained_denoiser(run: Path) -> tuple[Denoiser, dict[str, Any]]:
    """The averaged network of a run's checkpoint, and what a card says of its training."""
    state = _read(run / CHECKPOINT, torch.device("cpu"))
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
