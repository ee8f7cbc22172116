"""The value that is white in references of floats, found from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from noisegen.files import WHITE_LEVELS_16
from noisegen.noise.arrays import Pixels

NOISE_ABOVE = 1.5
"""Largest value of floats that noise alone may bring above a white of 1."""

STRAY = 0.001
"""Share of their pixels that may lie above it, however far, as hot ones do."""


def white_of_floats(noisies: Sequence[Pixels], cleans: Sequence[Pixels | None]) -> float:
    """1, or their largest value; whole numbers are counts, and white is that of their bits.

    Noise may pass 1, and so do a few hot pixels, where white is 1 all the same: as a clean says
    that does not, or where it is by less than noise is, or hardly anywhere.

    Args:
        noisies: noisy pictures of floats.
        cleans: the clean of each, or None.
    """
    known = [clean for clean in cleans if clean is not None and clean.dtype.kind == "f"]
    # Of two types of floats, the shots' own counts.
    alike = [clean for clean in known if clean.dtype == noisies[0].dtype]
    highest = max(1.0, *(float(array.max()) for array in (*noisies, *alike)))
    if highest > 1 and all((noisy == np.rint(noisy)).all() for noisy in noisies):
        levels = (float(level) for level in (255, *WHITE_LEVELS_16) if level >= highest)
        return next(levels, highest)
    if len(known) == len(noisies):
        unit = bool(noisies[0].mean() <= 1) and all(clean.max() <= 1 for clean in known)
    else:
        above = np.mean([float((noisy > 1).mean()) for noisy in noisies])
        unit = highest <= NOISE_ABOVE or bool(above <= STRAY)
    return 1.0 if unit else highest
