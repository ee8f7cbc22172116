"""Pictures of instruments whose noise is known, as wide as what they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[Any]
Floats = NDArray[np.float64]

MATRIX = np.array([[1.7, -0.5, -0.2], [-0.3, 1.6, -0.3], [-0.1, -0.6, 1.7]])
"""Of the phone's colours."""

OFFSET = 100
"""Counts of an sCMOS camera in the dark."""


def as_bytes(values: Floats) -> Pixels:
    """From [0, 1]."""
    samples: Pixels = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    return samples


def phone(clean: Floats, loud: float, seed: int) -> Pixels:
    """Photon and read noise in linear light, then a colour matrix, clipping and gamma."""
    rng = np.random.default_rng(seed)
    raw = clean**2.2 @ np.linalg.inv(MATRIX).T
    variance = np.maximum(raw, 0) * loud * 0.35 + (loud * 0.45) ** 2
    raw = raw + np.sqrt(variance) * rng.standard_normal(raw.shape)
    return as_bytes(np.clip(raw @ MATRIX.T, 0, 1) ** (1 / 2.2))


def every_brightness(side: int) -> Floats:
    """A colourful clean with every brightness in every channel."""
    y, x = np.mgrid[:side, :side] / side
    return np.stack([0.03 + 0.94 * x, 0.03 + 0.94 * y, 0.5 + 0.47 * np.sin(6 * x + 5 * y)], -1)


def drawn_scene(seed: int, channels: int = 3, side: int = 384) -> Floats:
    """Shading from black to white, discs, stripes, H×W×C in [0, 1]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    planes = []
    for k in range(channels):
        plane = 0.15 + 0.7 * (x * np.cos(seed + k) + y * np.sin(seed + k)) ** 2
        for _ in range(25):
            cx, cy, radius, value = (
                rng.uniform(*ends) for ends in ((0, 1), (0, 1), (0.02, 0.12), (0.02, 0.95))
            )
            plane = np.where(np.hypot(x - cx, y - cy) < radius, value, plane)
        planes.append(plane + 0.03 * np.sin(x * 90) * np.sin(y * 60))
    return np.asarray(np.clip(np.stack(planes, -1), 0.01, 0.99))


def cells(seed: int, side: int = 384) -> Floats:
    """Cells on a dim ground and a few bright spots, in counts above a camera's offset."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    signal = 20 + 15 * np.sin(x / 90 + seed) * np.cos(y / 70)
    for count, widths, heights in ((70, (1.5, 6), (100, 2800)), (15, (20, 50), (20, 150))):
        for _ in range(count):
            cx, cy = rng.uniform(0, side, 2)
            width = rng.uniform(*widths)
            spot = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * width * width))
            signal = signal + rng.uniform(*heights) * spot
    return np.asarray(np.minimum(signal, 3900))


def scmos(signal: Floats, seed: int) -> Pixels:
    """Twelve bits, 0.46 electrons a count, read noise of 3.5 counts, and the offset."""
    rng = np.random.default_rng(seed)
    read = 3.5 * rng.standard_normal(signal.shape)
    counts = np.rint(rng.poisson(signal * 0.46) / 0.46 + read + OFFSET)
    samples: Pixels = np.clip(counts, 0, 4095).astype(np.uint16)
    return samples


def scmos_sigma(signal: Floats) -> float:
    """What :func:`scmos` has where the signal is nearly even."""
    return float(np.sqrt(signal.mean() / 0.46 + 3.5**2))


def scmos_ratio(noisy: Pixels, signal: Floats, low: float, high: float) -> float:
    """σ of a noisy picture against the camera's own between two signals."""
    here = (signal >= low) & (signal < high)
    assert here.sum() > 200
    noise = noisy[here].astype(np.float64) - OFFSET - signal[here]
    return float(noise.std()) / scmos_sigma(signal[here])
