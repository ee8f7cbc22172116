"""Blur and downscaling as matrices, so that every setting has its own in one batched product."""

from __future__ import annotations

import torch
from torch import Tensor


def filter_separably(pictures: Tensor, matrix: Tensor) -> Tensor:
    """A x Aᵀ of every plane.

    Args:
        pictures: B×S×C×n×n.
        matrix: B×m×n, one for each setting.

    Returns:
        B×S×C×m×m.
    """
    across = _along_rows(pictures, matrix)
    return _along_rows(across.mT, matrix).mT


def mix_channels(pictures: Tensor, matrix: Tensor) -> Tensor:
    """B×3×3 matrices on the colours of B×S×3×H×W."""
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
