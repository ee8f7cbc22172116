"""From camera RGB to the finished picture: white balance, denoising, colour, tone, sharpening."""

from __future__ import annotations

import torch
from torch import Tensor

from noisegen.training.simulator.linear_filters import (
    downscaling_matrix,
    filter_separably,
    gaussian_matrix,
    mix_channels,
)
from noisegen.training.simulator.parameters import Parameters
from noisegen.training.simulator.tone import tone

_NEIGHBOURHOOD = 2.0
"""Gaussian σ, in pixels, over which the denoising looks for edges."""


def develop(
    camera: Tensor, parameters: Parameters, matrix: Tensor, denoises: bool, output: int
) -> Tensor:
    """Camera RGB → the finished picture before coding.

    Args:
        camera: B×S×3×n×n camera RGB, before white balance.
        parameters: of the B settings.
        matrix: linear sRGB → camera RGB, B×3×3.
        denoises: whether these cameras denoise.
        output: side of the result.

    Returns:
        B×S×3×output×output in [0, 1], sRGB.
    """
    balanced = (camera * parameters.gains).clamp(max=1)
    if denoises:
        balanced = _denoise(balanced, parameters)
    linear = mix_channels(balanced, torch.linalg.inv(matrix)).clamp(0, 1)
    toned = tone(linear, parameters.contrast)
    side = toned.shape[-1]
    soft = filter_separably(toned, gaussian_matrix(parameters.sharpening_radius, side))
    sharp = toned + parameters.sharpening * (toned - soft)
    if side != output:
        sharp = filter_separably(sharp, downscaling_matrix(parameters.resize, side, output))
    return sharp.clamp(0, 1)


def _denoise(rgb: Tensor, parameters: Parameters) -> Tensor:
    """Blurs luma and chroma separately; luma detail comes back where it exceeds the noise."""
    side = rgb.shape[-1]
    neighbourhood = torch.full_like(parameters.shot, _NEIGHBOURHOOD)
    wide_blur = gaussian_matrix(neighbourhood, side)
    luma = rgb.mean(2, keepdim=True)
    smooth = filter_separably(luma, gaussian_matrix(parameters.luma_blur, side))
    wide = filter_separably(luma, wide_blur)
    variance = parameters.shot * wide.clamp(min=0) + parameters.read.square()
    contrast = filter_separably((luma - wide).square(), wide_blur)
    edge = (contrast - variance).clamp(min=0) / (contrast + variance)
    kept = torch.lerp(smooth, luma, parameters.edge_keeping * edge)
    chroma = filter_separably(rgb - luma, gaussian_matrix(parameters.chroma_blur, side))
    return kept + chroma
