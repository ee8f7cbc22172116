"""Pictures that tests are made of."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

Pixels = NDArray[Any]


def scene(height: int, width: int, channels: int = 3, seed: int = 0) -> Pixels:
    """A smooth colourful picture with some edges, H×W×C uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 64
    phases = rng.uniform(0, 6, (channels, 3))
    planes = [0.5 + 0.2 * np.sin(y + p[0]) + 0.2 * np.cos(x * 1.3 + p[1]) for p in phases]
    picture = np.stack(planes, -1)
    picture[height // 3 : height // 2, width // 4 : width // 2] *= 0.5
    samples: Pixels = np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8)
    return samples


def add_gaussian(clean: Pixels, sigma: float, seed: int = 0) -> Pixels:
    """White Gaussian noise, clipped and rounded."""
    rng = np.random.default_rng([7, seed])
    noisy = clean + rng.normal(0, sigma, clean.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def tiff(samples: NDArray[Any], **options: Any) -> bytes:
    """The file of tifffile's: gray pages unless the options say otherwise."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, samples, **{"photometric": "minisblack", **options})
    return buffer.getvalue()
