"""Cost of a network: parameters, and arithmetic a pixel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from noisegen.model.config import BESIDE_MAPS
from noisegen.model.content_network import ContentNetwork
from noisegen.model.surroundings import Surroundings

SIDE = 256
"""Of the square that is counted, in pixels: one block of synthesis without its context."""


@dataclass(frozen=True)
class Cost:
    """Of one pass.

    Attributes:
        parameters: of the network.
        kflop: thousands of floating-point operations a pixel, two a multiply-add, in convolutions
            and matrix products (the colouring kernel included); a tile's context comes on top.
    """

    parameters: int
    kflop: float


def content_cost(network: ContentNetwork) -> Cost:
    """Counts one pass of a content network on a blank square."""
    clean = torch.full((1, 3, SIDE, SIDE), 0.5)
    numbers = torch.zeros(1, 3, network.config.features + BESIDE_MAPS)
    around = Surroundings.of(clean)
    return counted(network, lambda: network.log_factor(clean, around, clean, numbers))


def counted(network: nn.Module, run: Callable[[], Tensor]) -> Cost:
    """Counts a pass of a network on a square of ``SIDE``."""
    counter = FlopCounterMode(display=False)
    # Without gradients convolutions are oneDNN's own calls, which the counter does not know.
    with torch.enable_grad(), counter:
        run()
    parameters = sum(p.numel() for p in network.parameters())
    return Cost(parameters, counter.get_total_flops() / SIDE**2 / 1e3)
