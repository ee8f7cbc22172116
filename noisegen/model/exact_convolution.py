"""Convolutions of whole numbers in floating point: their sums are exact, in whatever order.

A float32 holds every whole number up to 2^24. A layer's weights are rounded to a few bits, and its
inputs to so many that no sum can pass that: then every processor, library, number of threads and
batch gives the same bits, at the speed of the usual convolution. While a network is trained, its
convolutions are the usual ones.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from noisegen.model.convolution import Convolution, convolve

EXACT = 2**24 - 1
"""Largest whole number up to which a float32 holds all of them."""

LARGEST_WEIGHT, OF_FEW = 127, 1023
"""Whole number that the largest weight of each output becomes; where there are few weights, the
sums leave room for more."""

FEW = 64
"""Weights of an output."""


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
        reach = self.dilation[0] * (self.weight.shape[-1] // 2)
        return self._with_bias(
            convolve_exactly(x, self.weight, self.largest, reach, self.dilation[0])
        )

    def of_cells(self, x: Tensor, cell: int) -> Tensor:
        """Convolve the cells of pixels, B×(C / cell²)×(cell · H)×(cell · W) → B×C'×H×W.

        As :meth:`forward` of their ``pixel_unshuffle``; without gradients that is not made, which
        takes half of the time.
        """
        if torch.is_grad_enabled():
            return self.forward(F.pixel_unshuffle(x, cell))
        apart = self.weight.unflatten(1, (-1, cell, cell)).permute(0, 1, 4, 2, 5, 3)
        weight = apart.flatten(4, 5).flatten(2, 3)
        return self._with_bias(convolve_exactly(x, weight, self.largest, cell, stride=cell))

    def _with_bias(self, x: Tensor) -> Tensor:
        return x if self.bias is None else x.add_(self.bias[:, None, None])


def convolve_exactly(
    x: Tensor, weight: Tensor, largest: float, padding: int = 0, dilation: int = 1, stride: int = 1
) -> Tensor:
    """Convolve B×C×H×W by C'×C×k×k weights, both rounded to whole steps.

    Args:
        x: inputs, clipped to ±largest.
        weight: rounded to whole parts of each output's largest.
        largest: size of an input that is told apart.
        padding: with zeros.
        dilation: of the weights.
        stride: of the outputs.
    """
    most_weight = OF_FEW if weight[0].numel() < FEW else LARGEST_WEIGHT
    step = weight.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12) / most_weight
    whole_weight = torch.round(weight / step)
    most = EXACT // int(whole_weight.abs().sum((1, 2, 3)).max().clamp(min=1))
    scale = most / largest
    whole = (x * scale).round_().clamp_(-most, most)
    sums = convolve(whole, whole_weight, None, padding, dilation, stride=stride)
    return sums.mul_(step[:, 0] / scale)
