"""What one simulated camera at one ISO is, the ranges it is drawn from, and many as tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal, get_args

import torch
from torch import Tensor

from noisegen.noise.arrays import Rng
from noisegen.simulator.world import (
    draw_colour,
    draw_gains,
    draw_response,
    gamma_curve,
    srgb_curve,
)

Demosaic = Literal["bilinear", "gradient", "edge", "none"]
Subsampling = Literal["4:4:4", "4:2:2", "4:2:0"]

SMALLEST_RESIZE = 0.5
"""Smallest factor that :func:`draw_setting` draws for the final downscaling."""

PLAIN_SHARE = 0.38
"""Share of the draws that are raw pictures developed plainly: no denoising, sharpening, resizing
or JPEG, and no curve but the file's own."""

STRONG_SHARE = 1 / 3
"""Share of the draws that are phones at high ISO."""


@dataclass(frozen=True)
class CameraSetting:
    """One draw of everything but the scene. Raw values are relative to the white level, 1.

    Sources: Wei et al., "A physics-based noise formation model for extreme low-light raw
    denoising", CVPR 2020 (*ELD*); Brooks et al., "Unprocessing images for learned raw denoising",
    CVPR 2019 (*UPI*); :mod:`.world` for what was measured of real cameras. Where no source is named
    the range is our choice.

    Attributes:
        red_gain: white balance of red, 1–3.3 (:mod:`.world`).
        blue_gain: white balance of blue, 1–3.3.
        colour: how much of green and blue red gets, of red and blue green, of red and green blue,
            from white-balanced camera RGB to linear sRGB; each row sums to 1 (:mod:`.world`).
        saturation: share of that; 0.7–1.15 in four fifths, else 0–0.7.
        curve: finished values at 65 even values of sRGB's curve, from 0 to 1, increasing: the
            curve's own in plain pictures, gamma 2.2, or a measured response (:mod:`.world`).
        dimming: factor on the scene's linear light, 1 or 1/8–1: low light.
        shot: variance of the raw signal per unit of signal, the inverse of the full well in
            electrons at this ISO; log10 −3.3 to −1.3 in phones at high ISO, else −5.0 to −1.6.
        read: standard deviation of the raw read noise; √shot × 10^(−2.2)–10^(−0.6).
        read_tail: shape λ of the read noise's Tukey-lambda distribution; −0.2–0.14, 0.14 is
            nearly Gaussian, below are heavier tails (ELD §3).
        row: standard deviation of the row noise over ``read``; 0.04–0.2, 0 in a twentieth.
        offsets: black level's error of red, green and blue over ``read``; 0 or within ±0.5.
        gain_pattern: relative standard deviation of pixel gains; 0 or up to 0.01.
        dark_pattern: standard deviation of fixed pixel offsets over ``read``; 0 or up to 0.3.
        pattern_seed: of the fixed pattern, below 2^24; it belongs to the camera, not to the scene.
        bits: of the raw quantisation; 12 mostly, 14, or 10 (phones).
        pedestal: black level kept below zero, so that dark noise is not rectified; 0 in half of
            the draws, else 0.02–0.066.
        demosaic: ``bilinear``; ``gradient`` (Malvar et al., ICASSP 2004); ``edge`` (Hamilton and
            Adams, US 5 629 734); ``none`` (three sensors, or pixels binned to one).
        luma_blur: Gaussian σ of the in-camera luma denoising in pixels; 0 for none, or 0.3–1.1.
        chroma_blur: the same of chroma; 0 for none, or 0.5–2.5, or 2–8, the more the noise.
        chroma_kept: share of the finer chroma that the denoising leaves, 0–1.
        edge_keeping: 0–1, share of detail that the denoising gives back on edges.
        sharpening: amount of the unsharp mask; 0 or 0.2–1.5.
        sharpening_radius: Gaussian σ of the unsharp mask in pixels; 0.6–1.4.
        resize: factor of the final downscaling; 1 or 0.5–1.
        quality: libjpeg's quality of the JPEG (ITU-T T.81 Annex K tables), None for none; 60–99.
        subsampling: of the JPEG's chroma.
        exposures: finished shots whose mean is the clean; 0 where that is free of noise.
    """

    red_gain: float
    blue_gain: float
    colour: tuple[float, ...]
    saturation: float
    curve: tuple[float, ...]
    dimming: float
    shot: float
    read: float
    read_tail: float
    row: float
    offsets: tuple[float, float, float]
    gain_pattern: float
    dark_pattern: float
    pattern_seed: int
    bits: int
    pedestal: float
    demosaic: Demosaic
    luma_blur: float
    chroma_blur: float
    chroma_kept: float
    edge_keeping: float
    sharpening: float
    sharpening_radius: float
    resize: float
    quality: int | None
    subsampling: Subsampling
    exposures: int

    @property
    def denoises(self) -> bool:
        """True where the camera denoises at all."""
        return self.luma_blur > 0 or self.chroma_blur > 0


PLAIN_CAMERA = CameraSetting(
    red_gain=2.0,
    blue_gain=1.5,
    colour=(-0.49, -0.12, -0.15, -0.39, 0.02, -0.45),
    saturation=0.5,
    curve=srgb_curve(),
    dimming=1.0,
    shot=1e-3,
    read=1e-3,
    read_tail=0.14,
    row=0.0,
    offsets=(0.0, 0.0, 0.0),
    gain_pattern=0.0,
    dark_pattern=0.0,
    pattern_seed=1,
    bits=14,
    pedestal=0.06,
    demosaic="none",
    luma_blur=0.0,
    chroma_blur=0.0,
    chroma_kept=0.0,
    edge_keeping=0.0,
    sharpening=0.0,
    sharpening_radius=1.0,
    resize=1.0,
    quality=None,
    subsampling="4:4:4",
    exposures=0,
)
"""A camera of three sensors that writes 14-bit raw by sRGB's curve, to start others from."""


@dataclass(frozen=True)
class Finishing:
    """Steps of a camera after the sensor; fields as of :class:`CameraSetting`."""

    curve: tuple[float, ...] = srgb_curve()
    demosaic: Demosaic = "gradient"
    luma_blur: float = 0.0
    chroma_blur: float = 0.0
    chroma_kept: float = 1.0
    edge_keeping: float = 0.0
    sharpening: float = 0.0
    sharpening_radius: float = 1.0
    resize: float = 1.0
    quality: int | None = None
    subsampling: Subsampling = "4:4:4"


def draw_setting(rng: Rng) -> CameraSetting:
    """Draws a camera setting; the ranges are those of :class:`CameraSetting`."""
    strong = rng.random() < STRONG_SHARE
    noise = rng.uniform(-3.3, -1.3) if strong else rng.uniform(-5.0, -1.6)
    loudness = (noise + 5.0) / 3.7
    plain = rng.random() < PLAIN_SHARE
    finishing = _plain(rng) if plain else _finishing(rng, loudness)
    red_gain, blue_gain = draw_gains(rng)
    offsets = rng.uniform(-0.5, 0.5, 3) * (rng.random() < 0.5)
    shot = 10**noise
    return CameraSetting(
        red_gain=red_gain,
        blue_gain=blue_gain,
        colour=draw_colour(rng),
        saturation=rng.uniform(0.7, 1.15) if rng.random() < 0.8 else rng.uniform(0, 0.7),
        dimming=2 ** -rng.uniform(0, 3) if rng.random() < 0.5 else 1.0,
        shot=shot,
        read=math.sqrt(shot) * 10 ** rng.uniform(-2.2, -0.6),
        read_tail=rng.uniform(-0.2, 0.14),
        row=rng.uniform(0.04, 0.2) if rng.random() < 0.95 else 0.0,
        offsets=(float(offsets[0]), float(offsets[1]), float(offsets[2])),
        gain_pattern=_sometimes(rng, 0, 0.01),
        dark_pattern=_sometimes(rng, 0, 0.3),
        pattern_seed=int(rng.integers(2**24)),
        bits=int(rng.choice([10, 12, 14], p=[0.5, 0.4, 0.1] if strong else [0.05, 0.6, 0.35])),
        pedestal=_sometimes(rng, 0.02, 0.066),
        exposures=int(rng.integers(16, 33)) if rng.random() < 0.5 else 0,
        **vars(finishing),
    )


def _plain(rng: Rng) -> Finishing:
    """Finishing of a raw picture, developed by someone else than the camera."""
    return Finishing(demosaic="gradient" if rng.random() < 0.75 else "edge")


def _finishing(rng: Rng, loudness: float) -> Finishing:
    """Finishing of a camera whose noise has this place, about 0–1, among the drawn ones."""
    coded = rng.random() < 0.75
    denoises = rng.random() < (0.75 if coded else 0.25)
    coarse = denoises and rng.random() < 0.5
    flat = coarse and rng.random() < 0.5
    width = 2 + 6 * min(1.0, 0.5 * (loudness + rng.random()))
    family = rng.random()
    return Finishing(
        curve=srgb_curve()
        if family < 0.05
        else gamma_curve(2.2)
        if family < 0.1
        else draw_response(rng),
        demosaic=get_args(Demosaic)[rng.choice(4, p=[0.25, 0.3, 0.3, 0.15])],
        luma_blur=rng.uniform(0.3, 1.1) if denoises else 0.0,
        chroma_blur=(width if coarse else rng.uniform(0.5, 2.5)) if denoises else 0.0,
        chroma_kept=rng.uniform(0, 0.3) if flat else 0.0,
        edge_keeping=rng.uniform(0, 1),
        sharpening=_sometimes(rng, 0.2, 1.5),
        sharpening_radius=rng.uniform(0.6, 1.4),
        resize=rng.uniform(SMALLEST_RESIZE, 1) if rng.random() < 0.3 else 1.0,
        quality=int(rng.integers(60, 100)) if coded else None,
        subsampling=get_args(Subsampling)[rng.choice(3, p=[0.35, 0.15, 0.5])],
    )


def _sometimes(rng: Rng, low: float, high: float) -> float:
    """Draws uniformly in half of the draws; 0 in the others."""
    return rng.uniform(low, high) if rng.random() < 0.5 else 0.0


_WHOLE = ("colour", "curve", "gains", "offsets")
"""What is more than a number of a setting."""


@dataclass(frozen=True)
class Parameters:
    """The numbers of B settings, each a float tensor [B, 1, 1, 1, 1] (see CameraSetting).

    Attributes:
        colour: white-balanced camera RGB → linear sRGB, [B, 3, 3]; rows sum to 1, so that gray
            stays.
        curve: [B, n].
        gains: white balance, [B, 1, 3, 1, 1].
        offsets: of red, green and blue, [B, 1, 3, 1, 1].
    """

    dimming: Tensor
    shot: Tensor
    read: Tensor
    read_tail: Tensor
    row: Tensor
    gain_pattern: Tensor
    dark_pattern: Tensor
    pattern_seed: Tensor
    bits: Tensor
    pedestal: Tensor
    luma_blur: Tensor
    chroma_blur: Tensor
    chroma_kept: Tensor
    edge_keeping: Tensor
    sharpening: Tensor
    sharpening_radius: Tensor
    resize: Tensor
    colour: Tensor
    curve: Tensor
    gains: Tensor
    offsets: Tensor

    @classmethod
    def stack(cls, settings: Sequence[CameraSetting], device: torch.device) -> Parameters:
        """Gathers the settings on a device."""
        names = [field.name for field in fields(cls) if field.name not in _WHOLE]
        rows = [[float(getattr(setting, name)) for setting in settings] for name in names]
        numbers = torch.tensor(rows).to(device).view(len(names), -1, 1, 1, 1, 1)
        gains = torch.tensor([[s.red_gain, 1.0, s.blue_gain] for s in settings])
        offsets = torch.tensor([s.offsets for s in settings])
        return cls(
            **dict(zip(names, numbers, strict=True)),
            colour=_colour_matrices(settings).to(device),
            curve=torch.tensor([s.curve for s in settings]).to(device),
            gains=gains.view(-1, 1, 3, 1, 1).to(device),
            offsets=offsets.view(-1, 1, 3, 1, 1).to(device),
        )


def _colour_matrices(settings: Sequence[CameraSetting]) -> Tensor:
    given = torch.tensor([setting.colour for setting in settings])
    saturation = torch.tensor([setting.saturation for setting in settings]).view(-1, 1, 1)
    matrix = torch.zeros(len(settings), 3, 3)
    rows, columns = [0, 0, 1, 1, 2, 2], [1, 2, 0, 2, 0, 1]
    matrix[:, rows, columns] = given
    matrix += torch.diag_embed(1 - matrix.sum(-1))
    # The blend is made of what the camera applies, as a muted picture style does.
    return torch.lerp(torch.eye(3).expand_as(matrix), matrix, saturation)
