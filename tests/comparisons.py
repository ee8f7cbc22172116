"""Comparisons of real and generated noise whose processes are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pictures import scene
from scipy import ndimage

from noisegen.evaluation.protocol import Target
from noisegen.evaluation.side_by_side import SideBySide

Process = Callable[[tuple[int, ...], np.random.Generator], NDArray[np.float64]]


def white(sigma: float) -> Process:
    """White Gaussian noise, in steps of 8 bits."""
    return lambda shape, rng: rng.normal(0, sigma, shape)


def grain(sigma: float) -> Process:
    """Gaussian noise correlated over about 3 pixels, of the same σ."""

    def draw(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
        smooth = ndimage.gaussian_filter(rng.normal(0, 1, shape), (0.8, 0.8, 0), mode="wrap")
        noise: NDArray[np.float64] = smooth * (sigma / smooth.std())
        return noise

    return draw


def comparisons(
    real: Process, fake: Process, scenes: int = 4, side: int = 160, channels: int = 3
) -> list[SideBySide]:
    """One comparison a scene."""
    rng = np.random.default_rng(5)
    made = []
    for index in range(scenes):
        clean = scene(side, side, channels, seed=index)
        noisy, generated = (
            np.clip(np.rint(clean + process(clean.shape, rng)), 0, 255).astype(np.uint8)
            for process in (real, fake)
        )
        target = Target(f"{index}", f"scene {index}", noisy, clean)
        made.append(SideBySide("row", target, noisy, generated))
    return made
