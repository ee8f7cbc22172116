"""Noisy values as the profile's instrument would have written them into the clean's file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisegen.noise.arrays import Floats, Pixels
from noisegen.noise.record import Recording, as_stored
from noisegen.profiles.profile import NoiseProfile
from noisegen.synthesis.levels import Levels

COARSE = 1.02
"""Step of integers, above which the instrument's own steps are wider than its file's."""


@dataclass(frozen=True)
class Recorder:
    """Adds noise to clean samples, clips and rounds.

    Attributes:
        recording: of the instrument, in the clean's counts.
        scale: that the noise is in units of, in the clean's counts.
    """

    recording: Recording
    scale: float

    @classmethod
    def of(cls, profile: NoiseProfile, levels: Levels, dtype: np.dtype[Any]) -> Recorder:
        """The profile's instrument on a clean of this type.

        Steps as fine as a file's type are that type's; wider ones are the instrument's in any file.
        """
        found = profile.recording
        whole = profile.dtype != "float32"
        factor = 1.0 if levels.same else levels.scale / profile.white_level
        own = (found.step > COARSE) if whole else (found.step > 0) & levels.same
        step, origin = (
            np.where(own, found.step, 0) * factor,
            np.where(own, found.origin, 0) * factor,
        )
        if dtype.kind != "f":
            step, origin = np.where(own, np.maximum(step, 1), 1), np.where(own, origin, 0)
        low = np.maximum(np.where(found.low > 0, found.low * factor, levels.black), levels.black)
        ended = found.high < profile.white_level
        high = np.where(ended, np.minimum(found.high * factor, levels.white), levels.white)
        return cls(Recording(low, high, step, origin), levels.scale)

    def record(self, samples: Pixels, noise: Floats) -> Pixels:
        """Noisy samples of the clean's type.

        Args:
            samples: h×w×C, of the clean.
            noise: h×w×C, in units of the scale.
        """
        if samples.dtype.kind == "f" and not self.recording.step.any():
            values = samples + noise * self.scale
        else:
            # Not all of a deep file's values are float32's.
            exact = np.dtype(np.float32 if samples.dtype == np.uint8 else np.float64)
            values = samples.astype(exact) + noise.astype(exact) * exact.type(self.scale)
        recorded: NDArray[Any] = self.recording.record(values, channel_axis=-1)
        if samples.dtype.kind != "f":
            return as_stored(recorded, samples.dtype)
        return recorded.astype(samples.dtype)
