"""From the clean sRGB picture to what the sensor would have recorded, with its noise."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from noisegen.simulator.develop import inverse_tone, mix_channels
from noisegen.simulator.settings import Parameters

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


_GAIN_SALT, _DARK_SALT = 0, 1


def unprocess(clean: Tensor, parameters: Parameters) -> Tensor:
    """Turns sRGB into linear camera RGB before white balance.

    Args:
        clean: B×S×3×H×W in [0, 1].
        parameters: of the B settings.

    Returns:
        B×S×3×H×W in [0, 1]; colours that the sensor cannot hold are clipped.
    """
    linear = inverse_tone(clean, parameters.curve) * parameters.dimming
    camera = mix_channels(linear, torch.linalg.inv(parameters.colour))
    return (camera / parameters.gains).clamp(0, 1)


def mosaic(raw: Tensor) -> Tensor:
    """Samples B×S×3×H×W as B×S×1×H×W, RGGB with red at the corner; H and W even."""
    bayer = raw[:, :, 1:2].clone()
    bayer[..., ::2, ::2] = raw[:, :, :1, ::2, ::2]
    bayer[..., 1::2, 1::2] = raw[:, :, 2:, 1::2, 1::2]
    return bayer


def balance(raw: Tensor, parameters: Parameters) -> Tensor:
    """Multiplies by the white balance and clips at 1, as raw developers do before demosaicing.

    Args:
        raw: B×S×C×H×W, C being 1 (Bayer) or 3 (three sensors).
        parameters: of the B settings.
    """
    return (raw * _by_colour(parameters.gains, raw)).clamp(max=1)


def expose(raw: Tensor, parameters: Parameters, generator: torch.Generator) -> Tensor:
    """Adds shot noise, fixed pattern, read and row noise, quantises and clips.

    Args:
        raw: B×S×C×H×W in [0, 1], C being 1 (Bayer) or 3 (three sensors).
        parameters: of the B settings.
        generator: of the noise, on the device of ``raw``.

    Returns:
        B×S×C×H×W, from the pedestal below 0 to 1.
    """
    p = parameters
    pattern_shape = raw.shape[2:]
    gain = standard_normal_pattern(p.pattern_seed, _GAIN_SALT, pattern_shape) * p.gain_pattern
    offset = standard_normal_pattern(p.pattern_seed, _DARK_SALT, pattern_shape) * p.dark_pattern
    electrons = torch.poisson(raw * (1 + gain).clamp(min=0) / p.shot, generator=generator)
    rows = _normal((*raw.shape[:-1], 1), generator) * p.row
    dark = _tukey_lambda(raw, p.read_tail, generator) + rows + offset
    noisy = electrons * p.shot + (dark + _by_colour(p.offsets, raw)) * p.read
    steps = 2**p.bits - 1
    rounded = (noisy * steps).round().div(steps)
    return torch.maximum(rounded, -p.pedestal).clamp(max=1)


def _by_colour(values: Tensor, raw: Tensor) -> Tensor:
    """Lays values of each colour, [B, 1, 3, 1, 1], out as the sensor sees them."""
    if raw.shape[2] == 3:
        return values
    return mosaic(values.expand(-1, -1, -1, *raw.shape[-2:]))


def _normal(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator, device=generator.device)


def _tukey_lambda(like: Tensor, shape: Tensor, generator: torch.Generator) -> Tensor:
    """Unit variance Tukey-lambda noise through its quantile function (ELD, CVPR 2020, §3)."""
    shape = torch.where(shape.abs() < 1e-2, 1e-2, shape)  # 0 is a limit (logistic) of the formula
    # Double precision: for a small shape the variance is a difference of nearly equal numbers.
    exact = shape.double()
    gammas = 2 * torch.lgamma(exact + 1) - torch.lgamma(2 * exact + 2)
    variance = 2 / exact.square() * (1 / (1 + 2 * exact) - gammas.exp())
    share = torch.rand(like.shape, generator=generator, device=like.device).clamp(1e-7, 1 - 1e-7)
    scale = (shape * variance.sqrt()).float()
    return (share.pow(shape) - (1 - share).pow(shape)) / scale
