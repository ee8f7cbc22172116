"""Scenes drawn from seeds: photographs in display values, microscopes' fields in linear signal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


def photograph(seed: int, side: int, channels: int = 3) -> Doubles:
    """Shading from black to white, discs, stripes and texture.

    Args:
        seed: of the drawing.
        side: height and width, in pixels.
        channels: 3 for colour, 1 for gray.

    Returns:
        side×side×channels in [0, 1], display values.
    """
    rng = np.random.default_rng([11, seed])
    y, x = np.mgrid[:side, :side] / side
    turn = rng.uniform(0, 2 * np.pi)
    along = x * np.cos(turn) + y * np.sin(turn)
    shading = (along - along.min()) / np.ptp(along)
    planes = np.stack([shading + rng.uniform(-0.12, 0.12) for _ in range(channels)], -1)
    for _ in range(40):
        centre, radius = rng.uniform(0, 1, 2), rng.uniform(0.02, 0.12)
        inside = np.hypot(x - centre[0], y - centre[1]) < radius
        planes[inside] = rng.uniform(0, 1) + rng.uniform(-0.25, 0.25, channels)
    band = (x > 0.6) & (y > 0.6)
    planes += np.where(band, 0.1 * np.sign(np.sin(along * 150)), 0.0)[..., None]
    planes += _texture(rng, side)[..., None] * ((x < 0.4) & (y < 0.5))[..., None]
    scene: Doubles = planes.clip(0.0, 1.0)
    return scene


def dark_photograph(seed: int, side: int) -> Doubles:
    """A dim room: most of it at 4 to 14 % of white, a few discs brighter; side×side×3."""
    planes = photograph(seed, side)
    scene: Doubles = 0.045 + 0.1 * planes + 0.3 * (planes > 0.97)
    return scene


def microscope(seed: int, side: int, brightest: float, channels: int = 1) -> Doubles:
    """Cells and spots on a dim, uneven ground.

    Args:
        seed: of the drawing.
        side: height and width, in pixels.
        brightest: signal of the brightest spots; the ground has 5 to 35.
        channels: drawn apart from each other.

    Returns:
        side×side×channels, at most ``brightest``.
    """
    rng = np.random.default_rng([12, seed])
    y, x = np.mgrid[:side, :side].astype(float)
    planes = []
    for _ in range(channels):
        phase = rng.uniform(0, 6, 2)
        signal = 20 + 15 * np.sin(x / 90 + phase[0]) * np.cos(y / 70 + phase[1])
        for count, widths, most in ((70, (1.5, 6.0), 1.0), (15, (20.0, 50.0), 0.06)):
            for _ in range(count):
                across, down = rng.uniform(0, side, 2)
                width, height = rng.uniform(*widths), rng.uniform(0.1, 1) * most * brightest
                signal += height * np.exp(-((x - across) ** 2 + (y - down) ** 2) / (2 * width**2))
        planes.append(signal)
    scene: Doubles = np.minimum(np.stack(planes, -1), brightest)
    return scene


def _texture(rng: np.random.Generator, side: int) -> Doubles:
    """Fine texture of a few pixels, σ 0.05."""
    coarse = rng.standard_normal((side // 2 + 1, side // 2 + 1))
    fine = np.repeat(np.repeat(coarse, 2, 0), 2, 1)[:side, :side]
    smooth = fine + np.roll(fine, 1, 0) + np.roll(fine, 1, 1)
    texture: Doubles = 0.05 * smooth / smooth.std()
    return texture
