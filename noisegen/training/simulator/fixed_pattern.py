"""A camera's fixed pattern: a function of the camera and the place on the sensor alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

_WORD = 0xFFFFFFFF
_ODD = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1)


def standard_normal_pattern(seed: Tensor, salt: int, shape: Sequence[int]) -> Tensor:
    """Standard normal numbers by position, the same on every device and in every batch.

    A generator of its own for every setting would need a loop; a hash of the position does not.

    Args:
        seed: of each camera, [B, 1, 1, 1, 1], whole numbers.
        salt: tells several patterns of one camera apart.
        shape: C, H, W.

    Returns:
        B×1×C×H×W.
    """
    channel, row, column = (
        torch.arange(n, device=seed.device).view(-1, *(1,) * (2 - axis))
        for axis, n in enumerate(shape)
    )
    key = _mixed(seed.long() * _ODD[0] + salt * _ODD[1])
    line = _mixed(key + channel * _ODD[2] + row * _ODD[3])
    word = _mixed(line + column * _ODD[4])
    symmetric = (word.double() + 0.5) / 2**31 - 1
    return (torch.erfinv(symmetric) * math.sqrt(2)).float()


def _mixed(word: Tensor) -> Tensor:
    """Wellons' lowbias32 integer hash, of the low 32 bits."""
    word = word & _WORD
    word = ((word ^ (word >> 16)) * 0x7FEB352D) & _WORD
    word = ((word ^ (word >> 15)) * 0x846CA68B) & _WORD
    return word ^ (word >> 16)
