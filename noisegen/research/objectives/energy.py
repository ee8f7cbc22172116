"""Distances of distributions without an adversary: energy score and histograms.

The energy score (Gneiting and Raftery, JASA 2007, Eq. 22) of a forecast distribution against one
observation y is E‖X − y‖ − ½ E‖X − X′‖: smallest in expectation where the forecast is the truth.
With two draws of the generator a sample it needs no adversary and is unbiased. Here it is taken
on the noise of one patch, in several views of it: pixels in patches of several sizes and scales,
and the local power of the noise under small filters, which is what grain and colour are.

The histogram loss is after GuidNoise (arXiv 2512.04456), whose noise-aware refine loss compares the
distributions of generated and real noise. Here the distance is taken between cumulative histograms,
where it is the earth mover's distance: its gradient has the same size however far a value has to
go, while a distance bin by bin (L1, KL) is flat as soon as two histograms do not overlap, and
divides by nearly empty bins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

EPSILON = 1e-6


@dataclass(frozen=True)
class EnergyConfig:
    """Views of the noise that the energy score is summed over.

    Attributes:
        patches: sides of the pixel patches, in pixels of each scale.
        scales: how often the resolution is halved, the full one included.
        power_windows: sides of the windows of local power, each a multiple of the one before; the
            whole patch always follows.
        power_weight: of the power views relative to the pixel views.
    """

    patches: tuple[int, ...] = (1, 3, 8)
    scales: int = 3
    power_windows: tuple[int, ...] = (4, 16)
    power_weight: float = 1.0


def energy_score(first: Tensor, second: Tensor, truth: Tensor, config: EnergyConfig) -> Tensor:
    """Energy score of two draws against the truth, over all views; a scalar.

    Args:
        first: B×3×H×W, one draw of noise, in units of the expected local level.
        second: an independent draw.
        truth: the real noise.
        config: the views.
    """
    pixels, power = [], []
    for scale in range(config.scales):
        if scale:
            # Twice the mean keeps white noise at unit variance.
            first, second, truth = (2 * F.avg_pool2d(x, 2) for x in (first, second, truth))
        pixels.append(patch_energy(first, second, truth, config.patches))
        power.append(power_energy(first, second, truth, config.power_windows))
    return torch.stack(pixels).mean() + config.power_weight * torch.stack(power).mean()


def patch_energy(first: Tensor, second: Tensor, truth: Tensor, sides: Sequence[int]) -> Tensor:
    """Energy score of pixel patches, averaged over their sizes."""
    squares = [
        (a - b).square().mean(1, keepdim=True)
        for a, b in ((first, truth), (second, truth), (first, second))
    ]
    scores = []
    for side in sides:
        norms = [(_pool(square, side) + EPSILON).sqrt().mean() for square in squares]
        scores.append(_score(*norms))
    return torch.stack(scores).mean()


def power_energy(first: Tensor, second: Tensor, truth: Tensor, windows: Sequence[int]) -> Tensor:
    """Energy score of the noise's local root-mean-square under small filters.

    Each filter's level is scored by itself (a proper score of one number, which sees each band and
    colour) and all of them together.
    """
    powers = [filtered(x).square() for x in (first, second, truth)]
    scores, side = [], 1
    for window in (*windows, None):
        powers = [_coarser(power, side, window) for power in powers]
        side = window or side
        levels = [(power + 1e-4).sqrt() for power in powers]
        differences = [levels[a] - levels[b] for a, b in ((0, 2), (1, 2), (0, 1))]
        scores.append(_score(*(d.abs().mean() for d in differences)))
        norms = [(d.square().mean(1) + EPSILON).sqrt().mean() for d in differences]
        scores.append(_score(*norms))
    return torch.stack(scores).mean()


def filtered(noise: Tensor) -> Tensor:
    """Responses to small filters: identity, derivatives, colour differences.

    Args:
        noise: B×3×H×W.

    Returns:
        B×12×(H − 1)×(W − 1).
    """
    here = noise[..., :-1, :-1]
    across, down = noise[..., :-1, 1:] - here, noise[..., 1:, :-1] - here
    colour = torch.roll(here, 1, 1) - here
    return torch.cat([here, across, down, colour], 1)


def _score(first_truth: Tensor, second_truth: Tensor, first_second: Tensor) -> Tensor:
    return 0.5 * (first_truth + second_truth - first_second)


def _pool(square: Tensor, side: int) -> Tensor:
    """Mean over every patch, half overlapping."""
    return F.avg_pool2d(square, side, stride=max(1, side // 2)) if side > 1 else square


def _coarser(power: Tensor, side: int, window: int | None) -> Tensor:
    """Power averaged over larger windows: from windows of ``side``, or over the whole patch."""
    if window is None:
        return power.mean((-2, -1), keepdim=True)
    step = min(window // side, *power.shape[-2:])
    return F.avg_pool2d(power, step)


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
