"""Noise of families that no training has seen: what tuning is for.

Neither the simulator nor the textbook noise of training draws any of these: grain in clumps, lines
read out together, and speckle that spans pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from noisegen.noise.record import as_stored
from noisegen.training.realdata import gaussian_blur

Bytes = NDArray[np.uint8]
Doubles = NDArray[np.float64]
Rng = np.random.Generator


def film_grain(clean: Bytes, rng: Rng) -> Bytes:
    """Log-normal clumps of silver, the same in all colours, strongest in the middle tones."""
    x = clean / 255
    grain = gaussian_blur(rng.normal(size=(*clean.shape[:2], 1)).astype(np.float32), 1.1)
    clumps = np.exp(0.5 * grain / grain.std())
    clumps = (clumps - clumps.mean()) / clumps.std()
    amplitude = 0.02 + 0.11 * np.sqrt(x * (1 - x))
    return _recorded(255 * (x + amplitude * clumps))


def banding(clean: Bytes, rng: Rng) -> Bytes:
    """Bands of three rows, each with an offset of its own, beside faint white noise."""
    rows = len(clean)
    offsets = np.repeat(rng.normal(0, 10, (rows // 3 + 1, 1, 1)), 3, axis=0)[:rows]
    return _recorded(clean + offsets + rng.normal(0, 4, clean.shape))


def blurred_speckle(clean: Bytes, rng: Rng) -> Bytes:
    """Multiplicative gamma noise of three looks through a blur, as in radar and ultrasound."""
    white = rng.normal(size=(3, *clean.shape)).astype(np.float32)
    speckle: Doubles = np.mean([gaussian_blur(look, 1.0) ** 2 for look in white], axis=0)
    return _recorded(clean * (0.65 + 0.35 * speckle / speckle.mean()))


def _recorded(noisy: Doubles) -> Bytes:
    return as_stored(noisy, np.uint8)


FAMILIES = {
    "film-grain": film_grain,
    "banding": banding,
    "blurred-speckle": blurred_speckle,
}
"""Name → how it is put on a clean picture, H×W×3."""
