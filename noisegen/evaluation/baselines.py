"""The lines that stand beside ours: Gaussian noise and the classical model."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch

from noisegen.images import Pixels, quantise, to_float
from noisegen.model.weights import Weights
from noisegen.references.profile import NoiseProfile
from noisegen.synthesis.field import field_key, gaussian_field


def classical(weights: Weights) -> Weights:
    """The same weights with the network's last layers at zero: exactly the classical model."""
    model = copy.deepcopy(weights.model)
    with torch.no_grad():
        for last in (model.generator.output, model.generator.follow):
            for parameter in last.parameters():
                parameter.zero_()
    return replace(weights, name="classical", model=model)


def gaussian(clean: Pixels, profile: NoiseProfile, key: str, white_level: float = 255) -> Pixels:
    """White Gaussian noise of the reference's σ per channel, clipped and quantised.

    Args:
        clean: H×W×C, uint8 or uint16.
        profile: whose σ is taken.
        key: of the field.
        white_level: of the clean.
    """
    height, width, channels = clean.shape
    field = gaussian_field(field_key(0, key, 0), 0, 0, height, width)[:channels]
    noise = field.transpose(1, 2, 0) * profile.sigma
    return quantise(to_float(clean, white_level) + noise, white_level, clean.dtype)
