"""Gray instruments that record light as it is: microscopes' and industrial cameras."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noisegen.noise.arrays import Floats


@dataclass(frozen=True)
class Instrument:
    """A gray camera at one gain. Values are relative to the white level, 1.

    Attributes:
        shot: variance per unit of signal, the inverse of the full well in electrons.
        read: standard deviation of the read noise.
        offset: value of no light.
        gain_pattern: relative standard deviation of the pixels' gains.
        column: standard deviation of the columns' offsets in a shot, over ``read``.
        bits: of its files.
        seed: of its pixels' gains.
    """

    shot: float
    read: float
    offset: float
    gain_pattern: float
    column: float
    bits: int
    seed: int

    def shoot(self, light: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Noisy and clean picture of a scene.

        Args:
            light: H×W, linear, in [0, 1].
            rng: of the noise.

        Returns:
            H×W float32 in [0, 1], the noisy one in steps of the instrument's bits.
        """
        pure = self.offset + (1 - self.offset) * light.astype(np.float64)
        pixels = np.random.default_rng([self.seed, *light.shape]).standard_normal(light.shape)
        gains = np.maximum(1 + self.gain_pattern * pixels, 0)
        photons = rng.poisson((pure - self.offset) * gains / self.shot)
        columns = self.column * rng.standard_normal(light.shape[1])
        dark = self.read * (rng.standard_normal(light.shape) + columns)
        noisy = self.offset + self.shot * photons + dark
        steps = 2**self.bits - 1
        recorded = np.rint(noisy.clip(0, 1) * steps) / steps
        return recorded.astype(np.float32), pure.astype(np.float32)
