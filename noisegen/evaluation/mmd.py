"""Maximum mean discrepancy between small patches of real and generated noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisegen.evaluation.protocol import PROTOCOL_SEED
from noisegen.evaluation.side_by_side import SideBySide

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Rng = np.random.Generator


@dataclass(frozen=True)
class MMDConfig:
    """What decides the figure.

    Attributes:
        side: of a patch, in pixels.
        patches: drawn of each of the two sides.
        bandwidths: of the Gaussian kernels, in medians of the distance between real patches.
        seed: of the patches' places.
    """

    side: int = 8
    patches: int = 1000
    bandwidths: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0)
    seed: int = PROTOCOL_SEED


DEFAULT = MMDConfig()


def patch_mmd(comparisons: Sequence[SideBySide], config: MMDConfig = DEFAULT) -> float:
    """Squared MMD of noise patches, unbiased: 0 in the mean for equal noise, and it may be below.

    Real and generated patches are drawn independently, each from a random place of a random
    target, as the unbiased estimate asks.

    Args:
        comparisons: of one row; their pictures have one number of channels.
        config: patches and kernel.
    """
    rng = np.random.default_rng(config.seed)
    real = _draw_patches([c.real_noise for c in comparisons], config, rng)
    fake = _draw_patches([c.fake_noise for c in comparisons], config, rng)
    return squared_mmd(real, fake, config.bandwidths)


def squared_mmd(real: Doubles, fake: Doubles, bandwidths: Sequence[float]) -> float:
    """Unbiased squared MMD (Gretton et al., JMLR 13, 2012, Eq. 3) of two samples.

    The kernel is the sum over b of exp(−‖x − y‖² / (2 b² m²)), m the median distance of real
    samples among themselves: the generated ones cannot widen the yardstick they are held to.

    Args:
        real: N×D, N of 2 or more.
        fake: M×D, M of 2 or more.
        bandwidths: the b, in medians.
    """
    among_real, among_fake = _squared_distances(real, real), _squared_distances(fake, fake)
    across = _squared_distances(real, fake)
    others = ~np.eye(len(real), dtype=bool)
    # A quarter of a step of 8 bits: where the real noise is nearly none the median can be 0.
    squared_median = max(float(np.median(among_real[others])), (0.25 / 255) ** 2)

    def kernel(squared: Doubles) -> Doubles:
        return sum(
            (np.exp(-squared / (2 * b * b * squared_median)) for b in bandwidths), np.zeros(())
        )

    def mean_of_others(squared: Doubles) -> float:
        count = len(squared)
        values = kernel(squared)
        return float((values.sum() - np.trace(values)) / (count * (count - 1)))

    return (
        mean_of_others(among_real) + mean_of_others(among_fake) - 2 * float(kernel(across).mean())
    )


def _draw_patches(noises: Sequence[Floats], config: MMDConfig, rng: Rng) -> Doubles:
    """Patches from random places of random pictures: N×(side² C)."""
    patches = []
    for index in rng.integers(len(noises), size=config.patches):
        noise = noises[index]
        y, x = (int(rng.integers(length - config.side + 1)) for length in noise.shape[:2])
        patches.append(noise[y : y + config.side, x : x + config.side].ravel())
    return np.stack(patches).astype(np.float64)


def _squared_distances(a: Doubles, b: Doubles) -> Doubles:
    squares = (a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2 * (a @ b.T)
    distances: Doubles = np.maximum(squares, 0)
    return distances
