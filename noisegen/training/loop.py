"""The training loop of all networks: steps, rate, averages, checkpoints, several processes."""

from __future__ import annotations

import copy
import io
import logging
import math
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn

from noisegen.dataset.folder import make_folder
from noisegen.errors import UsageError, WeightsError
from noisegen.files import write_atomically
from noisegen.training.crops import CropConfig, SimulatedCrops

log = logging.getLogger(__name__)

SAVE_EVERY = 60.0
"""Seconds between checkpoints of a single network."""

Network = TypeVar("Network", bound=nn.Module)
Step = TypeVar("Step")


@dataclass(frozen=True, kw_only=True)
class Descent:
    """Configuration that every training shares.

    Attributes:
        warmup: steps at the start, over which the learning rate rises.
        decay: weight decay.
        ema: decay of the averaged weights, which are kept.
        clip: largest norm of the gradient.
        seed: of initialisation, batches and noise.
    """

    warmup: int = 200
    decay: float = 1e-4
    ema: float = 0.998
    clip: float = 1.0
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class OneNetworkTraining(Descent):
    """Configuration of the training of one network on simulated cameras, whatever it learns.

    Attributes:
        steps: of the optimiser.
        minutes: after which it ends all the same; the rate falls by whichever is nearer its end.
        rate: peak learning rate (AdamW, warm-up, cosine).
        drawn: how cameras are drawn.
        pictures: number of the procedural ones.
        pack: SHA-256 of the file of photographs and real pairs, if any.
        onward: the same of the weights whose network it begins with.
    """

    steps: int = 8000
    minutes: float = 600.0
    rate: float = 1e-3
    pictures: int | None = None
    pack: str | None = None
    onward: str | None = None
    drawn: CropConfig = field(default_factory=CropConfig)

    def done(self, step: int, seconds: float) -> float:
        """Share of the training that is done, by steps or by time."""
        return max(step / self.steps, seconds / 60 / self.minutes)

    def pace(self, step: int, seconds: float) -> float:
        """Share of the learning rate."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        return schedule(round(1000 * self.done(step, seconds)), 1000, 0)


@dataclass(frozen=True)
class TrainingStep:
    """One step: how many are done, and its loss."""

    step: int
    loss: float


class Training(Generic[Network]):
    """Network, averaged network, optimiser and count: all that changes while training.

    Args:
        network: to begin with; it is not changed.
        config: of the training, with which checkpoints are tied to it.
        device: that trains.
    """

    free = frozenset({"steps", "minutes"})
    """Fields of the configuration that may change when a run goes on."""

    def __init__(self, network: Network, config: Descent, device: torch.device) -> None:
        self.device, self.step, self.seconds = device, 0, 0.0
        self._descent = config
        self.network = copy.deepcopy(network).to(device).requires_grad_(True)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.optimiser = self.new_optimiser()

    def new_optimiser(self) -> torch.optim.Optimizer:
        """The optimiser of a network that nothing has moved yet."""
        parameters, decay = self.network.parameters(), self._descent.decay
        return torch.optim.AdamW(parameters, betas=(0.9, 0.98), weight_decay=decay)

    @property
    def parts(self) -> dict[str, Any]:
        """Networks and optimisers whose state a checkpoint holds, by name."""
        return {"network": self.network, "average": self.average, "optimiser": self.optimiser}

    def learn(self, loss: Tensor, rate: float) -> float:
        """Makes one step down a loss, the average after it (faster at first); returns the loss."""
        if descend(self.optimiser, loss, self._descent.clip, rate):
            decay = min(self._descent.ema, (1 + self.step) / (10 + self.step))
            parameters = self.average.parameters(), self.network.parameters()
            for averaged, current in zip(*parameters, strict=True):
                averaged.lerp_(current.detach(), 1 - decay)
        self.step += 1
        return float(loss.detach())

    def save(self, path: Path) -> None:
        """Writes a checkpoint, whole or not at all; a broken network replaces no sound one.

        Raises:
            WeightsError: the averaged network holds NaN.
        """
        if not all(bool(torch.isfinite(p).all()) for p in self.average.parameters()):
            raise WeightsError(
                f"{path}: the network holds NaN after {self.step} steps; the last checkpoint is "
                "kept, go on from it with another --seed"
            )
        state = {name: part.state_dict() for name, part in self.parts.items()}
        count = {"step": self.step, "seconds": self.seconds, "config": asdict(self._descent)}
        whole = io.BytesIO()
        torch.save(state | count, whole)
        write_atomically(path, whole.getvalue())

    def resume(self, path: Path, steps: int) -> None:
        """Goes on from a checkpoint, if there is one, towards so many steps.

        Raises:
            UsageError: it is damaged, or of another configuration; only what is ``free`` may
                differ.
        """
        if not path.exists():
            return
        state = read_checkpoint(path, self.device)
        before, now = state["config"], asdict(self._descent)
        differing = [n for n in now if n not in self.free and before.get(n, now[n]) != now[n]]
        if differing:
            raise UsageError(
                f"{path}: was trained with another {', '.join(differing)}; use the same, or "
                "another --run"
            )
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
        log.info("resumed at step %d of %d", self.step, steps)


def read_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Reads a checkpoint: ``average``, ``network``, ``step``, ``config`` and more.

    Raises:
        UsageError: it is damaged.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        if not set(state) >= {"network", "average", "optimiser", "step", "seconds", "config"}:
            raise KeyError("an entry")
    except (OSError, EOFError, RuntimeError, KeyError, TypeError, UnpicklingError):
        raise UsageError(
            f"{path}: no checkpoint of this training; delete it to begin anew, or use another --run"
        ) from None
    return state


def saved_steps(
    more: Callable[[], bool], step: Callable[[], Step], save: Callable[[], None], seconds: float
) -> Generator[Step, None, None]:
    """Takes steps while there are more; saves every so often and at the end, whatever ends it."""
    saved = time.monotonic()
    try:
        while more():
            taken = step()
            if time.monotonic() - saved > seconds:
                save()
                saved = time.monotonic()
            yield taken
    finally:
        save()


def train_network(
    network: Network,
    config: OneNetworkTraining,
    pictures: Sequence[NDArray[np.uint8]],
    checkpoint: Path,
    device: torch.device,
    loss_of: Callable[[Network, SimulatedCrops, np.random.Generator], Tensor],
) -> Generator[TrainingStep, None, None]:
    """Trains one network; the same call again goes on from the checkpoint.

    Args:
        network: to begin with; it is not changed.
        config: of the training; only how long it lasts may change when it goes on.
        pictures: clean, H×W×3, that cameras are simulated on.
        checkpoint: file that :func:`read_checkpoint` reads.
        device: that trains and draws.
        loss_of: draws a batch and gives the network's loss on it.

    Raises:
        UsageError, WeightsError: as :class:`Training` does.
    """
    make_folder(checkpoint.parent)
    training = Training(network, config, device)
    training.resume(checkpoint, config.steps)
    # Of its own from where it goes on: a resumed run does not see old crops again.
    drawn = SimulatedCrops(pictures, config.drawn, config.seed * 1_000_003 + training.step, device)
    rng = np.random.default_rng([config.seed, training.step])
    began = time.monotonic() - training.seconds

    def step() -> TrainingStep:
        rate = config.rate * config.pace(training.step, training.seconds)
        loss = training.learn(loss_of(training.network, drawn, rng), rate)
        training.seconds = time.monotonic() - began
        return TrainingStep(training.step, loss)

    def more() -> bool:
        return config.done(training.step, training.seconds) < 1

    yield from saved_steps(more, step, partial(training.save, checkpoint), SAVE_EVERY)


def trained_network(
    checkpoint: Path, build: Callable[[dict[str, Any]], Network]
) -> tuple[Network, dict[str, Any]]:
    """Loads a checkpoint's averaged network, built of its sizes, and what a card says of it."""
    state = read_checkpoint(checkpoint)
    (network := build(state["config"]["model"])).load_state_dict(state["average"])
    return network, {"steps": state["step"], "training": state["config"]}


def schedule(step: int, steps: int, warmup: int) -> float:
    """Share of the learning rate at a step: warm-up, then half a cosine down to a fiftieth."""
    if step < warmup:
        return (step + 1) / warmup
    share = min(1.0, (step - warmup) / max(1, steps - warmup))
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share))


def descend(
    optimiser: torch.optim.Optimizer, loss: Tensor, clip: float, rate: float | None = None
) -> bool:
    """Makes one step down a loss, averaged over all processes.

    Args:
        optimiser: of the parameters that are moved.
        loss: a scalar.
        clip: largest norm of the gradient.
        rate: of learning; the optimiser's own where it is left out.

    Returns:
        True if it was made: one batch that overflows must not end a training.
    """
    for group in optimiser.param_groups if rate is not None else ():
        group["lr"] = rate
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    average_gradients(parameters)
    if finite := bool(torch.isfinite(nn.utils.clip_grad_norm_(parameters, clip))):
        optimiser.step()
    return finite


def average_gradients(parameters: Sequence[nn.Parameter]) -> None:
    """Replaces gradients by their mean over all processes; alone, leaves them as they are."""
    if not distributed.is_initialized():
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.flatten() for g in gradients])
    distributed.all_reduce(flat)
    means = (flat / distributed.get_world_size()).split([g.numel() for g in gradients])
    for gradient, mean in zip(gradients, means, strict=True):
        gradient.copy_(mean.view_as(gradient))
