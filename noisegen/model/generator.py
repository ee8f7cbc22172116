"""One-pass generator: clean + prompt + Gaussian field → noise, with a bounded receptive field.

After PNG's P-DiT and decoder (arXiv 2603.04870, Sec. 3.3), joined into one forward pass: latent
tokens on an 8×8 grid that starts at the image's corner, prompt attention and prompt-driven
adaptive normalisation in every block, then a decoder at half resolution that sees the clean image
and the field again. Its output corrects the classical model's noise; its last layer starts at
zero, so that the untrained network is the classical model.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from noisegen.model.classical import ShapedField, shape_field
from noisegen.model.conditioning import Conditioning
from noisegen.model.config import KERNEL, EncoderConfig, GeneratorConfig
from noisegen.model.convolution import Convolution, convolve
from noisegen.model.surroundings import REACH

GRID = 8
"""Side of a latent token, in pixels."""

FIELD_CHANNELS = 4
"""Channels of the Gaussian field: three that are coloured, one that stays white."""

INPUTS = 14
"""Clean (3), shaped noise (3), level (3), activity (3), coverage (1), white field (1)."""

FOLLOW_PACE = 10.0
"""Multiplies a layer that starts at zero and has to come to about 1: it learns that much faster."""

LARGEST_GAIN = 3.0
"""Natural logarithm of the largest factor by which the network changes the classical noise."""

LEVEL_FLOOR = 0.1
"""Share of the overall scale that the network can add where the measured level is zero."""


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of an image, per pixel, without affine terms."""

    def forward(self, x: Tensor) -> Tensor:
        """B×C×h×w → the same."""
        channels = x.shape[1]
        return F.layer_norm(x.permute(0, 2, 3, 1), (channels,)).permute(0, 3, 1, 2)


class VectorLinear(nn.Linear):
    """A linear layer on a few vectors, whose sums do not depend on the number of threads.

    Matrix libraries split a product by their own, process-wide number of threads; a product and a
    sum over the last axis do not.
    """

    def forward(self, x: Tensor) -> Tensor:
        """…×in → …×out."""
        if torch.is_grad_enabled():
            return super().forward(x)
        return (x.unsqueeze(-2) * self.weight).sum(-1) + self.bias


class PromptAttention(nn.Module):
    """Every latent token attends to the prompt's tokens (PNG, Sec. 3.3).

    Keys and values serve as the weights of 1×1 convolutions in groups, a group a head of a sample:
    the same products as a matrix library's, in an order that its threads do not change.
    """

    def __init__(self, width: int, token_width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = Convolution(width, width, 1)
        self.key_value = VectorLinear(token_width, 2 * width)
        self.output = Convolution(width, width, 1)

    def forward(self, x: Tensor, tokens: Tensor) -> Tensor:
        """B×C×h×w and B×T×D → B×C×h×w."""
        batch, width, rows, columns = x.shape
        count, each, groups = tokens.shape[1], width // self.heads, batch * self.heads
        keys, values = (
            part.view(batch, count, self.heads, each).transpose(1, 2)
            for part in self.key_value(tokens).chunk(2, -1)
        )
        query = self.query(x).reshape(1, batch * width, rows, columns) / each**0.5
        keys = keys.reshape(groups * count, each, 1, 1).to(query.dtype)
        scores = convolve(query, keys, groups=groups)
        weights = scores.view(groups, count, rows, columns).softmax(1)
        weights = weights.reshape(1, groups * count, rows, columns)
        values = values.transpose(-1, -2).reshape(batch * width, count, 1, 1).to(weights.dtype)
        mixed = convolve(weights, values, groups=groups).view(batch, width, rows, columns)
        output: Tensor = self.output(mixed)
        return output


class LatentBlock(nn.Module):
    """Adaptive norm → neighbours (3×3, where it mixes) → prompt attention → pointwise MLP."""

    def __init__(
        self, width: int, token_width: int, heads: int, mixes: bool, attends: bool = True
    ) -> None:
        super().__init__()
        self.norm = ChannelNorm()
        self.modulation = VectorLinear(token_width, 4 * width)
        size = 3 if mixes else 1
        self.mix = Convolution(width, width, size, padding=size // 2)
        self.attention = PromptAttention(width, token_width, heads) if attends else None
        self.mlp = nn.Sequential(
            Convolution(width, 2 * width, 1), nn.SiLU(), Convolution(2 * width, width, 1)
        )

    def forward(self, x: Tensor, tokens: Tensor, summary: Tensor) -> Tensor:
        """B×C×h×w, B×T×D and B×D → B×C×h×w."""
        modulation = self.modulation(summary).unsqueeze(-1).unsqueeze(-1)
        gain_mix, bias_mix, gain_mlp, bias_mlp = modulation.chunk(4, 1)
        x = x + self.mix(self.norm(x) * (1 + gain_mix) + bias_mix)
        if self.attention is not None:
            x = x + self.attention(self.norm(x), tokens)
        change: Tensor = self.mlp(self.norm(x) * (1 + gain_mlp) + bias_mlp)
        return x + change


class DecoderBlock(nn.Module):
    """Two 3×3 convolutions at half resolution, modulated by the prompt."""

    def __init__(self, width: int, token_width: int) -> None:
        super().__init__()
        self.first = Convolution(width, width, 3, padding=1)
        self.second = Convolution(width, width, 3, padding=1)
        self.modulation = VectorLinear(token_width, 2 * width)

    def forward(self, x: Tensor, summary: Tensor) -> Tensor:
        """B×C×h×w and B×D → B×C×h×w."""
        gain, bias = self.modulation(summary).unsqueeze(-1).unsqueeze(-1).chunk(2, 1)
        inner = self.first(F.silu(x)) * (1 + gain) + bias
        change: Tensor = self.second(F.silu(inner))
        return x + change


class Generator(nn.Module):
    """Clean image, Gaussian field and conditioning → noise, in units of the white level."""

    def __init__(self, config: GeneratorConfig, encoder: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        width, token, inner = config.latent_width, encoder.token_width, config.decoder_width
        self.summarise = nn.Sequential(VectorLinear(token, token), nn.SiLU())
        self.embed = Convolution(INPUTS * GRID * GRID, width, 1)
        self.blocks = nn.ModuleList(
            LatentBlock(width, token, config.heads, mixes, config.attention)
            for mixes in config.mixing
        )
        self.widen = Convolution(width, inner * (GRID // 2) ** 2, 1)
        self.inputs = Convolution(INPUTS * 4, inner, 3, padding=1)
        self.decoder = nn.ModuleList(
            DecoderBlock(inner, token) for _ in range(config.decoder_blocks)
        )
        self.output = Convolution(inner, 2 * 3 * 4, 3, padding=1)
        # How far the level follows the picture's activity, per channel: learned from nothing too.
        self.follow = VectorLinear(token, 3)
        for last in (self.output, self.follow):
            for parameter in last.parameters():
                nn.init.zeros_(parameter)
        # The level follows activity from the start: on PolyU that alone halves the KLD.
        nn.init.constant_(self.follow.bias, 1 / FOLLOW_PACE)

    @property
    def receptive_field(self) -> int:
        """Distance in pixels, at most, over which a clean pixel acts on the noise.

        Tokens: GRID − 1 pixels within one, GRID for each mixing block. Decoder: 2 pixels for each
        convolution at half resolution after the latent joins, one for the 2×2 cells, and what
        local activity sees.
        """
        convolutions = 2 * self.config.decoder_blocks + 1
        tokens = GRID - 1 + GRID * sum(self.config.mixing)
        return tokens + 2 * convolutions + 1 + REACH

    @property
    def context(self) -> int:
        """Pixels of clean image that a tile needs on every side: whole tokens."""
        return -(-self.receptive_field // GRID) * GRID

    def summary(self, tokens: Tensor) -> Tensor:
        """Summarise the whole prompt in one vector: B×T×D → B×D."""
        summary: Tensor = self.summarise(tokens.mean(1))
        return summary

    def forward(self, clean: Tensor, field: Tensor, conditioning: Conditioning) -> Tensor:
        """Run one pass: clean, field and conditioning → noise.

        Args:
            clean: B×3×H×W in [0, 1] of the white level; H and W are multiples of 8, and the
                top left pixel lies on the image's 8×8 grid. Gray is repeated.
            field: B×4×(H + KERNEL − 1)×(W + KERNEL − 1), standard normal.
            conditioning: of the camera.

        Returns:
            B×3×H×W, noise in units of the white level, neither clipped nor quantised.
        """
        margin = KERNEL // 2
        white = field[:, 3:, margin:-margin, margin:-margin]
        shaped = shape_field(field[:, :3], clean, conditioning.statistics)
        change = self.correct(clean, shaped, white, conditioning)
        gain, added = change.chunk(2, 1)
        scale = conditioning.statistics.scale.view(-1, 1, 1, 1)
        follow = FOLLOW_PACE * self.follow(self.summary(conditioning.tokens)).float()
        gain = gain + (follow - 1).unsqueeze(-1).unsqueeze(-1) * shaped.follows
        gain = (LARGEST_GAIN * torch.tanh(gain / LARGEST_GAIN)).exp()
        varied = (shaped.noise - shaped.mean) * gain + shaped.mean
        return varied + added * (shaped.level + LEVEL_FLOOR * scale)

    def correct(
        self, clean: Tensor, shaped: ShapedField, white: Tensor, conditioning: Conditioning
    ) -> Tensor:
        """The network proper: log gain on the classical noise (3) and what is added to it (3)."""
        scale = conditioning.statistics.scale.view(-1, 1, 1, 1)
        coverage = shaped.coverage.mean(1, keepdim=True)
        relative = [shaped.noise / scale, shaped.level / scale]
        x = [clean, *relative, shaped.follows, coverage, white]
        stacked = torch.cat(x, 1).contiguous(memory_format=torch.channels_last)
        tokens = conditioning.tokens
        summary = self.summary(tokens)
        latent = self.embed(F.pixel_unshuffle(stacked, GRID))
        for block in self.blocks:
            latent = block(latent, tokens, summary)
        fine = self.inputs(F.pixel_unshuffle(stacked, 2))
        fine = fine + F.pixel_shuffle(self.widen(latent), GRID // 2)
        for block in self.decoder:
            fine = block(fine, summary)
        return F.pixel_shuffle(self.output(F.silu(fine)), 2).float()
