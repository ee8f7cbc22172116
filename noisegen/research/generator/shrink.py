"""Averaging a trained generator with its starting point."""

from __future__ import annotations

import copy

import torch

from noisegen.model.generator import FOLLOW_PACE
from noisegen.model.weights import NoiseModel


@torch.no_grad()
def shrunk_to_start(model: NoiseModel, keep: float) -> NoiseModel:
    """A network between a trained one and the classical model that follows local activity.

    Both predict the same thing and their last layers are linear, so the average of the two is one
    network again. Such averages lose little where training was and gain elsewhere (Wortsman et
    al., *Robust fine-tuning of zero-shot models*, CVPR 2022): here, on cameras never trained on.

    Args:
        model: trained; left as it is.
        keep: share in [0, 1] of the learned change that stays.
    """
    shrunk = copy.deepcopy(model)
    generator = shrunk.pixel_generator
    for parameter in (*generator.output.parameters(), *generator.follow.parameters()):
        parameter.mul_(keep)
    generator.follow.bias.add_((1 - keep) / FOLLOW_PACE)
    return shrunk
