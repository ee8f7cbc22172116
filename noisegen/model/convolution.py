"""Convolutions whose sums do not depend on the number of threads.

On the CPU torch chooses a library for each convolution by its size and by the number of threads:
oneDNN, whose threads are the caller's, or a matrix product of MKL's, whose number of threads is the
whole process's. With several workers in one process the latter now and then rounded another way (a
picture in two thousand). So inference calls oneDNN itself, which is also faster here.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Convolution(nn.Conv2d):
    """A convolution of stride 1 with zero padding."""

    def forward(self, x: Tensor) -> Tensor:
        """B×C×H×W → B×C'×H'×W'."""
        padding, dilation = self.padding[0], self.dilation[0]
        if isinstance(padding, str):
            raise TypeError("padding by name is not supported")
        return convolve(x, self.weight, self.bias, padding, dilation, self.groups)


def convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
    stride: int = 1,
) -> Tensor:
    """Convolve as ``torch.nn.functional.conv2d`` does, forward and backward alike."""
    if not _by_onednn(x, weight):
        if torch.is_grad_enabled():
            return F.conv2d(x, weight, bias, stride, padding, dilation, groups)
        # Ten bits of TF32 are too few for the same pixels as a CPU's.
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            return F.conv2d(x, weight, bias, stride, padding, dilation, groups)
    laid_out = x if x.is_contiguous(memory_format=torch.channels_last) else x.contiguous()
    convolved: Tensor = torch.mkldnn_convolution(
        laid_out,
        weight.contiguous(),
        bias,
        [padding, padding],
        [stride, stride],
        [dilation, dilation],
        groups,
    )
    return convolved


def _by_onednn(x: Tensor, weight: Tensor) -> bool:
    """Whether oneDNN is there and nothing beyond the plain product is asked for."""
    plain = x.dtype == weight.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    on_cpu = x.device.type == "cpu" and torch.backends.mkldnn.is_available()
    return plain and on_cpu and not torch.is_grad_enabled()
