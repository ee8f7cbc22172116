"""The curve that dim, linear pictures go through before the denoiser looks at them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noisegen.noise.arrays import Floats
from noisegen.noise.record import Recording

FEW_STEPS = 1 / 1000
"""Of the quantisation, of white, below which data are deep: more than 8 bits, without a curve."""

DIM = 0.2
"""Share of its range that the darker half of a dim picture takes."""


@dataclass(frozen=True)
class Stretch:
    """Tone curve that a dim, linear picture goes through before the denoiser looks at it.

    The denoiser has learned pictures as 8 bits show them, after a tone curve. In deep data most of
    the picture may lie in a hundredth of the range, its noise far below what 8 bits show; a square
    root spreads it, and makes shot noise even.

    Attributes:
        low: black of the stretched picture.
        span: from there to its white.
    """

    low: float
    span: float

    @classmethod
    def of(cls, noisy: Floats, recording: Recording) -> Stretch | None:
        """Choose a picture's curve: none for one of few steps, or one that fills its range."""
        low, middle, high = np.quantile(noisy, (0.001, 0.5, 0.999))
        deep = float(recording.step.max()) < FEW_STEPS
        if not deep or high == low or middle - low > DIM * (high - low):
            return None
        return cls(float(low - DIM * (middle - low)), float(high - low))

    def forward(self, noisy: Floats) -> Floats:
        """Map pixels to what the denoiser looks at."""
        spread = np.clip((noisy - self.low) / self.span, 0, None)
        return np.asarray(np.sqrt(spread), np.float32)

    def back(self, clean: Floats) -> Floats:
        """Map a clean estimate back."""
        return (self.low + self.span * np.maximum(clean, 0) ** 2).astype(np.float32)

    def slope(self, clean: Floats) -> Floats:
        """Factor on a small error of a clean estimate on its way back."""
        return (2 * self.span * np.maximum(clean, 0.01)).astype(np.float32)
