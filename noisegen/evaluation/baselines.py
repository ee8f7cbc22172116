"""The line that stands beside ours where nothing else is known: Gaussian noise."""

from __future__ import annotations

import numpy as np

from noisegen.files import Pixels, quantise, to_float
from noisegen.references.profile import NoiseProfile
from noisegen.synthesis.field import field_key, gaussian_field


def gaussian(clean: Pixels, profile: NoiseProfile, key: str, white_level: float = 255) -> Pixels:
    """White Gaussian noise of the reference's σ per channel, clipped and quantised.

    Args:
        clean: H×W×C, uint8 or uint16.
        profile: whose σ is taken.
        key: of the field.
        white_level: of the clean; the noise is in units of the profile's where their types agree.
    """
    height, width, channels = clean.shape
    field = gaussian_field(field_key(0, key, 0), 0, 0, height, width)[:channels]
    scale = profile.white_level if clean.dtype.name == profile.dtype else white_level
    noise = field.transpose(1, 2, 0) * (profile.sigma * np.float32(scale / white_level))
    return quantise(to_float(clean, white_level) + noise, white_level, clean.dtype)
