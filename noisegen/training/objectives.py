"""Training objectives, each a function of its own.

The energy score (Gneiting and Raftery, JASA 2007, Eq. 22) of a forecast distribution against one
observation y is E‖X − y‖ − ½ E‖X − X′‖: smallest in expectation where the forecast is the truth.
With two draws of the generator a sample it needs no adversary and is unbiased. Here it is taken
on the noise of one patch, in several views of it: pixels in patches of several sizes and scales,
and the local power of the noise under small filters, which is what grain and colour are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

EPSILON = 1e-6

Norm = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class EnergyConfig:
    """Views of the noise that the energy score is summed over.

    Attributes:
        patches: sides of the pixel patches, in pixels of each scale.
        scales: halvings of the resolution.
        power_windows: sides of the windows that local power is averaged over.
        power_weight: of the power views relative to the pixel views.
    """

    patches: tuple[int, ...] = (1, 3, 8)
    scales: int = 3
    power_windows: tuple[int, ...] = (4, 16, 128)
    power_weight: float = 1.0


def energy_score(first: Tensor, second: Tensor, truth: Tensor, config: EnergyConfig) -> Tensor:
    """Energy score of two draws against the truth, over all views; a scalar.

    Args:
        first: B×3×H×W, one draw of noise, in units of the expected local level.
        second: an independent draw.
        truth: the real noise.
        config: the views.
    """
    pixels = patch_energy(first, second, truth, config)
    power = power_energy(first, second, truth, config)
    return pixels + config.power_weight * power


def patch_energy(first: Tensor, second: Tensor, truth: Tensor, config: EnergyConfig) -> Tensor:
    """Energy score of pixel patches, averaged over sizes and scales."""
    scores = []
    for scale in range(config.scales):
        if scale:
            # Twice the mean keeps white noise at unit variance.
            first, second, truth = (2 * F.avg_pool2d(x, 2) for x in (first, second, truth))
        for side in config.patches:
            scores.append(_score(partial(_patch_norm, side=side), first, second, truth))
    return torch.stack(scores).mean()


def power_energy(first: Tensor, second: Tensor, truth: Tensor, config: EnergyConfig) -> Tensor:
    """Energy score of the noise's local root-mean-square under small filters."""
    scores = []
    views = [filtered(x) for x in (first, second, truth)]
    for side in config.power_windows:
        levels = [_local_level(view, side) for view in views]
        scores.append(_score(partial(_patch_norm, side=1), *levels))
        # One number a filter: its own proper score, which sees each band and colour by itself.
        scores.append(_score(torch.abs, *levels))
    return torch.stack(scores).mean()


def filtered(noise: Tensor) -> Tensor:
    """Responses to small filters: identity, derivatives, coarser means, colour differences.

    Args:
        noise: B×3×H×W.

    Returns:
        B×24×H×W.
    """
    padded = F.pad(noise, (0, 1, 0, 1), mode="replicate")
    across = padded[..., :-1, 1:] - noise
    down = padded[..., 1:, :-1] - noise
    cross = padded[..., 1:, 1:] - padded[..., :-1, 1:] - down
    mean2 = _box(noise, 3)
    mean4 = _box(noise, 7)
    colour = torch.roll(noise, 1, 1) - noise
    coarse_colour = torch.roll(mean4, 1, 1) - mean4
    bands = [noise, across, down, cross, 3 * mean2, 7 * mean4, colour, 7 * coarse_colour]
    return torch.cat(bands, 1)


def _score(norm: Norm, first: Tensor, second: Tensor, truth: Tensor) -> Tensor:
    accuracy = norm(first - truth).mean() + norm(second - truth).mean()
    return 0.5 * accuracy - 0.5 * norm(first - second).mean()


def _patch_norm(difference: Tensor, side: int) -> Tensor:
    """Root mean square over all channels of every patch, half overlapping."""
    square = difference.square().mean(1, keepdim=True)
    if side > 1:
        square = F.avg_pool2d(square, side, stride=max(1, side // 2))
    return (square + EPSILON).sqrt()


def _local_level(view: Tensor, side: int) -> Tensor:
    side = min(side, *view.shape[-2:])
    return (F.avg_pool2d(view.square(), side, stride=max(1, side // 2)) + 1e-4).sqrt()


def _box(x: Tensor, side: int) -> Tensor:
    return F.avg_pool2d(x, side, stride=1, padding=side // 2, count_include_pad=False)
