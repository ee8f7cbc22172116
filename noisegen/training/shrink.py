"""Averaging a trained generator with its starting point."""

from __future__ import annotations

import torch

from noisegen.model.generator import FOLLOW_PACE
from noisegen.model.weights import NoiseModel


@torch.no_grad()
def shrink_to_start(model: NoiseModel, keep: float) -> None:
    """Averages the logarithm of the gain with that of the level that follows local activity.

    Both are predictors of the same thing, and their last layers are linear, so the average is one
    network again. A short training overshoots: on PolyU's training scenes under the validation
    protocol, keeping about a third of what was learned scored best (see ``weights/README.md``).

    Args:
        model: changed in place.
        keep: share in [0, 1] of the learned change that stays.
    """
    generator = model.generator
    for parameter in (*generator.output.parameters(), *generator.follow.parameters()):
        parameter.mul_(keep)
    generator.follow.bias.add_((1 - keep) / FOLLOW_PACE)
