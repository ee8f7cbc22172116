"""Convolutions of whole numbers in floating point: their sums are exact, in whatever order.

A float32 holds every whole number up to 2^24. A layer's weights are rounded to a few bits, and its
inputs to so many that no sum can pass that: then every processor, library, number of threads and
batch gives the same bits, at the speed of the usual convolution. While a network is trained, its
convolutions are the usual ones.
"""

from __future__ import annotations

import torch
from torch import Tensor

from noisegen.model.convolution import Convolution, convolve

EXACT = 2**24 - 1
"""Largest whole number up to which a float32 holds all of them."""

LARGEST_WEIGHT = {3: 127, 1: 1023}
"""Whole number that the largest weight of each output becomes, by the side of the kernel: of few
products the sums leave more room."""


class ExactConvolution(Convolution):
    """A convolution of stride 1 with zero padding, exact where no gradient is wanted.

    Args:
        inputs: channels.
        outputs: channels.
        reach: pixels from the middle to the outer taps; 0 for a single one.
        largest: size of an input that is told apart; larger ones are clipped.
        bias: add an offset to each output.
    """

    def __init__(
        self, inputs: int, outputs: int, reach: int, largest: float, bias: bool = True
    ) -> None:
        side, dilation = (3, reach) if reach else (1, 1)
        super().__init__(inputs, outputs, side, padding=reach, dilation=dilation, bias=bias)
        self.largest = largest

    def forward(self, x: Tensor) -> Tensor:
        """B×C×H×W → B×C'×H×W."""
        if torch.is_grad_enabled():
            return super().forward(x)
        convolved = convolve_exactly(x, self.weight, self.largest, self.dilation[0])
        return convolved if self.bias is None else convolved.add_(self.bias[:, None, None])


def convolve_exactly(x: Tensor, weight: Tensor, largest: float, dilation: int = 1) -> Tensor:
    """Convolve B×C×H×W by C'×C×k×k weights, both rounded to whole steps; zeros are padded.

    Args:
        x: inputs, clipped to ±largest.
        weight: of sides 1 or 3, rounded to whole parts of each output's largest.
        largest: size of an input that is told apart.
        dilation: of the weights.
    """
    side = weight.shape[-1]
    step = weight.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12) / LARGEST_WEIGHT[side]
    whole_weight = torch.round(weight / step)
    most = EXACT // int(whole_weight.abs().sum((1, 2, 3)).max().clamp(min=1))
    scale = most / largest
    whole = (x * scale).round_().clamp_(-most, most)
    padding = side // 2 * dilation
    return convolve(whole, whole_weight, None, padding, dilation).mul_(step[:, 0] / scale)
