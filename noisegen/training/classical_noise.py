"""Textbook noises at the strengths of NoiseTransfer (ACCV 2022, Sec. 4.1) and beyond."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noisegen.noise.arrays import Bytes, Floats, Rng
from noisegen.noise.record import as_stored


@dataclass(frozen=True)
class ClassicalSetting:
    """Noise of one strength.

    Attributes:
        gaussian: standard deviation per channel, in units of the white level.
        grain: Gaussian σ in pixels that the Gaussian noise is blurred by, each channel by itself,
            as scanned, resized and smoothed noise is; 0 in most draws, else 0.4–1.3.
        poisson: photons at the white level, 0 for no shot noise.
        speckle: standard deviation of multiplicative noise.
        impulses: share of pixels set to black or white.
        gray: one channel, repeated.
    """

    gaussian: tuple[float, float, float]
    grain: float
    poisson: float
    speckle: float
    impulses: float
    gray: bool


def draw_setting(rng: Rng) -> ClassicalSetting:
    """Draws Gaussian, Poisson, Poisson-Gaussian, speckle or impulse noise."""
    kind = rng.choice(
        ["gaussian", "poisson", "both", "speckle", "impulses"], p=[0.4, 0.2, 0.25, 0.1, 0.05]
    )
    sigma = np.exp(rng.uniform(np.log(2), np.log(60))) / 255
    sigmas = np.full(3, sigma) if rng.random() < 0.7 else sigma * rng.uniform(0.5, 1.5, 3)
    if kind in ("poisson", "speckle", "impulses"):
        sigmas = np.zeros(3)
    return ClassicalSetting(
        gaussian=(float(sigmas[0]), float(sigmas[1]), float(sigmas[2])),
        grain=float(rng.uniform(0.4, 1.3)) if rng.random() < 0.25 else 0.0,
        poisson=float(np.exp(rng.uniform(np.log(10), np.log(2000))))
        if kind in ("poisson", "both")
        else 0.0,
        speckle=float(rng.uniform(0.03, 0.3)) if kind == "speckle" else 0.0,
        impulses=float(rng.uniform(0.002, 0.1)) if kind == "impulses" else 0.0,
        gray=bool(rng.random() < 0.3),
    )


def shoot(picture: Bytes, setting: ClassicalSetting, rng: Rng) -> tuple[Bytes, Bytes]:
    """Makes a noisy and a clean version of a picture, H×W×3 uint8; gray where the setting is."""
    if setting.gray:
        gray = np.rint(picture.astype(np.float32).mean(-1, keepdims=True)).astype(np.uint8)
        picture = np.broadcast_to(gray, picture.shape)
    return add_noise(picture, setting, rng), picture


def add_noise(clean: Bytes, setting: ClassicalSetting, rng: Rng) -> Bytes:
    """Noisy version of a clean picture.

    Args:
        clean: H×W×C uint8; with ``setting.gray`` all channels are equal.
        setting: kind and strength.
        rng: source of the noise.
    """
    x = clean.astype(np.float32) / 255
    shape = (*x.shape[:2], 1) if setting.gray else x.shape
    x = x[..., : shape[2]]
    noisy = x
    if setting.poisson:
        noisy = (rng.poisson(x * setting.poisson) / setting.poisson).astype(np.float32)
    noisy = noisy + np.array(setting.gaussian[: shape[2]]) * _grain(shape, setting.grain, rng)
    if setting.speckle:
        noisy = noisy * (1 + setting.speckle * rng.standard_normal(shape))
    if setting.impulses:
        hit = rng.random(shape) < setting.impulses
        noisy = np.where(hit, rng.integers(0, 2, shape), noisy)
    quantised = as_stored(noisy * 255, np.uint8)
    return np.broadcast_to(quantised, clean.shape).copy()


def _grain(shape: tuple[int, ...], blur: float, rng: Rng) -> Floats:
    """Normal noise of unit variance, blurred around the borders."""
    white = rng.standard_normal(shape).astype(np.float32)
    if not blur:
        return white
    down, across = np.fft.fftfreq(shape[0])[:, None, None], np.fft.rfftfreq(shape[1])[:, None]
    response = np.exp(-2 * (np.pi * blur) ** 2 * (down**2 + across**2))
    blurred = np.fft.irfft2(np.fft.rfft2(white, axes=(0, 1)) * response, shape[:2], axes=(0, 1))
    whole = np.fft.irfft2(response, shape[:2], axes=(0, 1))
    grain: Floats = (blurred / np.sqrt((whole**2).sum())).astype(np.float32)
    return grain
