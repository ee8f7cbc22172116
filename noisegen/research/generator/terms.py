"""The objectives of one step, joined: what is generated, and how far it is from the truth."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from noisegen.evaluation.denoiser import Denoiser
from noisegen.evaluation.side_by_side import noise_of
from noisegen.evaluation.tables import mean_and_median
from noisegen.files import to_float
from noisegen.model.classical import find_places
from noisegen.model.conditioning import Conditioning, Statistics
from noisegen.model.config import KERNEL
from noisegen.model.generator import FIELD_CHANNELS
from noisegen.model.weights import NoiseModel
from noisegen.noise.metrics import Scores, compare
from noisegen.research.generator.config import ObjectiveConfig
from noisegen.research.objectives.adversarial import (
    KeyQueue,
    PixelDiscriminator,
    alignment_loss,
    feature_matching,
    hinge_losses,
    info_nce,
    momentum_update,
    relativistic_losses,
)
from noisegen.research.objectives.energy import energy_score, histogram_loss
from noisegen.training.bank import TARGET, Batch, Source, batches, to_device

LEVELS = 255
"""The bank's pictures have 8 bits: generated ones are rounded to the same steps."""

LOCAL = 8
"""Side of the patches whose level the level term compares, in pixels."""


@dataclass(frozen=True)
class Generated:
    """Noise that the model makes of a batch, in units of the expected local level.

    Attributes:
        conditioning: of the reference sets, one a set.
        summary: of the prompt, one a target.
        noisy: generated pictures in [0, 1], as many draws as there are.
        noises: their noise.
        truth: the real noise.
        clean: B×3×H×W.
        real: the real noisy pictures.
    """

    conditioning: Conditioning
    summary: Tensor
    noisy: list[Tensor]
    noises: list[Tensor]
    truth: Tensor
    clean: Tensor
    real: Tensor


def generate(model: NoiseModel, batch: Batch, draws: int, device: torch.device) -> Generated:
    """Encodes the references and draws noise for every target, clipped and rounded."""
    targets = len(batch.clean) // len(batch.windows.valid)
    with torch.autocast(device.type, torch.bfloat16):
        encoded = model.encoder(batch.windows, batch.statistics)
        repeated = encoded.repeat(targets)
        summary = model.pixel_generator.summary(repeated.tokens)
        raw = [
            model.pixel_generator(batch.clean, draw_field(batch.clean), repeated)
            for _ in range(draws)
        ]
    level = expected_level(batch.clean, repeated.statistics)
    noisy = [quantise(batch.clean, noise.float()) for noise in raw]
    return Generated(
        encoded,
        summary.float(),
        noisy,
        [(picture - batch.clean) / level for picture in noisy],
        (batch.noisy - batch.clean) / level,
        batch.clean,
        batch.noisy,
    )


class Terms(nn.Module):
    """The objectives and the networks that some of them need."""

    def __init__(self, config: ObjectiveConfig, model: NoiseModel) -> None:
        super().__init__()
        self.config = config
        width = model.encoder.token_width
        if config.adversarial:
            conditional = width if config.adversary == "hinge" else 0
            self.discriminator = PixelDiscriminator(summary_width=conditional)
        if config.contrastive:
            self.key_encoder = copy.deepcopy(model.encoder).requires_grad_(False)
            self.queue = KeyQueue(config.queue, model.encoder.tokens * width)
        if config.alignment:
            self.denoiser = Denoiser(3, config.denoiser).eval().requires_grad_(False)

    @property
    def draws(self) -> int:
        """Number of draws a target that the terms need."""
        return 2 if self.config.energy else 1

    def generator_loss(self, made: Generated, batch: Batch) -> Tensor:
        """Weighted sum of the objectives that the model is trained on."""
        return torch.stack(list(self._terms(made, batch))).sum()

    def _terms(self, made: Generated, batch: Batch) -> Iterator[Tensor]:
        c, fake = self.config, made.noises[0]
        if c.energy:
            yield c.energy * energy_score(fake, made.noises[1], made.truth, c.energies)
        if c.histogram:
            yield c.histogram * histogram_loss(fake, made.truth, c.histograms)
        if c.level:
            yield c.level * level_loss(fake, made.truth)
        if c.alignment:
            aligned = alignment_loss(self.denoiser, made.noisy[0], made.real)
            yield c.alignment * LEVELS * aligned
        if c.adversarial:
            yield from self._adversarial(made)
        if c.contrastive:
            queries, keys = made.conditioning.tokens.flatten(1), self.keys(batch)
            yield c.contrastive * info_nce(queries, keys, self.queue.keys, c.temperature)
            self.queue.push(keys)

    def _adversarial(self, made: Generated) -> Iterator[Tensor]:
        c = self.config
        real, fake = self._scores(made, made.truth), self._scores(made, made.noises[0])
        losses = relativistic_losses if c.adversary == "relativistic" else hinge_losses
        yield c.adversarial * losses(real[0], fake[0])[1]
        if c.feature_matching:
            yield c.feature_matching * feature_matching([x.detach() for x in real[1]], fake[1])

    def discriminator_loss(self, made: Generated) -> Tensor:
        """Loss of the adversary; no gradient reaches the generator."""
        real = self._scores(made, made.truth)[0]
        fake = self._scores(made, made.noises[0].detach())[0]
        relativistic = self.config.adversary == "relativistic"
        return (relativistic_losses if relativistic else hinge_losses)(real, fake)[0]

    def _scores(self, made: Generated, noise: Tensor) -> tuple[Tensor, list[Tensor]]:
        summary = made.summary.detach() if self.config.adversary == "hinge" else None
        with torch.autocast(noise.device.type, torch.bfloat16):
            scores, features = self.discriminator(noise, made.clean, summary)
        return scores.float(), list(features)

    @torch.no_grad()
    def keys(self, batch: Batch) -> Tensor:
        """Prompts of each setting's other reference set, by the momentum encoder."""
        if batch.other is None:
            raise ValueError("the contrastive term needs batches with two reference sets each")
        windows, statistics = batch.other
        with torch.autocast(windows.clean.device.type, torch.bfloat16):
            tokens: Tensor = self.key_encoder(windows, statistics).tokens
        return tokens.flatten(1).float()

    def after_step(self, model: NoiseModel) -> None:
        """Moves the momentum encoder."""
        if self.config.contrastive:
            momentum_update(self.key_encoder, model.encoder, self.config.momentum)


def level_loss(fake: Tensor, truth: Tensor) -> Tensor:
    """L1 of the logarithms of the local levels: strength where it belongs; a scalar.

    Args:
        fake: B×3×H×W, noise in units of the expected level.
        truth: the real noise.
    """
    levels = [
        nn.functional.avg_pool2d(noise.float().square(), LOCAL).mean(1).add(1e-3).log()
        for noise in (fake, truth)
    ]
    return 0.5 * (levels[0] - levels[1]).abs().mean()


def expected_level(clean: Tensor, statistics: Statistics) -> Tensor:
    """Level that noise is divided by: known before the truth, so the score is proper.

    The measured level at each pixel's intensity, softened by the overall scale and half a step of
    8 bits, so that nearly noiseless intensities do not outweigh the rest.
    """
    scale = statistics.scale.view(-1, 1, 1, 1)
    variance = find_places(statistics.nodes, clean).read(statistics.level.square())
    return (variance + (0.25 * scale).square() + (0.5 / LEVELS) ** 2).sqrt()


def quantise(clean: Tensor, noise: Tensor) -> Tensor:
    """Adds noise, clips and rounds to 8 bits; gradients pass the rounding unchanged."""
    noisy = (clean + noise).clamp(0, 1)
    return noisy + ((noisy * LEVELS).round() / LEVELS - noisy).detach()


def draw_field(clean: Tensor) -> Tensor:
    """Draws a Gaussian field for a batch of crops."""
    height, width = clean.shape[-2] + KERNEL - 1, clean.shape[-1] + KERNEL - 1
    return torch.randn(len(clean), FIELD_CHANNELS, height, width, device=clean.device)


SETS = 24
"""Reference sets that are tried, one target each."""


@dataclass(frozen=True)
class Validation:
    """Median distances over the held-out targets."""

    kld: float
    akld: float
    correlation: float
    level: float

    def __str__(self) -> str:
        return (
            f"validation KLD {self.kld:.4f}, AKLD {self.akld:.3f}, "
            f"correlation {self.correlation:.4f}, noise level {self.level:.3f}"
        )


@torch.no_grad()
def validate(model: NoiseModel, sources: Sequence[Source], device: torch.device) -> Validation:
    """Scores a model on held-out settings, always with the same references, targets and fields."""
    batch = to_device(next(batches(sources, SETS, 1, TARGET, np.random.default_rng(0))), device)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(0)
        made = generate(model, batch, 1, device)
    scores: list[Scores] = []
    for real, fake, clean in zip(made.real, made.noisy[0], made.clean, strict=True):
        planes = (x.permute(1, 2, 0).float().cpu().numpy() for x in (real, fake, clean))
        noisy, generated, pure = (np.rint(x * 255).astype(np.uint8) for x in planes)
        scores.append(
            compare(noise_of(noisy, pure), noise_of(generated, pure), to_float(pure, 255))
        )
    medians = {
        name: mean_and_median(getattr(score, name) for score in scores)["median"]
        for name in ("kld", "akld", "correlation", "level")
    }
    return Validation(**medians)
