"""The classical noise model as a tensor program: where the generator starts.

White field → colouring kernel → marginal's quantiles → level and mean at the clean's intensity
(design.md, *Measuring*; PNGAN, Sec. 3.1, feeds its generator a classical noisy image in the same
spirit).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from noisegen.model.conditioning import Statistics
from noisegen.model.config import ACTIVITY_NODES, KERNEL, QUANTILE_REACH
from noisegen.model.content_network import ContentNetwork
from noisegen.model.surroundings import Surroundings
from noisegen.model.vector_math import rounded

LARGEST_FACTOR = 3.0
"""Natural logarithm of the largest factor on the variance by what the picture shows."""


SIZES = 4
"""Sizes of blocks whose transform of a kernel is kept: 6 MB each."""

PARTS = 2**16
"""Parts of a standard deviation that a coloured field is rounded to."""


@dataclass(frozen=True)
class ShapedField:
    """The classical model's noise and the curves it was made with, each B×3×H×W.

    Attributes:
        noise: noise of the measured level, content, spectrum and marginal, plus the mean.
        mean: measured mean at the clean's intensity.
        level: measured standard deviation at the clean's intensity.
        coverage: how well the references show the clean's intensity, in [0, 1].
        follows: natural logarithm of the level's factor by local activity and colour.
    """

    noise: Tensor
    mean: Tensor
    level: Tensor
    coverage: Tensor
    follows: Tensor


@dataclass(frozen=True)
class Places:
    """Places of values among increasing nodes.

    Attributes:
        index: B·C·P, of the node below, in a flat table of B×C×n nodes.
        share: B×C×H×W, of the way to the next one, in [0, 1].
    """

    index: Tensor
    share: Tensor

    def read(self, table: Tensor) -> Tensor:
        """Linear interpolation in a table of B×C×n: B×C×H×W."""
        flat = table.reshape(-1)
        # Slopes are looked up beside values: one table more, one subtraction a pixel less.
        slope = torch.cat([flat[1:] - flat[:-1], flat.new_zeros(1)])
        value = flat.index_select(0, self.index).view_as(self.share)
        return value + self.share * slope.index_select(0, self.index).view_as(self.share)


def find_places(nodes: Tensor, values: Tensor) -> Places:
    """Find the places of values (B×C×H×W) among increasing nodes (B×C×n), held at both ends."""
    batch, channels, count = nodes.shape
    flat = values.reshape(batch, channels, -1).contiguous()
    below = torch.searchsorted(nodes[..., 1:-1].contiguous(), flat, right=True)
    rows = torch.arange(batch * channels, device=values.device).view(batch, channels, 1) * count
    index = (below + rows).flatten()
    low = nodes.reshape(-1).index_select(0, index).view_as(flat)
    gap = (nodes[..., 1:] - nodes[..., :-1]).clamp(min=1e-9)
    gap = torch.cat([gap, gap[..., -1:]], -1).reshape(-1).index_select(0, index).view_as(flat)
    share = ((flat - low) / gap).clamp(0, 1)
    return Places(index.to(torch.int32), share.view_as(values))


def content_factor(
    clean: Tensor,
    statistics: Statistics,
    usual: Tensor | None = None,
    network: ContentNetwork | None = None,
    context: int = 0,
) -> Tensor:
    """Natural logarithm of the variance's factor by activity, colour and learned content, B×C×H×W.

    Args:
        clean: B×C×(H + 2·context)×(W + 2·context).
        statistics: of the cameras; with a network, of one.
        usual: the clean's shape, level that is usual at its intensity, for the network.
        network: left out where its maps do not count.
        context: pixels on every side that are looked at alone.
    """
    whole, around = clean, Surroundings.of(clean)
    clean = inner(whole, context)
    position = inner(around.position, context).clamp(0, ACTIVITY_NODES - 1)
    lower = position.floor().clamp_(max=ACTIVITY_NODES - 2)
    batch, channels = clean.shape[:2]
    rows = torch.arange(batch * channels, device=clean.device, dtype=torch.int32)
    index = lower.to(torch.int32) + rows.view(batch, channels, 1, 1) * ACTIVITY_NODES
    share = (position - lower).expand_as(clean)
    factor = Places(index.flatten(), share).read(statistics.activity)
    # The other channels, each in turn beside this one.
    channel = torch.arange(channels, device=clean.device)
    for turn in range(1, channels):
        other = (channel + turn) % channels
        low, high = statistics.colour_reach[:, channel, other, :, None, None].unbind(2)
        difference = (clean[:, other] - clean).maximum(low).minimum(high)
        # No fused operation: some processors round its product, others do not.
        factor = factor + statistics.colour[:, channel, other, None, None] * difference
    if network is not None and usual is not None:
        learned = network.log_factor(whole, around, usual, statistics.features)
        factor = factor + inner(learned, context)
    return factor.clamp_(-LARGEST_FACTOR, LARGEST_FACTOR)


def inner(planes: Tensor, context: int) -> Tensor:
    """Planes without what lies around them on every side."""
    return planes[..., context:-context, context:-context] if context else planes


class Colouring:
    """Colours white Gaussian fields by one kernel, in the frequency domain.

    A kernel of 15×15 between three channels costs seven times as much as a convolution. In double
    precision: what is rounded to single then does not depend on the machine's transforms.

    Args:
        kernel: B×C×C×KERNEL×KERNEL.
    """

    def __init__(self, kernel: Tensor) -> None:
        self._kernel = kernel.flip(-1, -2).double() * PARTS
        # Worked out once a size: most blocks are of one, and a few at the edges.
        self._spectrum: Callable[[tuple[int, int]], Tensor] = lru_cache(SIZES)(
            lambda size: torch.fft.rfft2(self._kernel, size)
        )

    def __call__(self, white: Tensor) -> Tensor:
        """Uses up the margin of KERNEL // 2 pixels.

        Args:
            white: B×C×(H + KERNEL − 1)×(W + KERNEL − 1), standard normal.

        Returns:
            B×C×H×W, every channel of unit variance.
        """
        height, width = white.shape[-2:]
        size = _quick(height), _quick(width)
        spectrum, fields = self._spectrum(size), torch.fft.rfft2(white.double(), size)
        mixed = spectrum[:, :, 0] * fields[:, :1]
        for channel in range(1, fields.shape[1]):
            mixed.addcmul_(spectrum[:, :, channel], fields[:, channel : channel + 1])
        # What comes before the kernel's reach has wrapped around.
        coloured: Tensor = torch.fft.irfft2(mixed, size)[
            ..., KERNEL - 1 : height, KERNEL - 1 : width
        ]
        # Whole parts of a float32: transforms of other sizes and machines round to the same.
        return coloured.round().to(white.dtype) / PARTS


def _quick(length: int) -> int:
    """The next length without a factor above 5, which Fourier transforms are quick for."""
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 1


def shape_field(
    white: Tensor,
    clean: Tensor,
    statistics: Statistics,
    colouring: Colouring | None = None,
    network: ContentNetwork | None = None,
) -> ShapedField:
    """The classical model: white noise to this camera's noise on this clean image.

    Args:
        white: B×3×(H + KERNEL − 1)×(W + KERNEL − 1), standard normal.
        clean: B×3×H×W, in units of the white level, or more on every side, which content is looked
            at in.
        statistics: of the camera.
        colouring: by its kernel, for several fields of one camera.
        network: of the learned content, where that counts.
    """
    coloured = (colouring or Colouring(statistics.kernel))(white)
    context = _context(clean, coloured)
    usual = None
    if network is not None:
        usual = find_places(statistics.nodes, clean).read(statistics.usual)
    follows = 0.5 * content_factor(clean, statistics, usual, network, context)
    clean = inner(clean, context)
    places = find_places(statistics.nodes, clean)
    # Variances are interpolated: of shot noise, they are straight lines.
    level = rounded(torch.sqrt, places.read(statistics.level.square()))
    mean, coverage = places.read(statistics.mean), places.read(statistics.coverage)
    noise = marginal(coloured, clean, statistics) * level * rounded(torch.exp, follows) + mean
    return ShapedField(noise, mean, level, coverage, follows)


def _context(clean: Tensor, coloured: Tensor) -> int:
    """Pixels that a clean has on every side of what is coloured."""
    return (clean.shape[-1] - coloured.shape[-1]) // 2


def marginal(coloured: Tensor, clean: Tensor, statistics: Statistics) -> Tensor:
    """A Gaussian field mapped to the marginals, between the tables beside each intensity."""
    size = statistics.marginals.shape[-1]
    table = find_places(statistics.marginal_at, clean)
    lower, share = _table_places(coloured, size)
    # Tables lie behind each other: one long one, read at two places.
    index = table.index * size + lower
    flat = statistics.marginals.reshape(-1)
    one, other = (_between(flat, index + offset, share) for offset in (0, size))
    return one + table.share * (other - one)


def _table_places(coloured: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Places of a Gaussian field's values in a marginal's table: node below, flat, and share."""
    node = (coloured + QUANTILE_REACH).mul_((size - 1) / (2 * QUANTILE_REACH)).clamp_(0, size - 1)
    lower = node.floor().clamp_(max=size - 2)
    return lower.to(torch.int32).flatten(), node.sub_(lower)


def _between(flat: Tensor, index: Tensor, share: Tensor) -> Tensor:
    """Values of a table between the places of an index and the next ones."""
    low = flat.index_select(0, index).view_as(share)
    high = flat.index_select(0, index + 1).view_as(share)
    return low.add_(high.sub_(low).mul_(share))


class ByValue:
    """The classical model for cleans of few values: its curves are looked up, not searched.

    Args:
        statistics: of one camera, C channels.
        white: the clean's white level; its values are whole numbers from 0 to this, over this.
        colouring: by the camera's kernel.
        network: of the learned content, where that counts.
    """

    def __init__(
        self,
        statistics: Statistics,
        white: int,
        colouring: Colouring,
        network: ContentNetwork | None = None,
    ) -> None:
        self._statistics, self._white, self._colouring = statistics, white, colouring
        self._network = network
        channels = statistics.nodes.shape[1]
        values = (
            torch.arange(white + 1, dtype=torch.float32, device=statistics.nodes.device) / white
        )
        clean = values.expand(1, channels, 1, -1).contiguous()
        places = find_places(statistics.nodes, clean)
        self._mean = places.read(statistics.mean).flatten()
        self._usual = places.read(statistics.usual).flatten()
        self._level = rounded(torch.sqrt, places.read(statistics.level.square())).flatten()
        self._size = statistics.marginals.shape[-1]
        nodes = torch.linspace(
            -QUANTILE_REACH, QUANTILE_REACH, self._size, dtype=torch.float32, device=clean.device
        )
        every = clean.transpose(2, 3).expand(-1, -1, -1, self._size).contiguous()
        self._tables = marginal(nodes.expand_as(every), every, statistics).flatten()
        self._first = torch.arange(channels, device=clean.device).view(1, -1, 1, 1) * (white + 1)

    def __call__(self, clean: Tensor, field: Tensor) -> Tensor:
        """Noise, 1×C×H×W, as :func:`shape_field` makes it but for rounding.

        Args:
            clean: 1×C×H×W, in units of the white level, or more on every side.
            field: 1×C×(H + KERNEL − 1)×(W + KERNEL − 1), standard normal.
        """
        coloured = self._colouring(field)
        context = _context(clean, coloured)
        every = (clean * self._white).round_().add_(self._first).to(torch.int32)
        index = inner(every, context).flatten()
        lower, share = _table_places(coloured, self._size)
        noise = _between(self._tables, index * self._size + lower, share)
        level = self._level.index_select(0, index).view_as(noise)
        usual = None
        if self._network is not None:
            usual = self._usual.index_select(0, every.flatten()).view_as(clean)
        factor = content_factor(clean, self._statistics, usual, self._network, context)
        noise *= rounded(torch.exp, factor.mul_(0.5)).mul_(level)
        return noise.add_(self._mean.index_select(0, index).view_as(noise))
