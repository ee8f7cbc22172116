"""What all trainings share: the learning rate, averaged weights, steps and checkpoints."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn

from noisegen.errors import UsageError, WeightsError


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


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replaces gradients by their mean over all processes."""
    if not distributed.is_initialized():
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    parts = torch.split(flat, [gradient.numel() for gradient in gradients])
    for gradient, mean in zip(gradients, parts, strict=True):
        gradient.copy_(mean.view_as(gradient))


def schedule(step: int, steps: int, warmup: int) -> float:
    """Warm-up, then half a cosine down to a fiftieth."""
    if step < warmup:
        return (step + 1) / warmup
    share = min(1.0, (step - warmup) / max(1, steps - warmup))
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share))


def descend(
    optimiser: torch.optim.Optimizer, loss: Tensor, parameters: Sequence[nn.Parameter], clip: float
) -> bool:
    """One step down a loss, with a gradient of at most ``clip``, averaged over all processes.

    Returns:
        Whether it was made: one batch that overflows must not end a training.
    """
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    average_gradients(parameters)
    norm = nn.utils.clip_grad_norm_(parameters, clip)
    finite = bool(torch.isfinite(norm))
    if finite:
        optimiser.step()
    return finite


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Sets the learning rate of the next step."""
    for group in optimiser.param_groups:
        group["lr"] = rate


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, step: int, ema: float) -> None:
    """Moves averaged weights towards the current ones, faster in the first steps."""
    decay = min(ema, (1 + step) / (10 + step))
    for averaged, current in zip(average.parameters(), model.parameters(), strict=True):
        averaged.lerp_(current, 1 - decay)


def save_checkpoint(path: Path, state: dict[str, Any], average: nn.Module) -> None:
    """Writes a checkpoint, whole or not at all; a broken network replaces no sound one.

    Args:
        path: of the checkpoint.
        state: all that changes while training, ``step`` among it.
        average: the averaged network.

    Raises:
        WeightsError: the network holds NaN.
    """
    if not all(bool(torch.isfinite(p).all()) for p in average.parameters()):
        raise WeightsError(
            f"{path}: the network holds NaN after {state['step']} steps; the last checkpoint is "
            "kept, go on from it with another --seed"
        )
    temporary = path.with_suffix(".part")
    torch.save(state, temporary)
    temporary.replace(path)


def refuse_other(path: Path, before: dict[str, Any], now: dict[str, Any], free: set[str]) -> None:
    """Refuses to go on with another configuration than the checkpoint's.

    Args:
        path: of the checkpoint.
        before: its configuration.
        now: what is asked for.
        free: names of what may be another.

    Raises:
        UsageError: something else is another.
    """
    differing = [name for name in now if name not in free and before.get(name) != now[name]]
    if differing:
        raise UsageError(
            f"{path}: was trained with another {', '.join(differing)}; use the same, or another "
            "--run"
        )
