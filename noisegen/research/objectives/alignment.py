"""Image-domain alignment through a frozen denoiser.

PNGAN (Cai et al., NeurIPS 2021), "image domain alignment": what a denoiser makes of a generated
noisy image should be what it makes of the real one. The denoised images are nearly free of noise,
so that two draws can be compared pixel by pixel.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call


def alignment_loss(denoiser: nn.Module, fake_noisy: Tensor, real_noisy: Tensor) -> Tensor:
    """L1 distance of the denoised images; a scalar.

    The denoiser gets no gradient, whatever its parameters require; it must be in evaluation mode,
    as a batch norm would else go on learning its statistics here.

    Args:
        denoiser: noisy B×3×H×W in [0, 1] → clean estimate of the same shape.
        fake_noisy: generated.
        real_noisy: real, of the same clean image.
    """
    with torch.no_grad():
        real: Tensor = denoiser(real_noisy)
    parameters = {name: value.detach() for name, value in denoiser.named_parameters()}
    fake: Tensor = functional_call(denoiser, parameters, (fake_noisy,))
    difference = fake.float() - real.float()
    return difference.abs().mean()
