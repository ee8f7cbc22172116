"""NAFNet (Chen et al., ECCV 2022): the stronger of the two denoisers that pairs are judged by."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class NAFNet(nn.Module):
    """Predicts a picture's noise without activations (Chen et al., ECCV 2022, Fig. 2).

    Any size is taken: sides are filled up to whole cells of the coarsest scale.

    Args:
        channels: of the pictures.
        width: channels of the finest scale; the others have twice as many each. Published: 32.
        depth: scales below the finest, with a block each on the way down and up, two at the bottom.
    """

    def __init__(self, channels: int, width: int, depth: int) -> None:
        super().__init__()
        widths = [width << scale for scale in range(depth + 1)]
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.down = nn.ModuleList(_Block(w) for w in widths[:-1])
        self.shrink = nn.ModuleList(nn.Conv2d(w, 2 * w, 2, stride=2) for w in widths[:-1])
        self.bottom = nn.Sequential(_Block(widths[-1]), _Block(widths[-1]))
        self.grow = nn.ModuleList(
            nn.Sequential(nn.Conv2d(2 * w, 4 * w, 1, bias=False), nn.PixelShuffle(2))
            for w in widths[:-1]
        )
        self.up = nn.ModuleList(_Block(w) for w in widths[:-1])
        self.last = nn.Conv2d(width, channels, 3, padding=1, bias=False)
        # It starts as the identity, as DnCNN does here.
        nn.init.zeros_(self.last.weight)
        self._cell = 1 << depth

    def forward(self, noisy: Tensor) -> Tensor:
        """Predicted noise, of the input's size.

        Args:
            noisy: B×C×H×W.
        """
        height, width = noisy.shape[2:]
        fill = (0, -width % self._cell, 0, -height % self._cell)
        x = self.first(F.pad(noisy, fill, mode="replicate"))
        passed = []
        for block, shrink in zip(self.down, self.shrink, strict=True):
            passed.append(block(x))
            x = shrink(passed[-1])
        x = self.bottom(x)
        for block, grow in zip(reversed(self.up), reversed(self.grow), strict=True):
            x = block(grow(x) + passed.pop())
        noise: Tensor = self.last(x)
        return noise[:, :, :height, :width]


class _Block(nn.Module):
    """One block: a depthwise mixing and a pointwise one, each gated, each beside an identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList((nn.LayerNorm(width), nn.LayerNorm(width)))
        self.spread = nn.Conv2d(width, 2 * width, 1)
        self.mix = nn.Conv2d(2 * width, 2 * width, 3, padding=1, groups=2 * width)
        self.attend = nn.Conv2d(width, width, 1)
        self.join = nn.Conv2d(width, width, 1)
        self.widen = nn.Conv2d(width, 2 * width, 1)
        self.narrow = nn.Conv2d(width, width, 1)
        # Published: both branches count nothing at the start.
        self.shares = nn.Parameter(torch.zeros(2, width, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        gated = _gate(self.mix(self.spread(_normed(self.norms[0], x))))
        attended = gated * self.attend(gated.mean((2, 3), keepdim=True))
        x = x + self.shares[0] * self.join(attended)
        wide = self.widen(_normed(self.norms[1], x))
        returned: Tensor = x + self.shares[1] * self.narrow(_gate(wide))
        return returned


def _gate(x: Tensor) -> Tensor:
    first, second = x.chunk(2, 1)
    return first * second


def _normed(norm: nn.Module, x: Tensor) -> Tensor:
    """Normalises over channels, as images lie in memory (channels last)."""
    normed: Tensor = norm(x.permute(0, 2, 3, 1))
    return normed.permute(0, 3, 1, 2)
