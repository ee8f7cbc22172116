"""What one simulated camera at one ISO is, and the ranges it is drawn from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Demosaic = Literal["bilinear", "gradient", "edge", "none"]
Subsampling = Literal["4:4:4", "4:2:2", "4:2:0"]

SMALLEST_RESIZE = 0.5
"""Smallest factor that :func:`draw_setting` draws for the final downscaling."""


@dataclass(frozen=True)
class CameraSetting:
    """One draw of everything but the scene. Raw values are relative to the white level, 1.

    Sources: Brooks et al., "Unprocessing images for learned raw denoising", CVPR 2019 (*UPI*);
    Wei et al., "A physics-based noise formation model for extreme low-light raw denoising",
    CVPR 2020 (*ELD*). Where no source is named the range is our choice.

    Attributes:
        red_gain: white balance of red; 1.2–2.6 (UPI §3.4 has 1.9–2.4; widened to other light).
        blue_gain: white balance of blue; 1.2–2.6 (UPI §3.4: 1.5–1.9).
        matrix_weights: share of each of four measured colour matrices, sum 1 (UPI §3.5).
        saturation: 0–1, from no colour matrix to all of it.
        contrast: 0–0.6, strength of the S-curve over the sRGB curve (UPI §3.7 has 1).
        shot: variance of the raw signal per unit of signal, the inverse of the full well in
            electrons at this ISO; 10^(−4.6)–10^(−1.6), log-uniform (UPI §3.1: 10^(−4)–10^(−1.9);
            widened down to DSLRs at base ISO, up to small phone sensors).
        read: standard deviation of the raw read noise; √shot × 10^(−1.9)–10^(−0.6), which holds
            the line of UPI §3.1.
        read_tail: shape λ of the read noise's Tukey-lambda distribution; −0.2–0.14, 0.14 is
            nearly Gaussian, below are heavier tails (ELD §3).
        row: standard deviation of the row noise over ``read``; 0 or up to 0.3 (ELD §3).
        gain_pattern: relative standard deviation of pixel gains; 0 or up to 0.01.
        dark_pattern: standard deviation of fixed pixel offsets over ``read``; 0 or up to 0.3.
        pattern_seed: of the fixed pattern, below 2^24; it belongs to the camera, not to the scene.
        bits: of the raw quantisation; 10, 12 or 14 (ELD §3, quantisation noise).
        demosaic: ``bilinear``; ``gradient`` (Malvar et al., ICASSP 2004); ``edge`` (Hamilton and
            Adams, US 5 629 734); ``none`` (three sensors, or pixels binned to one).
        luma_blur: Gaussian σ of the in-camera luma denoising in pixels; 0 for none, or 0.3–1.1.
        chroma_blur: the same of chroma; 0 for none, or 0.5–2.5.
        edge_keeping: 0–1, share of detail that the denoising gives back on edges.
        sharpening: amount of the unsharp mask; 0 or 0.2–1.5.
        sharpening_radius: Gaussian σ of the unsharp mask in pixels; 0.6–1.4.
        resize: factor of the final downscaling; 1 or 0.5–1.
        quality: libjpeg's quality of the JPEG (ITU-T T.81 Annex K tables), None for none; 60–99.
        subsampling: of the JPEG's chroma.
    """

    red_gain: float
    blue_gain: float
    matrix_weights: tuple[float, float, float, float]
    saturation: float
    contrast: float
    shot: float
    read: float
    read_tail: float
    row: float
    gain_pattern: float
    dark_pattern: float
    pattern_seed: int
    bits: int
    demosaic: Demosaic
    luma_blur: float
    chroma_blur: float
    edge_keeping: float
    sharpening: float
    sharpening_radius: float
    resize: float
    quality: int | None
    subsampling: Subsampling

    @property
    def denoises(self) -> bool:
        """Whether the camera denoises at all."""
        return self.luma_blur > 0 or self.chroma_blur > 0


def draw_setting(rng: np.random.Generator) -> CameraSetting:
    """Draws a camera setting; the ranges are those of :class:`CameraSetting`."""
    shot = 10 ** rng.uniform(-4.6, -1.6)
    denoises = rng.random() < 0.5
    weights = rng.uniform(size=4)
    first, second, third, fourth = (weights / weights.sum()).tolist()
    return CameraSetting(
        red_gain=rng.uniform(1.2, 2.6),
        blue_gain=rng.uniform(1.2, 2.6),
        matrix_weights=(first, second, third, fourth),
        saturation=rng.uniform(0, 1),
        contrast=rng.uniform(0, 0.6),
        shot=shot,
        read=math.sqrt(shot) * 10 ** rng.uniform(-1.9, -0.6),
        read_tail=rng.uniform(-0.2, 0.14),
        row=_sometimes(rng, 0, 0.3),
        gain_pattern=_sometimes(rng, 0, 0.01),
        dark_pattern=_sometimes(rng, 0, 0.3),
        pattern_seed=int(rng.integers(2**24)),
        bits=int(rng.choice([10, 12, 14])),
        demosaic=get_args(Demosaic)[rng.choice(4, p=[0.3, 0.3, 0.25, 0.15])],
        luma_blur=rng.uniform(0.3, 1.1) if denoises else 0.0,
        chroma_blur=rng.uniform(0.5, 2.5) if denoises else 0.0,
        edge_keeping=rng.uniform(0, 1),
        sharpening=_sometimes(rng, 0.2, 1.5),
        sharpening_radius=rng.uniform(0.6, 1.4),
        resize=rng.uniform(SMALLEST_RESIZE, 1) if rng.random() < 0.3 else 1.0,
        quality=int(rng.integers(60, 100)) if rng.random() < 0.6 else None,
        subsampling=get_args(Subsampling)[rng.choice(3, p=[0.35, 0.15, 0.5])],
    )


def _sometimes(rng: np.random.Generator, low: float, high: float) -> float:
    """Uniform in half of the draws, 0 in the others."""
    return rng.uniform(low, high) if rng.random() < 0.5 else 0.0
