"""From white-balanced camera RGB to the finished picture: denoising, colour, tone, sharpening.

Blur and downscaling are matrices, so that every setting has its own in one batched product.
"""

from __future__ import annotations

import torch
from torch import Tensor

from noisegen.simulator.settings import Parameters


def filter_separably(pictures: Tensor, matrix: Tensor) -> Tensor:
    """Multiplies every plane x by a matrix from both sides: A x Aᵀ.

    Args:
        pictures: B×S×C×n×n.
        matrix: B×m×n, one for each setting.

    Returns:
        B×S×C×m×m.
    """
    across = _along_rows(pictures, matrix)
    return _along_rows(across.mT, matrix).mT


def mix_channels(pictures: Tensor, matrix: Tensor) -> Tensor:
    """Multiplies the colours of B×S×3×H×W by B×3×3 matrices."""
    return (matrix[:, None] @ pictures.flatten(3)).view(pictures.shape)


def _along_rows(x: Tensor, matrix: Tensor) -> Tensor:
    return (x.flatten(1, -2) @ matrix.mT).view(*x.shape[:-1], -1)


def gaussian_matrix(sigma: Tensor, side: int) -> Tensor:
    """Gaussian blur, B×side×side, renormalised at the border; identity where σ is 0.

    Args:
        sigma: in pixels, any shape of B elements.
        side: of the pictures.
    """
    place = torch.arange(side, device=sigma.device)
    distance = (place - place[:, None]) / sigma.clamp(min=0.05).view(-1, 1, 1)
    # Cut off: what lies further out would be denormal numbers, many times slower on a CPU.
    taps = torch.exp(-0.5 * distance.square()) * (distance.abs() < 5)
    return taps / taps.sum(-1, keepdim=True)


def downscaling_matrix(factor: Tensor, side: int, output: int) -> Tensor:
    """Antialiased bicubic downscaling from the corner, B×output×side; identity where it is 1.

    The kernel is Keys' (a = −1/2, IEEE TASSP 1981) stretched by 1/factor, as Pillow does.

    Args:
        factor: at most 1, any shape of B elements; output/factor must not exceed ``side``.
        side: of the pictures.
        output: side of the result.
    """
    shrink = factor.view(-1, 1, 1)
    centre = (torch.arange(output, device=factor.device) + 0.5)[:, None] / shrink - 0.5
    distance = ((torch.arange(side, device=factor.device) - centre) * shrink).abs()
    near = (1.5 * distance - 2.5) * distance.square() + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    taps = torch.where(distance < 1, near, far) * (distance < 2)
    return taps / taps.sum(-1, keepdim=True)


def tone(linear: Tensor, curve: Tensor) -> Tensor:
    """Applies sRGB's curve (IEC 61966-2-1) to linear light, then the camera's.

    Args:
        linear: B×… in [0, 1].
        curve: B×n, increasing from 0 to 1: values at n even places, straight between.
    """
    low = linear * 12.92
    high = 1.055 * linear.clamp(min=0.0031308).pow(1 / 2.4) - 0.055
    coded = torch.where(linear <= 0.0031308, low, high)
    last = curve.shape[1] - 1
    place = (coded.clamp(0, 1) * last).flatten(1)
    below = place.long().clamp(max=last - 1)
    left, right = curve.gather(1, below), curve.gather(1, below + 1)
    return torch.lerp(left, right, place - below).view(linear.shape)


def inverse_tone(toned: Tensor, curve: Tensor) -> Tensor:
    """Inverts :func:`tone`."""
    last = curve.shape[1] - 1
    values = toned.flatten(1).contiguous()
    above = torch.searchsorted(curve, values).clamp(1, last)
    left, right = curve.gather(1, above - 1), curve.gather(1, above)
    coded = (above - 1 + (values - left) / (right - left)) / last
    coded = coded.clamp(0, 1).view(toned.shape)
    high = ((coded + 0.055) / 1.055).pow(2.4)
    return torch.where(coded <= 0.04045, coded / 12.92, high)


_NEIGHBOURHOOD = 2.0
"""Gaussian σ, in pixels, over which the denoising looks for edges."""


def develop(camera: Tensor, parameters: Parameters, denoises: bool, output: int) -> Tensor:
    """Develops camera RGB to the finished picture before coding.

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
