"""The camera's tone curve and its inverse."""

from __future__ import annotations

import torch
from torch import Tensor


def tone(linear: Tensor, contrast: Tensor) -> Tensor:
    """Linear in [0, 1] → sRGB's curve (IEC 61966-2-1), then a share of the smoothstep S-curve."""
    low = linear * 12.92
    high = 1.055 * linear.clamp(min=0.0031308).pow(1 / 2.4) - 0.055
    coded = torch.where(linear <= 0.0031308, low, high)
    return torch.lerp(coded, coded * coded * (3 - 2 * coded), contrast)


def inverse_tone(toned: Tensor, contrast: Tensor) -> Tensor:
    """Inverts :func:`tone` exactly.

    With u = coded − 1/2 the S-curve is (1 + k/2) u − 2 k u³ + 1/2, k being the contrast; its middle
    root has a closed form, as that of smoothstep in Brooks et al., CVPR 2019, §3.7.
    """
    k = contrast.clamp(min=1e-4)
    reach = ((1 + k / 2) / (6 * k)).sqrt()
    angle = torch.asin(((toned - 0.5) / (4 * k * reach**3)).clamp(-1, 1))
    coded = (2 * reach * torch.sin(angle / 3) + 0.5).clamp(0, 1)
    high = ((coded + 0.055) / 1.055).pow(2.4)
    return torch.where(coded <= 0.04045, coded / 12.92, high)
