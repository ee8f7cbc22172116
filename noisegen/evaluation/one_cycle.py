"""Training of the small networks that metrics ask: Adam, one cycle of its rate, a start by seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


def seeded(build: Callable[[], Network], seed: int, device: torch.device) -> Network:
    """A network from the same start for the same seed, whatever was drawn before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build()
    return network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]  # torch's stub lacks it


class OneCycle:
    """The optimiser of one training.

    Args:
        network: that is trained.
        rate: the largest.
        steps: of the whole training.
    """

    def __init__(self, network: nn.Module, rate: float, steps: int) -> None:
        self.optimiser = torch.optim.Adam(network.parameters(), rate)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimiser, rate, steps)

    def descend(self, loss: Tensor) -> None:
        """One step down a loss."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.schedule.step()
