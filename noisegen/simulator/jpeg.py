"""Baseline JPEG there and back, as libjpeg does it, without the entropy coding (lossless)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from noisegen.files import STANDARD_TABLE
from noisegen.simulator.settings import Subsampling

# ITU-T T.81, Table K.2.
_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)


def jpeg(pictures: Tensor, qualities: Sequence[int], subsampling: Subsampling) -> Tensor:
    """Codes pictures by JPEG; returns what a decoder gives back.

    Args:
        pictures: N×3×H×W uint8 RGB; H and W multiples of 16 (whole blocks of the chroma too).
        qualities: libjpeg's, 1 to 100, one for each picture.
        subsampling: of the chroma.

    Returns:
        N×3×H×W uint8.
    """
    scale = torch.tensor([5000 // q if q < 50 else 200 - 2 * q for q in qualities])
    ycc = _to_ycc(pictures.float())
    luma, chroma = ycc[:, :1], ycc[:, 1:]
    luma = _code(luma, _table(STANDARD_TABLE, scale).to(luma))
    if subsampling != "4:4:4":
        chroma = _shrink(chroma, both=subsampling == "4:2:0")
    chroma = _code(chroma, _table(_CHROMA, scale).to(luma))
    if subsampling != "4:4:4":
        chroma = _enlarge(chroma, both=subsampling == "4:2:0")
    return _to_rgb(luma, chroma).clamp(0, 255).to(torch.uint8)


def _table(base: tuple[tuple[int, ...], ...], scale: Tensor) -> Tensor:
    """Quantisation steps, N×1×1×8×1×8, scaled by quality as libjpeg does (jcparam.c)."""
    steps = (torch.tensor(base) * scale.view(-1, 1, 1) + 50) // 100
    return steps.clamp(1, 255).view(-1, 1, 1, 8, 1, 8)


def _to_ycc(rgb: Tensor) -> Tensor:
    """JFIF's YCbCr, rounded."""
    red, green, blue = rgb.unbind(1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    blueness = -0.168735892 * red - 0.331264108 * green + 0.5 * blue + 128
    redness = 0.5 * red - 0.418687589 * green - 0.081312411 * blue + 128
    return torch.stack([luma, blueness, redness], 1).round().clamp(max=255)


def _to_rgb(luma: Tensor, chroma: Tensor) -> Tensor:
    blueness, redness = (chroma - 128).chunk(2, 1)
    red = luma + (1.402 * redness).round()
    green = luma - (0.344136286 * blueness + 0.714136286 * redness).round()
    blue = luma + (1.772 * blueness).round()
    return torch.cat([red, green, blue], 1)


def _code(planes: Tensor, steps: Tensor) -> Tensor:
    """Each 8×8 block: cosine transform, quantisation, and back to whole numbers in [0, 255].

    libjpeg's transforms (jfdctint.c, jidctint.c) round between their passes, which tips
    coefficients near a half to one side; so they are rounded here too.
    """
    count, channels, height, width = planes.shape
    # Blocks lie as N×C×rows×8×columns×8: a product over the last axis, one over the fourth.
    blocks = (planes - 128).reshape(count, channels, height // 8, 8, width // 8, 8)
    basis = _cosines().to(planes) * math.sqrt(8)
    half_way = (blocks @ (basis * 4).T).round()
    spectrum = torch.einsum("ui,nkaibv->nkaubv", basis / 4, half_way).round() / 8
    # The encoder rounds halves away from zero.
    levels = spectrum.sign() * (spectrum.abs() / steps + 0.5).floor()
    half_way = torch.einsum("ui,nkaubv->nkaibv", basis * 4, levels * steps).round()
    decoded = half_way @ (basis / 32)
    return (decoded.reshape(planes.shape) + 128).round().clamp(0, 255)


def _cosines() -> Tensor:
    """The orthonormal DCT-II of 8 samples, frequency × sample (T.81 A.3.3)."""
    frequency, sample = torch.arange(8.0)[:, None], torch.arange(8.0)
    basis = torch.cos((2 * sample + 1) * frequency * math.pi / 16) / 2
    basis[0] = math.sqrt(1 / 8)
    return basis


def _shrink(planes: Tensor, both: bool) -> Tensor:
    """Box average; libjpeg alternates the rounding along a row (jcsample.c)."""
    count = 4 if both else 2
    total = F.avg_pool2d(planes, (2 if both else 1, 2)) * count
    bias = torch.arange(total.shape[-1], device=planes.device) % 2 + (1 if both else 0)
    return ((total + bias) / count).floor()


def _enlarge(planes: Tensor, both: bool) -> Tensor:
    """The "fancy" triangle filter of libjpeg, with its rounding (jdsample.c)."""
    if not both:
        even, odd = _thirds(planes)
        return torch.stack([(even + 1) / 4, (odd + 2) / 4], -1).flatten(-2).floor()
    upper, lower = _thirds(planes.mT)
    tall = torch.stack([upper, lower], -1).flatten(-2).mT
    even, odd = _thirds(tall)
    return torch.stack([(even + 8) / 16, (odd + 7) / 16], -1).flatten(-2).floor()


def _thirds(planes: Tensor) -> tuple[Tensor, Tensor]:
    """Along rows: three times the pixel plus its left neighbour, and plus its right one."""
    padded = F.pad(planes, (1, 1, 0, 0), mode="replicate")
    return 3 * planes + padded[..., :-2], 3 * planes + padded[..., 2:]
