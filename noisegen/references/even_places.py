"""Coarse noise of a lone shot where its scene shows least.

A denoiser leaves most of the blotches that a camera's own denoising makes in the picture, however
strong they are: noise with and without them comes back much alike from it. But a scene has even
places, and what varies slowly even there is noise, so the quietest of many blocks tell how strong
it is (Liu, Szeliski, Kang, Zitnick and Freeman, *Automatic Estimation and Removal of Noise from a
Single Image*, PAMI 2008, take the lower envelope of a picture's variances in the same spirit).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

import numpy as np

from noisegen.noise.arrays import Doubles, Floats, Mask
from noisegen.references.pixel_blocks import cosines, spread_blocks, taper

SIDE = 64
"""Of a block, in pixels: twice the longest wave that is looked at, and more."""

BANDS = (0.045, 0.07, 0.1, 0.14)
"""Edges of the bands of frequency, in cycles a pixel. Below, shading passes for noise."""

FEWEST_BLOCKS = 256
"""Blocks (1 Mpx) that a picture must have: of fewer, none may be even. In pictures of 105 blocks
that overlap (nam25) even the quietest were up to four times as lively as the noise."""

MOST_BLOCKS = 2048
"""Blocks that are looked at."""

EVEN = 0.05
"""Share of the blocks that count as even."""

INDEPENDENT = 1.9
"""Frequencies of a tapered block for each that says something of its own."""

SURFACE_ORDER = 3
"""A block's shading has 3 × 3 cosine terms."""


@dataclass(frozen=True)
class CoarseNoise:
    """Slow variations of a picture's blocks; C channels.

    Attributes:
        products: N×bands×C×C, mean products of the channels' spectra, of unit mean for white noise
            of unit variance.
        brightness: N×C, mean of each block.
    """

    products: Doubles
    brightness: Doubles

    @classmethod
    def of(cls, noisy: Floats) -> CoarseNoise | None:
        """Look at a picture, H×W×C in units of the white level; None where it is too small."""
        blocks = spread_blocks(noisy, 255.0, side=SIDE, most=MOST_BLOCKS)
        if len(blocks) < FEWEST_BLOCKS:
            return None
        basis = cosines(SURFACE_ORDER, SIDE)
        shading = basis.T @ basis
        window = taper(SIDE, SIDE)
        window /= np.sqrt((window**2).mean()) * SIDE
        spectrum = np.fft.fft2((blocks - shading @ blocks @ shading) * window)
        products = [
            np.einsum("nck,ndk->ncd", part, part.conj()).real / part.shape[2]
            for part in (spectrum[..., mask] for mask in band_masks(SIDE))
        ]
        return cls(np.stack(products, 1), blocks.mean((2, 3), dtype=np.float64))

    def power(self, nodes: Floats, level: Floats, axes: Doubles) -> Doubles:
        """Power of the noise by even places, bands×axes, in units of its variance.

        Args:
            nodes: C×n, intensities.
            level: C×n, standard deviation of the noise there.
            axes: orthonormal, axes×C, of colour.
        """
        curves = zip(self.brightness.T, nodes, level, strict=True)
        deviations = np.stack([np.interp(*curve) for curve in curves])
        scaled = axes[None] / deviations.T[:, None]
        power = np.einsum("nkc,nbcd,nkd->nbk", scaled, self.products, scaled)
        return np.asarray(np.quantile(power, EVEN, axis=0) / _quantile_of_mean()[:, None])


def frequencies(side: int) -> Doubles:
    """Cycles a pixel of each place of a side×side transform, whichever its direction."""
    turns = np.fft.fftfreq(side)
    return np.asarray(np.hypot(turns[:, None], turns))


def band_masks(side: int) -> list[Mask]:
    """Which frequencies of a side×side transform each band has."""
    turns = frequencies(side)
    return [(turns >= low) & (turns < high) for low, high in pairwise(BANDS)]


def _quantile_of_mean() -> Doubles:
    """Quantile EVEN of each band's power of noise alone, whose mean is 1 (Wilson and Hilferty)."""
    freedom = np.array([mask.sum() for mask in band_masks(SIDE)]) / INDEPENDENT
    spread = 2 / (9 * freedom)
    return np.asarray((1 - spread + NormalDist().inv_cdf(EVEN) * np.sqrt(spread)) ** 3)
