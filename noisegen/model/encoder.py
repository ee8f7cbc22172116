"""Reference-noise encoder: windows of residual and clean → a prompt of fixed size.

After PNG (arXiv 2603.04870), Sec. 3.2: a global prompt block weighs learned components by the
features' mean and standard deviation, a local one by Pearson correlations of neighbouring pixels.
Unlike PNG's, both pool over every window of every reference, so that any number of references of
any size gives one prompt, and correlations run over windows, within and across channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from noisegen.model.classical import find_places
from noisegen.model.conditioning import Conditioning, Statistics
from noisegen.model.config import ACTIVITY_NODES, BINS, WINDOW, EncoderConfig

QUANTILES_SHOWN = 9
"""The global block sees every eighth node of the marginal's table."""


@dataclass(frozen=True)
class ReferenceWindows:
    """References cut into windows, batched.

    Attributes:
        residual: B×N×3×32×32, noisy − clean, in units of the white level.
        clean: B×N×3×32×32, in [0, 1].
        valid: B×N, False for padding.
        estimated: B, 1.0 where the clean is an estimate, else 0.0.
    """

    residual: Tensor
    clean: Tensor
    valid: Tensor
    estimated: Tensor


class Components(nn.Module):
    """A prompt block's end: statistics weigh learned components into tokens."""

    def __init__(self, inputs: int, tokens: int, config: EncoderConfig) -> None:
        super().__init__()
        self.tokens, self.components = tokens, config.components
        self.weigh = nn.Sequential(
            nn.Linear(inputs, 2 * config.width),
            nn.SiLU(),
            nn.Linear(2 * config.width, tokens * config.components),
        )
        bank = torch.empty(tokens, config.components, config.token_width)
        self.bank = nn.Parameter(bank if bank.is_meta else bank.normal_())
        self.norm = nn.LayerNorm(config.token_width)

    def forward(self, statistics: Tensor) -> Tensor:
        """B×inputs → B×tokens×token_width."""
        weights = self.weigh(statistics).view(-1, self.tokens, self.components)
        tokens: Tensor = self.norm(torch.einsum("btk,tkd->btd", weights, self.bank))
        return tokens


class GlobalPromptBlock(nn.Module):
    """Strength, gain per channel, dependence on intensity: pooled features and curves."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        width = config.width
        self.fine = nn.Conv2d(6, width, 3, padding=1)
        self.middle = nn.Conv2d(width, width, 3, stride=2, padding=1)
        self.coarse = nn.Conv2d(width, width, 3, stride=2, padding=1)
        measured = 9 * BINS + 3 * QUANTILES_SHOWN + 3 * ACTIVITY_NODES + 2
        self.prompt = Components(6 * width + measured, config.global_tokens, config)

    def forward(self, windows: ReferenceWindows, measured: Statistics) -> Tensor:
        """B×global_tokens×token_width."""
        batch, count = windows.valid.shape
        scaled = windows.residual / measured.scale.view(-1, 1, 1, 1, 1)
        x = torch.cat([scaled, windows.clean], 2).view(batch * count, 6, WINDOW, WINDOW)
        x = x.contiguous(memory_format=torch.channels_last)
        pooled = []
        for layer in (self.fine, self.middle, self.coarse):
            x = F.silu(layer(x))
            pooled.append(pool_windows(x, windows.valid))
        described = describe(measured, windows.estimated)
        tokens: Tensor = self.prompt(torch.cat([*pooled, described], 1))
        return tokens


class LocalPromptBlock(nn.Module):
    """Spatial and cross-channel correlation: Pearson coefficients with each ρ×ρ neighbour."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.radius = config.radius
        shifts = (config.radius + 1) * (2 * config.radius + 1)
        self.prompt = Components(2 * 9 * shifts, config.local_tokens, config)

    def forward(self, windows: ReferenceWindows, _: Statistics) -> Tensor:
        """B×local_tokens×token_width; what is measured elsewhere it does not need."""
        correlations = window_correlations(windows.residual, self.radius)
        valid = windows.valid.unsqueeze(-1).to(correlations.dtype)
        count = valid.sum(1)
        mean = (correlations * valid).sum(1) / count
        spread = ((correlations - mean.unsqueeze(1)).square() * valid).sum(1) / count
        tokens: Tensor = self.prompt(torch.cat([mean, (spread + 1e-6).sqrt()], 1))
        return tokens


class ReferenceEncoder(nn.Module):
    """References → prompt tokens."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.tokens = config.global_tokens + config.local_tokens
        self.token_width = config.token_width
        self.blocks = nn.ModuleDict()
        if config.global_tokens:
            self.blocks["global"] = GlobalPromptBlock(config)
        if config.local_tokens:
            self.blocks["local"] = LocalPromptBlock(config)

    def forward(self, windows: ReferenceWindows, measured: Statistics) -> Conditioning:
        """The prompt (B×tokens×token_width) beside the statistics it was encoded with."""
        tokens = [block(windows, measured) for block in self.blocks.values()]
        return Conditioning(torch.cat(tokens, 1), measured)


def pool_windows(features: Tensor, valid: Tensor) -> Tensor:
    """Mean and standard deviation over all pixels of all valid windows.

    Args:
        features: (B·N)×C×h×w.
        valid: B×N.

    Returns:
        B×2C.
    """
    batch, count = valid.shape
    x = features if features.dtype == torch.float64 else features.float()
    x = x.view(batch, count, features.shape[1], -1)
    weight = valid.to(x.dtype).unsqueeze(-1)
    total = weight.sum(1)
    mean = (x.mean(-1) * weight).sum(1) / total
    square = (x.square().mean(-1) * weight).sum(1) / total
    return torch.cat([mean, (square - mean.square()).clamp(min=0).add(1e-6).sqrt()], 1)


def window_correlations(residual: Tensor, radius: int) -> Tensor:
    """Pearson correlation of each channel with every channel of each neighbour, per window.

    Shifts cover the half plane dy in [0, radius], dx in [−radius, radius]; the rest is symmetric.

    Args:
        residual: B×N×3×32×32.
        radius: of the neighbourhood, in pixels.

    Returns:
        B×N×(shifts·9), in [−1, 1].
    """
    x = residual - residual.mean((-2, -1), keepdim=True)
    x = x / (x.square().mean((-2, -1), keepdim=True) + 1e-10).sqrt()
    side, shifts = WINDOW, []
    for dy in range(radius + 1):
        for dx in range(-radius, radius + 1):
            here = x[..., : side - dy, max(0, -dx) : side - max(0, dx)].flatten(-2)
            there = x[..., dy:, max(0, dx) : side - max(0, -dx)].flatten(-2)
            shifts.append((here @ there.transpose(-1, -2) / here.shape[-1]).flatten(-2))
    return torch.cat(shifts, -1)


def describe(measured: Statistics, estimated: Tensor) -> Tensor:
    """The measured curves as one vector: relative to the overall scale, which goes in as a log."""
    scale = measured.scale.view(-1, 1, 1)
    marginal = measured.marginals.mean(2)
    step = (marginal.shape[-1] - 1) // (QUANTILES_SHOWN - 1)
    batch, channels, _ = measured.nodes.shape
    even = torch.linspace(0, 1, BINS, dtype=scale.dtype, device=scale.device)
    places = find_places(measured.nodes, even.expand(batch, channels, 1, BINS))
    level, mean, coverage = (
        places.read(curve)[:, :, 0] for curve in (measured.level, measured.mean, measured.coverage)
    )
    return torch.cat(
        [
            (level / scale).clamp(min=1e-3).log().flatten(1),
            (mean / scale).flatten(1),
            coverage.flatten(1),
            marginal[..., ::step].flatten(1),
            measured.scale.log().unsqueeze(1),
            estimated.unsqueeze(1),
            0.5 * measured.activity.flatten(1),
        ],
        1,
    )
