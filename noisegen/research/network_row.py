"""A row of a table of scores drawn by a network that is not shipped, in one pass a picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from noisegen.evaluation.protocol import Target
from noisegen.evaluation.rows import Known, Row
from noisegen.images import quantise, to_float
from noisegen.model.conditioning import Conditioning
from noisegen.model.config import KERNEL
from noisegen.model.generator import FIELD_CHANNELS, GRID
from noisegen.model.weights import Weights
from noisegen.references.tensors import statistics_tensors

Bytes = NDArray[np.uint8]
Draw = Callable[[Tensor, Conditioning, np.random.Generator], Tensor]
"""Clean, 1×3×H×W with H and W multiples of GRID, camera and chance → noise of the same shape."""

SEED = 0
"""Of what rows are drawn from."""


def network_row(name: str, weights: Weights, noise_of: Draw, device: str) -> Row:
    """The row of a network's noise on 8-bit pictures.

    Args:
        name: of the row.
        weights: whose encoder makes the prompts.
        noise_of: the network.
        device: where it runs.
    """

    @torch.inference_mode()
    def draw(target: Target, known: Known) -> Bytes:
        picture = torch.from_numpy(to_float(target.clean, 255)).permute(2, 0, 1)[None]
        height, width, channels = target.clean.shape
        clean = picture.expand(1, 3, height, width).to(device)
        clean = F.pad(clean, (0, -width % GRID, 0, -height % GRID), mode="replicate")
        camera = Conditioning(
            torch.from_numpy(known.profile.tokens)[None].to(device),
            statistics_tensors(known.profile.measured).to(device),
        )
        rng = np.random.default_rng([SEED, *target.name.encode()])
        noisy = (clean + noise_of(clean, camera, rng))[0, :, :height, :width]
        pixels = noisy.permute(1, 2, 0)[..., :channels].cpu().numpy()
        result: Bytes = quantise(pixels, 255, np.uint8).astype(np.uint8)
        return result

    return Row(name, weights, draw)


def generator_row(name: str, weights: Weights, device: str) -> Row:
    """The row of weights' own generator."""
    generator = weights.generator.to(device)

    def noise_of(clean: Tensor, camera: Conditioning, rng: np.random.Generator) -> Tensor:
        height, width = (side + KERNEL - 1 for side in clean.shape[2:])
        field = rng.standard_normal((1, FIELD_CHANNELS, height, width), np.float32)
        noise: Tensor = generator(clean, torch.from_numpy(field).to(device), camera)
        return noise

    return network_row(name, weights, noise_of, device)
