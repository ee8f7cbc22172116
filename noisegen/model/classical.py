"""The classical noise model as a tensor program: where the generator starts.

White field → colouring kernel → marginal's quantiles → level and mean at the clean's intensity
(design.md, *Measuring*; PNGAN, Sec. 3.1, feeds its generator a classical noisy image in the same
spirit).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from noisegen.model.conditioning import Statistics
from noisegen.model.config import ACTIVITY_NODES, BINS, KERNEL, QUANTILE_NODES, QUANTILE_REACH
from noisegen.model.convolution import convolve


@dataclass(frozen=True)
class ShapedField:
    """The classical model's noise and the curves it was made with, each B×3×H×W.

    Attributes:
        noise: noise of the measured level, spectrum and marginal, plus the mean.
        mean: measured mean at the clean's intensity.
        level: measured standard deviation at the clean's intensity.
        coverage: how well the references show the clean's intensity, in [0, 1].
        follows: logarithm of the level that also follows local activity, relative to ``level``.
    """

    noise: Tensor
    mean: Tensor
    level: Tensor
    coverage: Tensor
    follows: Tensor


def look_up(tables: Sequence[Tensor], position: Tensor) -> list[Tensor]:
    """Linear interpolation in tables of evenly spaced nodes, held constant beyond both ends.

    Args:
        tables: each B×C×N, all read at the same positions.
        position: B×C×H×W, in nodes (0 is the first node).

    Returns:
        B×C×H×W for each table.
    """
    batch, channels, nodes = tables[0].shape
    position = position.clamp(0, nodes - 1)
    lower = position.floor().clamp_(max=nodes - 2)
    share = position - lower
    rows = torch.arange(batch * channels, device=position.device, dtype=torch.int32)
    index = lower.to(torch.int32) + rows.view(batch, channels, 1, 1) * nodes
    index = index.flatten()
    found = []
    for table in tables:
        flat = table.reshape(-1)
        # Slopes are looked up beside values: one table more, one subtraction a pixel less.
        slope = torch.cat([flat[1:] - flat[:-1], flat.new_zeros(1)])
        value = flat.index_select(0, index).view_as(position)
        found.append(value + share * slope.index_select(0, index).view_as(position))
    return found


def at_intensity(curves: Sequence[Tensor], clean: Tensor) -> list[Tensor]:
    """Curves against intensity (B×3×BINS each), read at each pixel of the clean (B×3×H×W)."""
    return look_up(curves, clean * (BINS - 1))


def on_surface(surface: Tensor, clean: Tensor) -> Tensor:
    """A surface against activity and intensity (B×3×ACTIVITY_NODES×BINS) at each pixel."""
    position = activity_position(local_activity(clean)).clamp(0, ACTIVITY_NODES - 1)
    row = position.floor().clamp_(max=ACTIVITY_NODES - 2)
    share = position - row
    # Rows of the surface lie behind each other: one long table, read at two places.
    column = (clean * (BINS - 1)).clamp(0, BINS - 1)
    flat = surface.flatten(2)
    lower, upper = (_look_up_rows(flat, row + offset, column) for offset in (0, 1))
    return lower + share * (upper - lower)


def _look_up_rows(flat: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """Rows of BINS nodes, one after another, read at a row and a place within it."""
    # A column of exactly BINS − 1 must not run into the next row.
    column = column.clamp(max=BINS - 1 - 1e-4)
    return look_up([flat], row * BINS + column)[0]


def local_activity(clean: Tensor) -> Tensor:
    """Standard deviation of the clean within 5×5 pixels, all channels together.

    Args:
        clean: B×C×H×W.

    Returns:
        B×1×H×W, in units of the white level.
    """
    mean, square = (
        F.avg_pool2d(x, 5, stride=1, padding=2, count_include_pad=False)
        for x in (clean, clean.square())
    )
    variance = square - mean.square()
    return variance.mean(1, keepdim=True).clamp(min=0).sqrt()


def activity_position(activity: Tensor) -> Tensor:
    """Position of an activity among the nodes of its curve."""
    return (activity * 255).clamp(min=0.25).log2() + 1


def colour(white: Tensor, kernel: Tensor) -> Tensor:
    """Colours a white Gaussian field; the margin of KERNEL // 2 pixels is used up.

    Args:
        white: B×3×(H + KERNEL − 1)×(W + KERNEL − 1), standard normal.
        kernel: B×3×3×KERNEL×KERNEL.

    Returns:
        B×3×H×W, every channel of unit variance.
    """
    batch, channels, height, width = white.shape
    coloured = convolve(
        white.reshape(1, batch * channels, height, width),
        kernel.reshape(batch * channels, channels, KERNEL, KERNEL),
        groups=batch,
    )
    return coloured.view(batch, channels, *coloured.shape[-2:])


def shape_field(white: Tensor, clean: Tensor, statistics: Statistics) -> ShapedField:
    """The classical model: white noise to this camera's noise on this clean image.

    Args:
        white: B×3×(H + KERNEL − 1)×(W + KERNEL − 1), standard normal.
        clean: B×3×H×W, in [0, 1] of the white level.
        statistics: of the camera.
    """
    coloured = colour(white, statistics.kernel)
    node = (coloured + QUANTILE_REACH) * ((QUANTILE_NODES - 1) / (2 * QUANTILE_REACH))
    (marginal,) = look_up([statistics.quantiles], node)
    # Variances are interpolated: of shot noise, they are straight lines.
    curves = [statistics.level.square(), statistics.mean, statistics.coverage]
    variance, mean, coverage = at_intensity(curves, clean)
    level = variance.sqrt()
    active_variance = on_surface(statistics.surface.square(), clean)
    follows = 0.5 * (active_variance / variance).log()
    return ShapedField(marginal * level + mean, mean, level, coverage, follows)
