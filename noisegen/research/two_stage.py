"""PNG's two stages: a noise autoencoder, then a one-step consistency model in its latent.

After arXiv 2603.04870, for the ablation. Built of the generator's blocks, so that the comparison
is one of objectives. Noise goes in and comes out in units of the expected local level; latents lie
on the image's 8×8 grid.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from noisegen.model.conditioning import Conditioning
from noisegen.model.generator import GRID, DecoderBlock, LatentBlock, VectorLinear
from noisegen.research.objectives.consistency import (
    ConsistencyConfig,
    apply_consistency,
    consistency_loss,
)

LEVEL_WAVES = 8
"""Sines and cosines of ln σ that the noise level is described by."""


@dataclass(frozen=True)
class TwoStageConfig:
    """Sizes of both stages.

    Attributes:
        latent_channels: values a token. A token covers 192 noise values, and white noise does not
            compress: after 400 steps its reconstruction had a deviation of 0.88 with 192 channels,
            0.58 with 64, 0.41 with 32 (noise blurred by 1-2-1: 0.98, 0.95, 0.83).
        width: channels of the latent blocks; at least ``latent_channels``, or it is what limits.
        heads: of prompt attention.
        encoder_blocks: latent blocks of the autoencoder, none of which mixes tokens.
        mixing: one latent block of the consistency model an entry; True: it mixes tokens.
        decoder_width: channels at half resolution.
        token_width: of a prompt token.
        consistency: noise levels. iCT's, but for σ_max: noise has no large structures that only
            σ 80 would hide. After 350 steps one-step samples had 0.67 of the real deviation from
            σ 80, 0.83 from σ 10; the other settings changed it by 0.03 at most.
    """

    latent_channels: int = 192
    width: int = 192
    heads: int = 4
    encoder_blocks: int = 1
    mixing: tuple[bool, ...] = (True, False, True)
    decoder_width: int = 48
    token_width: int = 64
    consistency: ConsistencyConfig = field(
        default_factory=lambda: ConsistencyConfig(sigma_max=10.0)
    )


class NoiseAutoencoder(nn.Module):
    """Stage 1: noise and clean → latent at an eighth of the resolution → noise.

    Attributes:
        latent_mean: 1×C×1×1, measured by :meth:`calibrate` for the second stage.
        latent_deviation: the same, standard deviation.
    """

    latent_mean: Tensor
    latent_deviation: Tensor

    def __init__(self, config: TwoStageConfig) -> None:
        super().__init__()
        self.config = config
        width, token, inner = config.width, config.token_width, config.decoder_width
        self.summarise = nn.Sequential(VectorLinear(token, token), nn.SiLU())
        self.embed = nn.Conv2d(6 * GRID * GRID, width, 1)
        self.blocks = nn.ModuleList(
            LatentBlock(width, token, config.heads, mixes=False)
            for _ in range(config.encoder_blocks)
        )
        self.to_latent = nn.Conv2d(width, config.latent_channels, 1)
        self.widen = nn.Conv2d(config.latent_channels, inner * (GRID // 2) ** 2, 1)
        self.clean = nn.Conv2d(3 * 4, inner, 3, padding=1)
        self.decoder = DecoderBlock(inner, token)
        self.output = nn.Conv2d(inner, 3 * 4, 3, padding=1)
        self.register_buffer("latent_mean", torch.zeros(1, config.latent_channels, 1, 1))
        self.register_buffer("latent_deviation", torch.ones(1, config.latent_channels, 1, 1))

    def encode(self, noise: Tensor, clean: Tensor, tokens: Tensor) -> Tensor:
        """Encodes noise as a latent.

        Args:
            noise: B×3×H×W, in units of the expected level; H and W multiples of 8.
            clean: B×3×H×W, in [0, 1].
            tokens: B×T×D, the prompt.

        Returns:
            B×C×(H/8)×(W/8).
        """
        x = self.embed(F.pixel_unshuffle(torch.cat([noise, clean], 1), GRID))
        summary = self.summarise(tokens.mean(1))
        for block in self.blocks:
            x = block(x, tokens, summary)
        latent: Tensor = self.to_latent(x)
        return latent

    def decode(self, latent: Tensor, clean: Tensor, tokens: Tensor) -> Tensor:
        """Decodes a latent, B×C×(H/8)×(W/8), to noise, B×3×H×W float32, with the clean's help."""
        x = F.pixel_shuffle(self.widen(latent), GRID // 2)
        x = self.decoder(
            x + self.clean(F.pixel_unshuffle(clean, 2)), self.summarise(tokens.mean(1))
        )
        return F.pixel_shuffle(self.output(F.silu(x)), 2).float()

    @torch.no_grad()
    def calibrate(self, latents: Tensor) -> None:
        """Measures the latents' mean and deviation, once, after stage 1.

        As in latent diffusion (Rombach et al., CVPR 2022, App. G), here by channel.

        Args:
            latents: B×C×h×w, of as many samples as are at hand.
        """
        deviation, mean = torch.std_mean(latents.float(), (0, 2, 3), keepdim=True)
        self.latent_mean.copy_(mean)
        self.latent_deviation.copy_(deviation.clamp(min=1e-6))

    def standardise(self, latent: Tensor) -> Tensor:
        """Shifts and scales a latent to zero mean and deviation ``sigma_data``."""
        data = self.config.consistency.sigma_data
        return (latent.float() - self.latent_mean) * (data / self.latent_deviation)

    def restore(self, standard: Tensor) -> Tensor:
        """Inverts :meth:`standardise`."""
        data = self.config.consistency.sigma_data
        return standard * (self.latent_deviation / data) + self.latent_mean


class LatentConsistency(nn.Module):
    """Stage 2: P-DiT in the latent; the raw network of :func:`.apply_consistency`."""

    def __init__(self, config: TwoStageConfig) -> None:
        super().__init__()
        self.config = config
        width, token = config.width, config.token_width
        self.summarise = nn.Sequential(VectorLinear(token, token), nn.SiLU())
        self.level = nn.Sequential(
            VectorLinear(2 * LEVEL_WAVES, token), nn.SiLU(), VectorLinear(token, token)
        )
        self.embed = nn.Conv2d(config.latent_channels + 3 * GRID * GRID, width, 1)
        self.blocks = nn.ModuleList(
            LatentBlock(width, token, config.heads, mixes) for mixes in config.mixing
        )
        self.output = nn.Conv2d(width, config.latent_channels, 1)

    def forward(self, noisy_latent: Tensor, sigma: Tensor, clean: Tensor, tokens: Tensor) -> Tensor:
        """Runs one pass.

        Args:
            noisy_latent: B×C×h×w, scaled to unit variance.
            sigma: B, its noise level before that.
            clean: B×3×8h×8w, in [0, 1].
            tokens: B×T×D, the prompt.

        Returns:
            B×C×h×w.
        """
        summary = self.summarise(tokens.mean(1)) + self.level(describe_level(sigma))
        x = self.embed(torch.cat([noisy_latent, F.pixel_unshuffle(clean, GRID)], 1))
        for block in self.blocks:
            x = block(x, tokens, summary)
        output: Tensor = self.output(x)
        return output

    def conditioned(self, clean: Tensor, tokens: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
        """The network as a function of latent and level alone."""
        return lambda latent, sigma: self(latent, sigma, clean, tokens)


def describe_level(sigma: Tensor) -> Tensor:
    """Waves of ¼ ln σ (Karras et al., NeurIPS 2022, Table 1): B → B×(2·LEVEL_WAVES).

    Frequencies stay low: consistency training is unstable with a sensitive embedding (Song and
    Dhariwal, arXiv 2310.14189, Sec. 3.1).
    """
    position = 0.25 * sigma.float().log()
    frequencies = torch.linspace(0.25, 2, LEVEL_WAVES, device=sigma.device) * math.pi
    angles = position.unsqueeze(1) * frequencies
    return torch.cat([angles.sin(), angles.cos()], 1)


Shown = tuple[Tensor, Tensor, Tensor]
"""Clean, B×3×H×W in [0, 1]; real noise in units of the expected level; B×T×D, the prompt."""


def autoencoder_loss(autoencoder: NoiseAutoencoder, shown: Shown, penalty: float) -> Tensor:
    """Stage 1: mean absolute error plus ``penalty`` times the latent's mean square; a scalar.

    The square is a KL divergence's term in the mean; it keeps the latent in the range that the
    consistency model is trained in.
    """
    clean, noise, tokens = shown
    latent = autoencoder.encode(noise, clean, tokens)
    error = (autoencoder.decode(latent, clean, tokens) - noise.float()).abs().mean()
    return error + penalty * latent.float().square().mean()


def latent_consistency_loss(
    autoencoder: NoiseAutoencoder,
    consistency: LatentConsistency,
    shown: Shown,
    done: tuple[int, int],
    generator: torch.Generator | None = None,
) -> Tensor:
    """Stage 2: consistency training in the latent of a calibrated, frozen autoencoder; a scalar.

    Args:
        autoencoder: gets no gradient.
        consistency: is trained.
        shown: gradients pass to its prompt.
        done: step of this stage's training, and how many it has.
        generator: of noise and levels.
    """
    clean, noise, tokens = shown
    with torch.no_grad():
        latents = autoencoder.standardise(autoencoder.encode(noise, clean, tokens))
    network = consistency.conditioned(clean, tokens)
    return consistency_loss(network, latents, *done, consistency.config.consistency, generator)


def sample(
    autoencoder: NoiseAutoencoder,
    consistency: LatentConsistency,
    clean: Tensor,
    latent_noise: Tensor,
    conditioning: Conditioning,
) -> Tensor:
    """Makes noise of Gaussian latents in one step.

    Args:
        autoencoder: calibrated.
        consistency: trained in its latent.
        clean: B×3×H×W, in [0, 1]; H and W multiples of 8.
        latent_noise: B×C×(H/8)×(W/8), standard normal.
        conditioning: of the camera; only its prompt is used.

    Returns:
        B×3×H×W, in units of the expected level, float32.
    """
    config = consistency.config.consistency
    sigma = latent_noise.new_full((len(latent_noise),), config.sigma_max, dtype=torch.float32)
    network = consistency.conditioned(clean, conditioning.tokens)
    standard = apply_consistency(network, config.sigma_max * latent_noise.float(), sigma, config)
    return autoencoder.decode(autoencoder.restore(standard), clean, conditioning.tokens)
