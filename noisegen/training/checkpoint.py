"""What all trainings share: the learning rate, averaged weights, steps and checkpoints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from noisegen.errors import UsageError, WeightsError
from noisegen.training.distributed import average_gradients


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
