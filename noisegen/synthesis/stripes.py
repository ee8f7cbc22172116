"""Row and column noise of any part of a picture, drawn by position."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from noisegen.noise.statistics import NoiseStatistics
from noisegen.synthesis.blocks import Region
from noisegen.synthesis.field import FieldKey, line_field

Floats = NDArray[np.float32]

COMMON = 3
"""The channel of the lines' field that all channels share."""


def stripes_of(measured: NoiseStatistics, key: FieldKey, region: Region) -> Floats | None:
    """Offsets of a region's rows and columns, h×w×C in units of the white level; None for none."""
    if not measured.stripes.any():
        return None
    rows = _offsets(measured, key, 0, region.y, region.height)[:, None]
    columns = _offsets(measured, key, 1, region.x, region.width)[None]
    return rows + columns


def _offsets(
    measured: NoiseStatistics, key: FieldKey, axis: int, start: int, length: int
) -> Floats:
    """length×C."""
    channels = len(measured.sigma)
    if not measured.stripes[:, axis].any():
        return np.zeros((length, channels), np.float32)
    reach = measured.stripe_kernel.shape[-1] // 2
    white = line_field(key, axis, start - reach, length + 2 * reach)
    shared = measured.stripe_shared[0, axis]
    offsets = np.empty((length, channels), np.float32)
    for c in range(channels):
        mixed = np.sqrt(shared) * white[COMMON] + np.sqrt(1 - shared) * white[c]
        kernel = measured.stripe_kernel[c, axis]
        # Sums in a fixed order, whatever the length.
        coloured = sum(kernel[k] * mixed[k : k + length] for k in range(len(kernel)))
        offsets[:, c] = measured.stripes[c, axis] * np.asarray(coloured)
    return offsets
