"""The denoiser of the weights: a clean estimate of a noisy picture alone, and how far it may err.

After Blind-Spot Guided Diffusion (arXiv 2509.16091): a branch that cannot see the pixel it
restores, so that it cannot copy its noise, guides a full branch that keeps detail; here both run
once, as one regression. The blind spot is that of Laine et al. (*High-Quality Self-Supervised Deep
Image Denoising*, NeurIPS 2019): four branches of which each sees one half plane. Shifting them
further apart widens the spot, so that grain that spans pixels stays unseen too (AP-BSN, CVPR 2022,
takes pixel-shuffle for that).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from noisegen.model.config import BlindSpotConfig, Precision
from noisegen.model.convolution import Convolution, convolve

CELL = 2
"""Side of the cells that both branches work on, in pixels: one value of a feature map."""

SCALE = 0.1
"""What corrections are predicted in: outputs are of order 1 then."""

LOG_VARIANCE = -7.0
"""Natural logarithm of the squared error that an untrained network expects: σ 7.7 of 255."""

REACH = 7.0
"""How far the logarithm of an expected squared error can be moved, either way."""

LARGEST_RELATIVE = 8.0
"""Distance from the blind estimate that the full branch tells apart, in its expected errors."""

RING = 3
"""Cells on each side of a blind spot whose mean the blind estimate starts from."""


@dataclass(frozen=True)
class CleanEstimate:
    """A clean picture as a denoiser sees it.

    Attributes:
        clean: B×3×H×W, in the noisy picture's units, not clipped.
        log_variance: B×3×H×W, natural logarithm of the squared error to expect of it.
    """

    clean: Tensor
    log_variance: Tensor


class HalfPlane(nn.Module):
    """Convolutions that see only their own row of cells and those above."""

    def __init__(self, inputs: int, width: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.dilations = dilations
        widths = [inputs] + [width] * (len(dilations) - 1)
        self.layers = nn.ModuleList(
            Convolution(before, width, 3, dilation=d)
            for before, d in zip(widths, dilations, strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """B×C×h×w → B×width×h×w."""
        for index, (layer, d) in enumerate(zip(self.layers, self.dilations, strict=True)):
            change = layer(F.pad(F.silu(x) if index else x, (d, d, 2 * d, 0)))
            x = x + change if index else change
        return x


class BlindSpotBranch(nn.Module):
    """Estimates every 2×2 cell from what lies outside a square around it."""

    def __init__(self, config: BlindSpotConfig) -> None:
        super().__init__()
        self.half_plane = HalfPlane(6 * CELL**2, config.blind_width, config.blind_dilations)
        self.head = nn.Sequential(
            nn.SiLU(),
            Convolution(4 * config.blind_width, 2 * config.blind_width, 1),
            nn.SiLU(),
            Convolution(2 * config.blind_width, 6 * CELL**2, 1),
        )

    def forward(self, noisy: Tensor, spot: int) -> CleanEstimate:
        """The estimate.

        Args:
            noisy: B×3×H×W in [0, 1]; H and W are multiples of 2.
            spot: half width of the blind spot, 1 or more: a cell sees nothing of the
                (2·spot − 1)² cells around it.
        """
        planes = fine_parts(noisy)
        seen = []
        for turns in range(4):
            turned = F.pixel_unshuffle(torch.rot90(planes, turns, (2, 3)), CELL)
            half = self.half_plane(turned.contiguous(memory_format=torch.channels_last))
            lowered = F.pad(half, (0, 0, spot, 0))[..., : half.shape[-2], :]
            seen.append(torch.rot90(lowered, -turns, (2, 3)))
        return _estimate(self.head(torch.cat(seen, 1)), ring_mean(noisy, spot))


class FullBranch(nn.Module):
    """Sees every pixel, and what the blind branch made of it."""

    def __init__(self, config: BlindSpotConfig) -> None:
        super().__init__()
        width = config.full_width
        self.inputs = Convolution(12 * CELL**2, width, 3, padding=1)
        self.layers = nn.ModuleList(
            Convolution(width, width, 3, padding=d, dilation=d) for d in config.full_dilations
        )
        self.output = Convolution(width, 9 * CELL**2, 3, padding=1)

    def forward(self, noisy: Tensor, blind: CleanEstimate) -> CleanEstimate:
        """The estimate; see :class:`BlindSpotBranch`."""
        relative = (noisy - blind.clean) * torch.exp(-0.5 * blind.log_variance)
        relative = relative.clamp(-LARGEST_RELATIVE, LARGEST_RELATIVE)
        planes = [fine_parts(noisy), relative, 0.5 * (blind.log_variance - LOG_VARIANCE)]
        x = F.pixel_unshuffle(torch.cat(planes, 1), CELL)
        x = self.inputs(x.contiguous(memory_format=torch.channels_last))
        for layer in self.layers:
            x = x + layer(F.silu(x))
        out = F.pixel_shuffle(self.output(F.silu(x)), CELL).to(noisy.dtype)
        share, change, log_variance = out.chunk(3, 1)
        # Relative to what the blind branch leaves open, so that it is right at any strength.
        toward = torch.sigmoid(share - 2) * (noisy - blind.clean)
        change = change * torch.exp(0.5 * blind.log_variance)
        return CleanEstimate(
            blind.clean + toward + change, blind.log_variance + _within_reach(log_variance)
        )


class Denoiser(nn.Module):
    """Noisy picture → clean estimate, in one pass.

    Attributes:
        config: sizes.
        precision: of its convolutions when a reference is estimated; training chooses its own.
    """

    def __init__(self, config: BlindSpotConfig) -> None:
        super().__init__()
        self.config = config
        self.precision = Precision.FLOAT32
        self.blind = BlindSpotBranch(config)
        self.full = FullBranch(config)

    def forward(self, noisy: Tensor, spot: int) -> tuple[CleanEstimate, CleanEstimate]:
        """The full branch's estimate, and the blind one's that guided it.

        Each learns from its own error: no gradient passes from the first to the second.

        Args:
            noisy: B×3×H×W in [0, 1] of the white level; H and W are even. Gray is repeated.
            spot: half width of the blind spot in cells of 2×2 pixels, 1 or more.
        """
        blind = self.blind(noisy, spot)
        guide = CleanEstimate(blind.clean.detach(), blind.log_variance.detach())
        return self.full(noisy, guide), blind


def fine_parts(noisy: Tensor) -> Tensor:
    """A picture in two parts that bfloat16 holds exactly: B×3×H×W → B×6×H×W.

    bfloat16 has 8 bits beside the exponent: alone it would hide the noise of a good camera.
    """
    centred = noisy - 0.5
    coarse = centred.bfloat16().to(centred.dtype)
    return torch.cat([coarse, (centred - coarse) * 128], 1)


def ring_mean(noisy: Tensor, spot: int) -> Tensor:
    """Mean of the cells around each cell's blind spot; B×3×H×W, the same within a cell."""
    cells = F.avg_pool2d(noisy, CELL)
    reach = spot - 1 + RING
    # Weights of the ring alone: a difference of two boxes would leave the spot's rounding behind.
    ring = torch.ones(2 * reach + 1, 2 * reach + 1, dtype=noisy.dtype, device=noisy.device)
    ring[RING:-RING, RING:-RING] = 0
    ring = ring.expand(3, 1, *ring.shape)
    # In full precision where the rest is not: it is what both estimates start from.
    with torch.autocast(noisy.device.type, enabled=False):
        sums = convolve(cells, ring, padding=reach, groups=3)
        count = convolve(torch.ones_like(cells), ring, padding=reach, groups=3)
    return F.interpolate(sums / count, scale_factor=CELL)


def _estimate(out: Tensor, start: Tensor) -> CleanEstimate:
    change, log_variance = F.pixel_shuffle(out, CELL).to(start.dtype).chunk(2, 1)
    return CleanEstimate(start + SCALE * change, LOG_VARIANCE + _within_reach(log_variance))


def _within_reach(change: Tensor) -> Tensor:
    return REACH * torch.tanh(change / REACH)
