"""Differentiable histogram of noise and the distance of two of them.

After GuidNoise (arXiv 2512.04456), whose noise-aware refine loss compares the distributions of
generated and real noise. Here the distance is taken between cumulative histograms, where it is the
earth mover's distance: its gradient has the same size however far a value has to go, while a
distance bin by bin (L1, KL) is flat as soon as two histograms do not overlap, and divides by
nearly empty bins.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class HistogramConfig:
    """Where the histogram's nodes stand.

    Attributes:
        reach: of the outer nodes, in units of the noise; values beyond count as if they were there.
        bins: nodes, evenly spaced over ±reach.
    """

    reach: float = 6.0
    bins: int = 97


def soft_histogram(noise: Tensor, config: HistogramConfig) -> Tensor:
    """Histogram with triangular kernels: a value is shared by the two nodes it lies between.

    Args:
        noise: B×C×H×W, in units of the expected local level.
        config: the nodes.

    Returns:
        B×C×bins, float32, each summing to 1.
    """
    values = noise.float().flatten(2)
    spacing = 2 * config.reach / (config.bins - 1)
    position = (values.clamp(-config.reach, config.reach) + config.reach) / spacing
    lower = position.detach().floor().clamp(max=config.bins - 2)
    share = position - lower
    index = lower.long()
    empty = values.new_zeros(*values.shape[:2], config.bins)
    counts = empty.scatter_add(-1, index, 1 - share).scatter_add(-1, index + 1, share)
    return counts / values.shape[-1]


def histogram_loss(fake: Tensor, real: Tensor, config: HistogramConfig) -> Tensor:
    """Earth mover's distance of the marginals, per sample and channel; a scalar.

    In one dimension it is the area between the cumulative distributions, so a shift by s costs s
    and a factor of g on Gaussian noise costs |g − 1|·√(2/π).

    Args:
        fake: B×C×H×W, generated noise in units of the expected local level.
        real: the same shape; another draw, as only marginals are compared.
        config: the nodes.
    """
    difference = soft_histogram(fake, config) - soft_histogram(real, config)
    spacing = 2 * config.reach / (config.bins - 1)
    return spacing * torch.cumsum(difference, -1).abs().sum(-1).mean()
