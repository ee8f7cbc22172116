"""Objectives of PNGAN and NoiseTransfer: adversaries, alignment, contrastive prompts.

PNGAN (Cai et al., NeurIPS 2021) plays a relativistic average game pixel by pixel; NoiseTransfer
(Lee and Kim, ACCV 2022) a hinge game with feature matching, its discriminator conditioned on the
reference noise. Conditioning here is a projection discriminator's (Miyato and Koyama, ICLR 2018).

PNGAN's image domain alignment: what a denoiser makes of a generated noisy image should be what it
makes of the real one. The denoised images are nearly free of noise, so that two draws can be
compared pixel by pixel.

NoiseTransfer learns noise embeddings, one camera and setting together and others apart, by InfoNCE
(van den Oord et al., arXiv 1807.03748, Eq. 4) with momentum keys and a queue of negatives (MoCo: He
et al., CVPR 2020, Sec. 3).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

SLOPE = 0.2
"""Slope of the leaky ReLU on its negative side."""


class PixelDiscriminator(nn.Module):
    """A small U-shaped network: noise and its clean image → a score a pixel, and features.

    Three resolutions see grain as well as blotches; skips bring the scores back to single pixels.
    """

    def __init__(self, width: int = 32, summary_width: int = 0) -> None:
        """Builds the network.

        Args:
            width: channels at full resolution, twice as many below.
            summary_width: of the prompt summary that it is conditioned by; 0: unconditional.
        """
        super().__init__()
        self.at_full = nn.Conv2d(6, width, 3, padding=1)
        self.at_half = nn.Conv2d(width, 2 * width, 4, stride=2, padding=1)
        self.at_quarter = nn.Conv2d(2 * width, 2 * width, 4, stride=2, padding=1)
        self.up_half = nn.Conv2d(4 * width, 2 * width, 3, padding=1)
        self.up_full = nn.Conv2d(3 * width, width, 3, padding=1)
        self.score = nn.Conv2d(width, 1, 1)
        self.projection = nn.Linear(summary_width, width, bias=False) if summary_width else None

    def forward(
        self, noise: Tensor, clean: Tensor, summary: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Runs one pass.

        Args:
            noise: B×3×H×W, in units of the expected local level; H and W multiples of 4.
            clean: B×3×H×W, in [0, 1].
            summary: B×summary_width, of a conditional discriminator's prompt.

        Returns:
            Scores, B×1×H×W in float32, higher for real; features, from fine to coarse and back.
        """
        if (summary is None) != (self.projection is None):
            raise ValueError("a conditional discriminator needs a summary, another takes none")
        full = F.leaky_relu(self.at_full(torch.cat([noise, clean], 1)), SLOPE)
        half = F.leaky_relu(self.at_half(full), SLOPE)
        quarter = F.leaky_relu(self.at_quarter(half), SLOPE)
        up_half = F.leaky_relu(self.up_half(_join(quarter, half)), SLOPE)
        last = F.leaky_relu(self.up_full(_join(up_half, full)), SLOPE)
        scores = self.score(last).float()
        if summary is not None and self.projection is not None:
            direction = self.projection(summary).unsqueeze(-1).unsqueeze(-1)
            scores = scores + (direction.float() * last.float()).sum(1, keepdim=True)
        return scores, [full, half, quarter, up_half, last]


def relativistic_losses(real_scores: Tensor, fake_scores: Tensor) -> tuple[Tensor, Tensor]:
    """Relativistic average losses (Jolicoeur-Martineau, ICLR 2019; PNGAN: a score a pixel).

    Each pixel is judged against the mean score of the other kind. Both losses are means of two
    terms, log 2 where all scores are equal.

    Args:
        real_scores: B×1×H×W, raw.
        fake_scores: the same of generated noise; detach the noise for the discriminator's step.

    Returns:
        The discriminator's loss and the generator's, scalars.
    """
    real_scores, fake_scores = real_scores.float(), fake_scores.float()
    real = real_scores - fake_scores.mean()
    fake = fake_scores - real_scores.mean()
    discriminator = 0.5 * (F.softplus(-real).mean() + F.softplus(fake).mean())
    generator = 0.5 * (F.softplus(real).mean() + F.softplus(-fake).mean())
    return discriminator, generator


def hinge_losses(real_scores: Tensor, fake_scores: Tensor) -> tuple[Tensor, Tensor]:
    """Hinge losses (Miyato et al., ICLR 2018, Eq. 16 and 17; NoiseTransfer).

    Args:
        real_scores: raw, any shape.
        fake_scores: raw, any shape.

    Returns:
        The discriminator's loss and the generator's, scalars.
    """
    real_scores, fake_scores = real_scores.float(), fake_scores.float()
    discriminator = F.relu(1 - real_scores).mean() + F.relu(1 + fake_scores).mean()
    return discriminator, -fake_scores.mean()


def feature_matching(real_features: Sequence[Tensor], fake_features: Sequence[Tensor]) -> Tensor:
    """L1 distance of each sample's mean features, averaged over layers; a scalar.

    NoiseTransfer's term, in the form of Salimans et al. (NeurIPS 2016, Sec. 3.1): means over
    pixels, not pixel by pixel. Real and generated noise are independent draws, and the L1 distance
    of two draws' pixels is smallest for a generator that does not vary.

    Args:
        real_features: of the discriminator, each B×C×h×w; no gradient passes to them.
        fake_features: the same of generated noise.
    """
    distances = [
        (fake.float().mean((-2, -1)) - real.detach().float().mean((-2, -1))).abs().mean()
        for real, fake in zip(real_features, fake_features, strict=True)
    ]
    return torch.stack(distances).mean()


def _join(coarse: Tensor, fine: Tensor) -> Tensor:
    """Coarse features, enlarged, beside fine ones."""
    return torch.cat([F.interpolate(coarse, scale_factor=2, mode="nearest"), fine], 1)


def alignment_loss(denoiser: nn.Module, fake_noisy: Tensor, real_noisy: Tensor) -> Tensor:
    """L1 distance of the denoised images; a scalar.

    The denoiser gets no gradient, whatever its parameters require; it must be in evaluation mode,
    as a batch norm would else go on learning its statistics here.

    Args:
        denoiser: noisy B×3×H×W in [0, 1] → clean estimate of the same shape.
        fake_noisy: generated.
        real_noisy: real, of the same clean image.
    """
    with torch.no_grad():
        real: Tensor = denoiser(real_noisy)
    parameters = {name: value.detach() for name, value in denoiser.named_parameters()}
    fake: Tensor = functional_call(denoiser, parameters, (fake_noisy,))
    difference = fake.float() - real.float()
    return difference.abs().mean()


def info_nce(queries: Tensor, keys: Tensor, queue: Tensor, temperature: float) -> Tensor:
    """InfoNCE on cosine similarities (MoCo, Eq. 1); a scalar, log(1 + Q) where nothing is learnt.

    Args:
        queries: B×D.
        keys: B×D, the positives, row by row. Gradients pass; MoCo's keys come from the momentum
            encoder, under ``no_grad``.
        queue: Q×D, the negatives of every query.
        temperature: divides the similarities; MoCo takes 0.07.
    """
    # Autocast would round the product to bfloat16: 1 % on logits that are divided by 0.07.
    with torch.autocast(queries.device.type, enabled=False):
        queries, keys, queue = (F.normalize(x.float(), dim=1) for x in (queries, keys, queue))
        positive = (queries * keys).sum(1, keepdim=True)
        logits = torch.cat([positive, queries @ queue.T], 1) / temperature
        target = torch.zeros(len(logits), dtype=torch.long, device=logits.device)
        return F.cross_entropy(logits, target)


class KeyQueue(nn.Module):
    """The last keys, first in, first out (MoCo, Sec. 3.2); it starts with random directions.

    Attributes:
        keys: size×D, of unit length.
        position: where the next key goes.
    """

    keys: Tensor
    position: Tensor

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.register_buffer("keys", F.normalize(torch.randn(size, width), dim=1))
        self.register_buffer("position", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def push(self, keys: Tensor) -> None:
        """Puts B×D keys in the place of the oldest; of more than fit, the last stay."""
        size = len(self.keys)
        kept = F.normalize(keys.detach().float(), dim=1)[-size:]
        places = (self.position + torch.arange(len(kept), device=self.keys.device)) % size
        self.keys[places] = kept
        self.position.copy_((self.position + len(kept)) % size)


@torch.no_grad()
def momentum_update(key_encoder: nn.Module, encoder: nn.Module, momentum: float) -> None:
    """Moves the key encoder's parameters towards the encoder's (MoCo, Eq. 2).

    Args:
        key_encoder: changed in place; of the same architecture.
        encoder: the one that is trained.
        momentum: share that is kept, in [0, 1]; MoCo takes 0.999.
    """
    for slow, fast in zip(key_encoder.parameters(), encoder.parameters(), strict=True):
        slow.lerp_(fast.to(slow.dtype), 1 - momentum)
