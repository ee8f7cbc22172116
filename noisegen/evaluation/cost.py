"""Cost of a network: parameters, and arithmetic a pixel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from noisegen.model.conditioning import Conditioning, Statistics
from noisegen.model.config import (
    ACTIVITY_NODES,
    BESIDE_MAPS,
    KERNEL,
    MARGINALS,
    NODES,
    OUTSIDE,
    QUANTILE_NODES,
)
from noisegen.model.content_network import ContentNetwork
from noisegen.model.generator import FIELD_CHANNELS
from noisegen.model.surroundings import Surroundings
from noisegen.model.weights import Weights

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
    return _counted(network, lambda: network.log_factor(clean, around, clean, numbers))


def generator_cost(weights: Weights) -> Cost:
    """Counts one pass of a training run's generator on a blank square."""
    encoder = weights.config.encoder
    clean = torch.full((1, 3, SIDE, SIDE), 0.5)
    field = torch.zeros(1, FIELD_CHANNELS, SIDE + KERNEL - 1, SIDE + KERNEL - 1)
    tokens = torch.zeros(1, encoder.global_tokens + encoder.local_tokens, encoder.token_width)
    generator = weights.generator
    return _counted(generator, lambda: generator(clean, field, Conditioning(tokens, _blank())))


def _counted(network: nn.Module, run: Callable[[], Tensor]) -> Cost:
    counter = FlopCounterMode(display=False)
    # Without gradients convolutions are oneDNN's own calls, which the counter does not know.
    with torch.enable_grad(), counter:
        run()
    parameters = sum(p.numel() for p in network.parameters())
    return Cost(parameters, counter.get_total_flops() / SIDE**2 / 1e3)


def _blank() -> Statistics:
    curve = torch.ones(1, 3, NODES + OUTSIDE)
    return Statistics(
        nodes=torch.linspace(0, 1, NODES + OUTSIDE).expand(1, 3, -1),
        mean=curve,
        level=curve,
        usual=curve,
        coverage=curve,
        activity=torch.zeros(1, 3, ACTIVITY_NODES),
        colour=torch.zeros(1, 3, 3),
        colour_reach=torch.zeros(1, 3, 3, 2),
        features=torch.zeros(1, 3, BESIDE_MAPS),
        marginal_at=torch.linspace(0, 1, MARGINALS).expand(1, 3, MARGINALS),
        marginals=torch.zeros(1, 3, MARGINALS, QUANTILE_NODES),
        kernel=torch.zeros(1, 3, 3, KERNEL, KERNEL),
        scale=torch.ones(1),
    )
