"""A camera simulator: clean sRGB → raw → noise → the camera's processing → noisy sRGB.

One :class:`CameraSetting` is one camera at one ISO, seen on any number of scenes. The clean
counterpart goes through the same processing without noise, and without JPEG. Ranges follow the
raw noise levels of Brooks et al. (CVPR 2019, unprocessing) and Wei et al. (CVPR 2020, row noise
and quantisation), widened to phones (σ up to about 50 of 255 after the pipeline).
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

Rng = np.random.Generator


@dataclass(frozen=True)
class CameraSetting:
    """One draw of everything but the scene.

    Attributes:
        gains: white balance of red and blue.
        saturation: strength of the colour matrix, 0 (none) to 1 (strong).
        contrast: strength of the S-curve over the sRGB curve.
        shot: variance of the raw signal per unit of signal.
        read: standard deviation of the raw read noise.
        row: standard deviation of the row noise.
        fixed_pattern: relative standard deviation of pixel gains.
        bits: of the raw quantisation.
        demosaic: ``bilinear``, ``gradient`` (Malvar et al. 2004) or ``none`` (three sensors).
        luma_blur: Gaussian σ of the in-camera luma denoising, in pixels, 0 for none.
        chroma_blur: the same of chroma.
        edge_keeping: share in [0, 1] of detail that the denoising gives back on edges.
        sharpening: amount of the unsharp mask.
        resize: factor of the final downscaling, 1 for none.
        quality: of the JPEG, None for none.
        subsampling: Pillow's code: 0 is 4:4:4, 1 is 4:2:2, 2 is 4:2:0.
    """

    gains: tuple[float, float]
    saturation: float
    contrast: float
    shot: float
    read: float
    row: float
    fixed_pattern: float
    bits: int
    demosaic: str
    luma_blur: float
    chroma_blur: float
    edge_keeping: float
    sharpening: float
    resize: float
    quality: int | None
    subsampling: int


def draw_setting(rng: Rng) -> CameraSetting:
    """Draws a camera setting; the ranges are what the simulated cameras span."""
    shot = 10 ** rng.uniform(-4.6, -1.9)
    denoises = rng.random() < 0.5
    return CameraSetting(
        gains=(rng.uniform(1.2, 2.6), rng.uniform(1.2, 2.6)),
        saturation=rng.uniform(0, 1),
        contrast=rng.uniform(0, 0.6),
        shot=shot,
        read=math.sqrt(shot) * 10 ** rng.uniform(-1.9, -0.6),
        row=rng.choice([0.0, rng.uniform(0, 0.3)]),
        fixed_pattern=rng.choice([0.0, rng.uniform(0, 0.01)]),
        bits=int(rng.choice([10, 12, 14])),
        demosaic=str(rng.choice(["bilinear", "gradient", "none"], p=[0.4, 0.45, 0.15])),
        luma_blur=rng.uniform(0.3, 1.1) if denoises else 0.0,
        chroma_blur=rng.uniform(0.5, 2.5) if denoises else 0.0,
        edge_keeping=rng.uniform(0, 1),
        sharpening=rng.choice([0.0, rng.uniform(0.2, 1.5)]),
        resize=float(rng.choice([1.0, rng.uniform(0.5, 1.0)], p=[0.7, 0.3])),
        quality=int(rng.integers(60, 100)) if rng.random() < 0.6 else None,
        subsampling=int(rng.choice([0, 1, 2], p=[0.35, 0.15, 0.5])),
    )


def simulate(clean: Tensor, setting: CameraSetting, seed: int) -> tuple[Tensor, Tensor]:
    """Noisy pictures and their clean counterparts by one camera.

    Args:
        clean: N×3×H×W in [0, 1], sRGB; H and W even.
        setting: of the camera.
        seed: of this draw of noise.

    Returns:
        noisy and clean, N×3×h×w uint8 values; h and w shrink by ``setting.resize`` and are
        multiples of 8.
    """
    generator = torch.Generator().manual_seed(seed)
    matrix = _colour_matrix(setting.saturation)
    raw = _unprocess(clean, setting, matrix)
    noisy = _develop(_expose(raw, setting, generator), setting, matrix)
    pure = _develop(_mosaic(raw, setting), setting, matrix)
    noisy, pure = (_to_bytes(_crop_to_grid(x)) for x in (noisy, pure))
    if setting.quality is not None:
        noisy = torch.stack([_jpeg(x, setting.quality, setting.subsampling) for x in noisy])
    return noisy, pure


def _colour_matrix(saturation: float) -> Tensor:
    """Camera RGB → sRGB: rows sum to 1, negative off the diagonal as real ones."""
    strong = torch.tensor([[1.7, -0.6, -0.1], [-0.25, 1.6, -0.35], [0.0, -0.6, 1.6]])
    return torch.lerp(torch.eye(3), strong, saturation)


def _unprocess(clean: Tensor, setting: CameraSetting, matrix: Tensor) -> Tensor:
    """SRGB in [0, 1] → linear camera RGB before white balance, in [0, 1]."""
    linear = _inverse_tone(clean, setting.contrast)
    camera: Tensor = torch.einsum("ij,njhw->nihw", torch.linalg.inv(matrix), linear)
    return (camera / _gains(setting)).clamp(0, 1)


def _gains(setting: CameraSetting) -> Tensor:
    red, blue = setting.gains
    return torch.tensor([red, 1.0, blue]).view(1, 3, 1, 1)


def _expose(raw: Tensor, setting: CameraSetting, generator: torch.Generator) -> Tensor:
    """The noisy mosaic: shot, fixed pattern, read and row noise, quantisation, clipping."""
    mosaic = _mosaic(raw, setting)
    if setting.fixed_pattern:
        pattern = torch.randn(mosaic.shape[1:], generator=generator)
        mosaic = mosaic * (1 + setting.fixed_pattern * pattern)
    electrons = torch.poisson(mosaic.clamp(min=0) / setting.shot, generator=generator)
    noisy = electrons * setting.shot
    noisy = noisy + setting.read * torch.randn(mosaic.shape, generator=generator)
    if setting.row:
        rows = torch.randn((*mosaic.shape[:-1], 1), generator=generator)
        noisy = noisy + setting.row * setting.read * rows
    steps = 2**setting.bits - 1
    # Cameras keep a black level: quantise with a pedestal, so that dark noise is not rectified.
    quantised: Tensor = (noisy * steps).round().clamp(-0.06 * steps, steps) / steps
    return quantised


def _mosaic(raw: Tensor, setting: CameraSetting) -> Tensor:
    """N×3×H×W → N×1×H×W Bayer RGGB, or all three channels without a mosaic."""
    if setting.demosaic == "none":
        return raw
    red, green, blue = _bayer_masks(raw)
    return raw[:, :1] * red + raw[:, 1:2] * green + raw[:, 2:] * blue


def _bayer_masks(like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    red = torch.zeros(1, 1, *like.shape[-2:])
    blue = torch.zeros_like(red)
    red[..., ::2, ::2] = 1
    blue[..., 1::2, 1::2] = 1
    return red, 1 - red - blue, blue


def _develop(mosaic: Tensor, setting: CameraSetting, matrix: Tensor) -> Tensor:
    """Demosaic → white balance → denoise → colour → tone → sharpen → resize."""
    rgb = mosaic if setting.demosaic == "none" else _demosaic(mosaic, setting.demosaic)
    balanced = (rgb * _gains(setting)).clamp(max=1)
    balanced = _denoise(balanced, setting)
    linear = torch.einsum("ij,njhw->nihw", matrix, balanced).clamp(0, 1)
    toned = _tone(linear, setting.contrast)
    if setting.sharpening:
        toned = toned + setting.sharpening * (toned - _blur(toned, 1.0))
    if setting.resize < 1:
        toned = F.interpolate(
            toned, scale_factor=setting.resize, mode="bicubic", antialias=True, align_corners=False
        )
    return toned.clamp(0, 1)


def _demosaic(mosaic: Tensor, kind: str) -> Tensor:
    """Bilinear interpolation, or Malvar's with gradient correction (ICASSP 2004, Fig. 2)."""
    red, green, blue = _bayer_masks(mosaic)
    padded = F.pad(mosaic, (2, 2, 2, 2), mode="reflect")
    kernels = _MALVAR if kind == "gradient" else _BILINEAR
    at_cross, along_row, along_column, at_corner = F.conv2d(padded, kernels).chunk(4, 1)
    odd_row = torch.zeros_like(red)
    odd_row[..., 1::2, :] = 1
    even_green, odd_green = green * (1 - odd_row), green * odd_row
    full_red = mosaic * red + along_row * even_green + along_column * odd_green + at_corner * blue
    full_blue = mosaic * blue + along_column * even_green + along_row * odd_green + at_corner * red
    full_green = mosaic * green + at_cross * (red + blue)
    return torch.cat([full_red, full_green, full_blue], 1)


def _kernels(rows: list[list[list[float]]], total: float) -> Tensor:
    return torch.tensor(rows).unsqueeze(1) / total


_BILINEAR = _kernels(
    [
        [[0, 0, 0, 0, 0], [0, 0, 1, 0, 0], [0, 1, 0, 1, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0]],
        [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 2, 0, 2, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]],
        [[0, 0, 0, 0, 0], [0, 0, 2, 0, 0], [0, 0, 0, 0, 0], [0, 0, 2, 0, 0], [0, 0, 0, 0, 0]],
        [[0, 0, 0, 0, 0], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]],
    ],
    4,
)
_MALVAR = _kernels(
    [
        [[0, 0, -2, 0, 0], [0, 0, 4, 0, 0], [-2, 4, 8, 4, -2], [0, 0, 4, 0, 0], [0, 0, -2, 0, 0]],
        [
            [0, 0, 1, 0, 0],
            [0, -2, 0, -2, 0],
            [-2, 8, 10, 8, -2],
            [0, -2, 0, -2, 0],
            [0, 0, 1, 0, 0],
        ],
        [
            [0, 0, -2, 0, 0],
            [0, -2, 8, -2, 0],
            [1, 0, 10, 0, 1],
            [0, -2, 8, -2, 0],
            [0, 0, -2, 0, 0],
        ],
        [[0, 0, -3, 0, 0], [0, 4, 0, 4, 0], [-3, 0, 12, 0, -3], [0, 4, 0, 4, 0], [0, 0, -3, 0, 0]],
    ],
    16,
)


def _denoise(rgb: Tensor, setting: CameraSetting) -> Tensor:
    """Blurs luma and chroma separately; detail comes back where the picture has edges."""
    if not setting.luma_blur:
        return rgb
    luma = rgb.mean(1, keepdim=True)
    smooth = _blur(luma, setting.luma_blur)
    wide = _blur(luma, 2.0)
    level = setting.shot * wide.clamp(min=0) + setting.read**2
    contrast = _blur((luma - wide).square(), 2.0)
    edge = (contrast - level).clamp(min=0) / (contrast + level)
    kept = torch.lerp(smooth, luma, setting.edge_keeping * edge)
    return _blur(rgb - luma, setting.chroma_blur) + kept


def _blur(x: Tensor, sigma: float) -> Tensor:
    radius = max(1, math.ceil(2.5 * sigma))
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float32)
    taps = torch.exp(-0.5 * (offsets / sigma) ** 2)
    row = (taps / taps.sum()).view(1, 1, 1, -1)
    flat = x.reshape(-1, 1, *x.shape[-2:])
    flat = F.conv2d(F.pad(flat, (radius, radius, 0, 0), mode="reflect"), row)
    flat = F.conv2d(F.pad(flat, (0, 0, radius, radius), mode="reflect"), row.transpose(-1, -2))
    return flat.view(x.shape)


def _tone(linear: Tensor, contrast: float) -> Tensor:
    low = linear * 12.92
    high = 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    coded = torch.where(linear <= 0.0031308, low, high)
    return torch.lerp(coded, coded * coded * (3 - 2 * coded), contrast)


def _inverse_tone(coded: Tensor, contrast: float) -> Tensor:
    """Inverts :func:`_tone` by interpolation in a table: exact enough for a scene."""
    grid = torch.linspace(0, 1, 2049)
    table = _tone(grid, contrast).contiguous()
    upper = torch.searchsorted(table, coded.contiguous()).clamp(1, 2048)
    low, high = table[upper - 1], table[upper]
    share = ((coded - low) / (high - low).clamp(min=1e-9)).clamp(0, 1)
    return (upper - 1 + share) / 2048


def _crop_to_grid(x: Tensor) -> Tensor:
    return x[..., : x.shape[-2] // 8 * 8, : x.shape[-1] // 8 * 8]


def _to_bytes(x: Tensor) -> Tensor:
    return (x * 255).round().to(torch.uint8)


def _jpeg(picture: Tensor, quality: int, subsampling: int) -> Tensor:
    buffer = io.BytesIO()
    Image.fromarray(picture.permute(1, 2, 0).numpy()).save(
        buffer, "JPEG", quality=quality, subsampling=subsampling
    )
    return torch.from_numpy(np.asarray(Image.open(buffer)).copy()).permute(2, 0, 1)
