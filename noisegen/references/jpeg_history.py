"""Whether a picture has been a JPEG, and of what quality: a comb in its cosine coefficients.

A JPEG keeps every coefficient as a multiple of a step. Decoded and saved without loss, they still
stand close to those multiples (Fan and de Queiroz, IEEE Transactions on Image Processing 12(2),
2003). The coefficients of noise that no JPEG has been through lie anywhere.
"""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from noisegen.files import STANDARD_TABLE, quality_of_scale
from noisegen.noise.arrays import Floats, Pixels
from noisegen.references.pixel_blocks import SIDE, clipped_share, cosine_transform, spread_blocks

Ints = NDArray[np.int_]

POSITIONS = (
    *((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2)),
    *((2, 1), (0, 3), (3, 0), (2, 2), (1, 3), (3, 1)),
)
"""Rows and columns of the coefficients looked at: what a low quality leaves something of."""

STEPS = np.arange(3, 121)
"""Steps looked for. The finer ones of a high quality are blurred by rounding to 8 bits."""

NOUGHT = 0.3
"""Multiple of a step up to which a coefficient counts as 0. Below one half, so that what stands on
odd multiples speaks against twice the step."""

FEWEST = 40
"""Coefficients that are not 0, by which a step is found."""

CLEAREST = 0.6
"""Mean cosine of the coefficients' places between two multiples, from which it is a comb: 1 where
all stand on multiples, 0 or less without a comb."""

MOST_ALIKE = 0.8
"""Share of them that may be one and the same multiple: so is a slope that all blocks share."""

FEWEST_POSITIONS = 3
"""Positions whose steps must agree."""

AGREEMENT = 0.3
"""Natural logarithm by which a position's step may be off the standard table's shape."""

RESOLUTION = 4
"""Bins a unit in which coefficients are counted."""

LARGEST = 512
"""Coefficient that is counted, of 8-bit pixels."""

LOOKED_AT = 1536
"""Rows and columns in which the borders of blocks are looked for."""

LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601, as JFIF has it."""


def jpeg_quality_seen(picture: Pixels, white_level: float) -> float | None:
    """Quality, on libjpeg's scale, of the JPEG that a picture has been.

    Args:
        picture: H×W×C, C = 1 or 3.
        white_level: of its pixels.

    Returns:
        The lower one where it has been two; None where none shows, as from quality 95 on.
    """
    corners = dict.fromkeys([(0, 0), *blocky_corners(picture)])
    seen = [_quality(spread_blocks(picture, white_level, corner)) for corner in corners]
    return min((quality for quality in seen if quality is not None), default=None)


def blocky_corners(picture: Pixels) -> list[tuple[int, int]]:
    """Rows and columns where 8×8 blocks may begin, if the picture was cut once compressed."""
    gray = picture[:LOOKED_AT, :LOOKED_AT].mean(2, dtype=np.float32)
    return list(product(_strongest_borders(gray), _strongest_borders(gray.T)))


def _strongest_borders(gray: Floats) -> list[int]:
    """Two of the 8 phases: those before which rows bend most."""
    bend = np.abs(gray[:-3] - 3 * gray[1:-2] + 3 * gray[2:-1] - gray[3:]).mean(1)
    # Number i of these third differences is centred between rows i + 1 and i + 2.
    phases = [float(bend[(phase - 2) % SIDE :: SIDE].mean()) for phase in range(SIDE)]
    return [int(phase) for phase in np.argsort(phases)[-2:]]


def _quality(blocks: Floats) -> float | None:
    """Quality of N×C×8×8 blocks that lie on the grid of the compression."""
    whole = blocks[clipped_share(blocks) == 0]
    weights = np.array(LUMA if whole.shape[1] == 3 else (1,), np.float32)
    coefficients = cosine_transform(np.tensordot(whole, weights, (1, 0)))
    rows, columns = zip(*POSITIONS, strict=True)
    steps = comb_steps(coefficients[:, rows, columns])
    standard = np.array(STANDARD_TABLE)[rows, columns]
    scales = (steps / standard)[steps > 0]
    if len(scales) < FEWEST_POSITIONS:
        return None
    scale = float(np.median(scales))
    agreeing = np.abs(np.log(scales / scale)) < AGREEMENT
    return quality_of_scale(scale) if agreeing.sum() >= FEWEST_POSITIONS else None


def comb_steps(coefficients: Floats) -> Ints:
    """The steps whose multiples coefficients stand on.

    Args:
        coefficients: N×P, N of each of P positions.

    Returns:
        P steps, 0 where there is none to be seen.
    """
    bins = np.rint(np.abs(coefficients) * RESOLUTION).astype(int)
    limit = LARGEST * RESOLUTION
    counts = np.stack([np.bincount(b[b < limit], minlength=limit) for b in bins.T], 1)
    not_nought, cosines = _combs()
    found = not_nought @ counts.astype(np.float32)
    clarity = (cosines @ counts.astype(np.float32)) / np.maximum(found, 1)
    combs = (found >= FEWEST) & (clarity > CLEAREST)
    steps = np.zeros(coefficients.shape[1], int)
    for position in np.flatnonzero(combs.any(0)):
        largest = STEPS[combs[:, position]][-1]
        # A step's divisors fit as well, and so, less clearly, do those a little above it.
        near = combs[:, position] & (0.7 * largest <= STEPS)
        step = STEPS[np.where(near, clarity[:, position], 0).argmax()]
        multiples = np.rint(coefficients[:, position] / step)
        _, shares = np.unique(multiples[multiples != 0], return_counts=True)
        if shares.max() < MOST_ALIKE * shares.sum():
            steps[position] = step
    return steps


@cache
def _combs() -> tuple[Floats, Floats]:
    """For each step and bin: whether it counts as not 0, and then its cosine."""
    value = np.arange(LARGEST * RESOLUTION) / RESOLUTION
    step = STEPS[:, None]
    not_nought = (value > NOUGHT * step).astype(np.float32)
    return not_nought, not_nought * np.cos(2 * np.pi * value / step).astype(np.float32)
