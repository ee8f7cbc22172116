"""Tensors of pictures, C×H×W, and arrays, H×W×C."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from noisegen.errors import UsageError

Pixels = NDArray[Any]


def pixels_of(tensor: Tensor, name: str) -> Pixels:
    """H×W×C pixels of a picture C×H×W or H×W; floats as float32, integers as they are.

    Raises:
        UsageError: not a tensor of that shape.
    """
    if not isinstance(tensor, Tensor) or tensor.ndim not in (2, 3):
        what = f"shape {tuple(tensor.shape)}" if isinstance(tensor, Tensor) else type(tensor)
        raise UsageError(f"{name}: has {what}; give a tensor C×H×W or H×W")
    planes = tensor.detach().as_subclass(Tensor).cpu()
    planes = planes.unsqueeze(0) if planes.ndim == 2 else planes
    planes = planes.to(torch.float32) if planes.is_floating_point() else planes
    pixels: Pixels = planes.permute(1, 2, 0).contiguous().numpy()
    return pixels


def tensor_like(pixels: Pixels, like: Tensor) -> Tensor:
    """A plain tensor of the shape, type and device of the one that the pixels came from."""
    planes = torch.from_numpy(pixels).permute(2, 0, 1).contiguous()
    return planes.reshape(like.shape).to(like.device, like.dtype)
