"""Row and column noise of any part of a picture, drawn by position."""

from __future__ import annotations

import numpy as np

from noisegen.noise.arrays import Floats
from noisegen.noise.field import FieldKey, line_field
from noisegen.noise.statistics import NoiseStatistics

COMMON = 3
"""The channel of the lines' field that all channels share."""


def stripes_of(
    measured: NoiseStatistics, key: FieldKey, corner: tuple[int, int], clean: Floats
) -> Floats | None:
    """Offsets of rows and columns, in units of the white level; None for none.

    Args:
        measured: of the camera.
        key: of the picture's field.
        corner: row and column of the picture where the part begins.
        clean: h×w×P of it, in units of the white level; of a camera of one channel, all planes
            have its offsets.

    Returns:
        h×w×P.
    """
    if not measured.stripes.any():
        return None
    offsets = np.zeros(clean.shape, np.float32)
    for axis, (start, length) in enumerate(zip(corner, clean.shape[:2], strict=True)):
        if not measured.stripes[:, axis].any():
            continue
        lines = _lines(measured, key, axis, start, length)
        for plane in range(clean.shape[2]):
            c = plane % len(measured.sigma)
            strength = np.interp(clean[..., plane], measured.nodes[c], measured.stripes[c, axis])
            line = lines[:, c, None] if axis == 0 else lines[None, :, c]
            offsets[..., plane] += strength.astype(np.float32) * line
    return offsets


def _lines(measured: NoiseStatistics, key: FieldKey, axis: int, start: int, length: int) -> Floats:
    """length×C, of unit variance."""
    reach = measured.stripe_kernel.shape[-1] // 2
    white = line_field(key, axis, start - reach, length + 2 * reach)
    shared = measured.stripe_shared[0, axis]
    lines = np.empty((length, len(measured.sigma)), np.float32)
    for c in range(lines.shape[1]):
        mixed = np.sqrt(shared) * white[COMMON] + np.sqrt(1 - shared) * white[c]
        kernel = measured.stripe_kernel[c, axis]
        # Sums in a fixed order, whatever the length.
        lines[:, c] = sum(kernel[k] * mixed[k : k + length] for k in range(len(kernel)))
    return lines
