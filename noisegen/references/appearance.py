"""What a noisy picture looks like: measures that :mod:`.screening` judges it by.

All take blocks in steps of 8 bits, as :func:`.pixel_blocks.spread_blocks` cuts them.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from noisegen.noise.arrays import Floats, Pixels
from noisegen.references.pixel_blocks import (
    SIDE,
    clipped_share,
    fit_surfaces,
    of_similar,
    roughness,
    tiles,
)

MOSTLY = 0.75
"""Share of black or saturated samples from which a block counts as such. Not less: where noise is
strong beside black, half of it is clipped and the other half shows."""

HARDLY = 0.1
"""The same, up to which a block counts as unclipped."""

GROUPS = 8
"""Parts, by brightness, in each of which the quietest blocks are looked for."""

QUIETEST = 0.02
"""Quantile that they are taken at."""

MIDDLE = (10.0, 235.0)
"""Brightness between which a picture is asked for noise: tone curves hide it near both ends."""

FEWEST_BLOCKS = 16

NEIGHBOURS = 64
"""Windows of similar brightness whose quietest set the noise floor at that brightness."""

FLOOR_QUANTILE = 0.05

TOLERANCE = 1.3
"""A window counts as flat up to this multiple of the floor's variance (sampling error)."""

COMMON_COLOURS = 4
"""Colours that hold most of a graphic's plain blocks; those of a smooth photograph are many."""


def ends_shares(blocks: Floats) -> tuple[float, float]:
    """Shares of N×C×8×8 blocks that are mostly black and mostly saturated."""
    black = (blocks == 0).mean((1, 2, 3)) >= MOSTLY
    white = (blocks >= 255).mean((1, 2, 3)) >= MOSTLY
    return float(black.mean()), float(white.mean())


def unclipped(blocks: Floats) -> Floats:
    """The blocks that hold hardly a black or saturated sample."""
    return blocks[clipped_share(blocks) <= HARDLY]


def plain_share(blocks: Floats) -> float:
    """Share of N×C×8×8 blocks that hold one single value, if they do so in few colours; else 0."""
    plain = blocks[np.ptp(blocks, axis=(2, 3)).max(1) == 0]
    if len(plain) == 0:
        return 0.0
    _, counts = np.unique(plain[:, :, 0, 0], axis=0, return_counts=True)
    common = np.sort(counts)[-COMMON_COLOURS:].sum() / len(plain)
    return len(plain) / len(blocks) if common > 0.5 else 0.0


def noise_floors(blocks: Floats) -> Floats:
    """σ of the noise in the quietest N×C×8×8 blocks, in steps of 8 bits, rising.

    Of each of :data:`GROUPS` groups of like brightness, for noise may depend on it. Upper limits
    where all is textured.

    Returns:
        Nothing where hardly a block is of middling brightness.
    """
    brightness = blocks.mean((2, 3))
    middling = (brightness.min(1) >= MIDDLE[0]) & (brightness.max(1) <= MIDDLE[1])
    if middling.sum() < FEWEST_BLOCKS:
        return np.empty(0, np.float32)
    rough = roughness(blocks[middling])
    order = np.argsort(brightness[middling].mean(1), kind="stable")
    floors = [np.quantile(rough[group], QUIETEST) for group in np.array_split(order, GROUPS)]
    return np.sqrt(np.sort(floors), dtype=np.float32)


def quantisation_step(picture: Pixels, white_level: float) -> float:
    """Quantisation step in steps of 8 bits: the divisor that integer values share; 0 for floats.

    8 bits kept in 16 are still 8 bits.
    """
    if picture.dtype.kind == "f":
        return 0.0
    divisor = int(np.gcd.reduce(np.unique(picture)))
    return max(divisor, 1) * 255 / white_level


def unevenness(windows: Floats) -> float | None:
    """Unevenness of roughness among the 8×8 blocks within a picture's flattest windows.

    The standard deviation of their variances over its mean, median of the windows: 0.1 for white
    noise, 0.2 to 0.45 for the grain of cameras, more where texture passes for noise.

    Args:
        windows: N×C×32×32.

    Returns:
        None where every window is clipped.
    """
    windows = unclipped(windows)
    if len(windows) == 0:
        return None
    smooth = fit_surfaces(windows)
    residual = windows - smooth
    variance = (residual**2).mean((1, 2, 3))
    count = min(NEIGHBOURS, len(windows)) // 2 * 2
    floor = of_similar(
        variance, smooth.mean((1, 2, 3)), count, partial(np.quantile, q=FLOOR_QUANTILE, axis=1)
    )
    flat = residual[variance <= TOLERANCE * floor]
    rough = roughness(tiles(flat, SIDE)).reshape(len(flat), -1)
    return float(np.median(rough.std(1) / np.maximum(rough.mean(1), 1e-9)))


def brightness_range(blocks: Floats) -> tuple[float, float]:
    """Range that nearly all N×C×8×8 blocks' mean brightness lies in."""
    low, high = np.quantile(blocks.mean((1, 2, 3)), (0.01, 0.99))
    return float(low), float(high)
