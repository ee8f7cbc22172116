"""The training of one network by itself: averaged weights, checkpoints, an end by steps or time."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from noisegen.errors import UsageError
from noisegen.training.checkpoint import (
    descend,
    refuse_other,
    save_checkpoint,
    schedule,
    set_rate,
    update_average,
)

log = logging.getLogger(__name__)

SAVE_EVERY = 60.0
"""Seconds between checkpoints."""

_ENTRIES = {"network", "average", "optimiser", "step", "seconds", "config"}

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class OneNetworkTraining:
    """What decides how one network is trained, whatever it learns.

    Attributes:
        steps: of the optimiser.
        minutes: after which it ends all the same; the learning rate falls with whichever of both
            is nearer to its end.
        rate: peak learning rate (AdamW, warm-up, cosine).
        warmup: steps at the start.
        ema: decay of the averaged weights, which are kept.
        clip: largest norm of the gradient.
        seed: of initialisation, crops and noise.
    """

    steps: int = 8000
    minutes: float = 600.0
    rate: float = 1e-3
    warmup: int = 200
    ema: float = 0.998
    clip: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class TrainingStep:
    """One step: how many are done, and its loss."""

    step: int
    loss: float


def train_network(
    network: Network,
    config: OneNetworkTraining,
    checkpoint: Path,
    device: torch.device,
    begin: Callable[[int], Callable[[Network], Tensor]],
) -> Generator[TrainingStep, None, None]:
    """Trains; the same call again goes on from the checkpoint.

    Args:
        network: to begin with; it is not changed.
        config: of the training, all of which the checkpoint is tied to but how long it lasts.
        checkpoint: file that :func:`read_checkpoint` reads.
        device: that trains.
        begin: from the step that it goes on from, what draws a batch and gives the network's loss.

    Raises:
        UsageError: the checkpoint is damaged, or of another configuration.
        WeightsError: the averaged network holds NaN; the last checkpoint is kept.
    """
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    state = _State(network, config, device)
    if checkpoint.exists():
        state.load(checkpoint)
        log.info("resumed at step %d of %d", state.step, config.steps)
    loss_of = begin(state.step)
    began, before, saved = time.monotonic(), state.seconds, time.monotonic()
    try:
        while (share := state.done) < 1:
            loss = state.learn(loss_of(state.network), _pace(state.step, share, config))
            state.seconds = before + time.monotonic() - began
            if time.monotonic() - saved > SAVE_EVERY:
                state.save(checkpoint)
                saved = time.monotonic()
            yield TrainingStep(state.step, loss)
    finally:
        state.save(checkpoint)


def read_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """All that a checkpoint holds: ``average`` and ``network``, ``step``, ``config`` and more.

    Raises:
        UsageError: it is damaged.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        if not set(state) >= _ENTRIES:
            raise KeyError("an entry")
    except (OSError, EOFError, RuntimeError, KeyError, TypeError, UnpicklingError):
        raise UsageError(
            f"{path}: no checkpoint of this training; delete it to begin anew, or use another --run"
        ) from None
    return state


class _State(Generic[Network]):
    """Network, averaged network, optimiser and count: all that changes while training."""

    def __init__(self, network: Network, config: OneNetworkTraining, device: torch.device) -> None:
        self.config, self.device = config, device
        self.network = copy.deepcopy(network).to(device).requires_grad_(True)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), betas=(0.9, 0.98), weight_decay=1e-4
        )
        self.step, self.seconds = 0, 0.0

    @property
    def done(self) -> float:
        """Share of the training that is done, by steps or by time."""
        return max(self.step / self.config.steps, self.seconds / 60 / self.config.minutes)

    def learn(self, loss: Tensor, pace: float) -> float:
        """One step down a loss, at a share of the rate; returns the loss."""
        set_rate(self.optimiser, self.config.rate * pace)
        if descend(self.optimiser, loss, [*self.network.parameters()], self.config.clip):
            update_average(self.average, self.network, self.step, self.config.ema)
        self.step += 1
        return float(loss.detach())

    def save(self, path: Path) -> None:
        """Writes a checkpoint; errors as of :func:`.save_checkpoint`."""
        state = {
            "network": self.network.state_dict(),
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
        state = read_checkpoint(path, self.device)
        refuse_other(path, state["config"], asdict(self.config), {"steps", "minutes"})
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds = int(state["step"]), float(state["seconds"])


def _pace(step: int, share: float, config: OneNetworkTraining) -> float:
    """Share of the learning rate at a step, by steps or by time."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    return schedule(round(1000 * share), 1000, 0)
