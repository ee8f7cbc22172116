"""From white-balanced camera RGB to the finished picture: denoising, colour, tone, sharpening."""

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


def develop(camera: Tensor, parameters: Parameters, denoises: bool, output: int) -> Tensor:
    """Camera RGB → the finished picture before coding.

    Args:
        camera: B×S×3×n×n camera RGB, white-balanced, at most 1.
        parameters: of the B settings.
        denoises: whether these cameras denoise.
        output: side of the result.

    Returns:
        B×S×3×output×output in [0, 1], sRGB.
    """
    camera = _denoise(camera, parameters) if denoises else camera
    linear = mix_channels(camera, parameters.colour).clamp(0, 1)
    toned = tone(linear, parameters.curve)
    side = toned.shape[-1]
    if bool((parameters.sharpening > 0).any()):
        soft = filter_separably(toned, gaussian_matrix(parameters.sharpening_radius, side))
        toned = toned + parameters.sharpening * (toned - soft)
    if side != output:
        toned = filter_separably(toned, downscaling_matrix(parameters.resize, side, output))
    return toned.clamp(0, 1)


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
    chroma = rgb - luma
    even = filter_separably(chroma, gaussian_matrix(parameters.chroma_blur, side))
    return kept + torch.lerp(even, chroma, parameters.chroma_kept)
