"""The camera's tone curve and its inverse."""

from __future__ import annotations

import torch
from torch import Tensor


def tone(linear: Tensor, curve: Tensor) -> Tensor:
    """Linear light → sRGB's curve (IEC 61966-2-1), then the camera's.

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
