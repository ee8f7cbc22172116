"""Training of the denoiser that estimates the clean of references that have none."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from noisegen.model.config import BlindSpotConfig
from noisegen.model.denoiser import CleanEstimate, Denoiser
from noisegen.noise.arrays import Bytes
from noisegen.training.crops import SimulatedCrops
from noisegen.training.loop import (
    OneNetworkTraining,
    TrainingStep,
    train_network,
    trained_network,
)

SMALLEST_ERROR = 0.3 / 255
"""Standard deviation that no estimate is asked to be better than: cleans are rounded too."""

CHECKPOINT = "denoiser.pt"
"""Its name in the folder of a run."""


@dataclass(frozen=True)
class DenoiserTraining(OneNetworkTraining):
    """Configuration of a training of the denoiser.

    Attributes:
        crops: in a batch.
        fixed: share of those that are given, not drawn: real pairs and textbook noise.
        model: sizes of the network.
    """

    crops: int = 64
    fixed: float = 0.25
    model: BlindSpotConfig = field(default_factory=BlindSpotConfig)


def denoiser_loss(denoiser: Denoiser, noisy: Tensor, clean: Tensor, spot: int) -> Tensor:
    """Gaussian negative log-likelihood of the clean by both branches; a scalar.

    It weighs a picture's errors relative to its own noise, so that quiet cameras count as much
    as loud ones.

    Args:
        denoiser: trained.
        noisy: B×3×H×W in [0, 1].
        clean: the same shape.
        spot: half width of the blind spot, in cells.
    """
    with torch.autocast(noisy.device.type, torch.bfloat16):
        full, blind = denoiser(noisy, spot)
    return _likelihood(full, clean) + _likelihood(blind, clean)


def _likelihood(estimate: CleanEstimate, clean: Tensor) -> Tensor:
    variance = estimate.log_variance.float().clamp(-14, 2).exp() + SMALLEST_ERROR**2
    error = (estimate.clean.float() - clean).square()
    return 0.5 * (error / variance + variance.log()).mean()


def train_denoiser(
    config: DenoiserTraining,
    pictures: Sequence[Bytes],
    fixed: Bytes | None,
    run: Path,
    device: torch.device,
    start: Denoiser | None = None,
) -> Generator[TrainingStep, None, None]:
    """Trains the denoiser; the same call again goes on from the checkpoint in ``run``.

    Args:
        config: of the training.
        pictures: clean, H×W×3, that cameras are simulated on.
        fixed: N×2×3×128×128, noisy and clean, or None.
        run: folder of the checkpoint, which :func:`trained_denoiser` reads.
        device: that trains and draws.
        start: trained before, to go on from.
    """
    torch.manual_seed(config.seed)
    given = torch.from_numpy(fixed).to(device) if fixed is not None else None
    count = round(config.fixed * config.crops) if given is not None else 0

    def loss_of(denoiser: Denoiser, drawn: SimulatedCrops, rng: np.random.Generator) -> Tensor:
        pairs = drawn.batch(config.crops - count)
        if given is not None and count:
            index = torch.from_numpy(rng.integers(len(given), size=count)).to(given.device)
            pairs = torch.cat([pairs, given[index]])
        noisy, clean = (pairs.float() / 255).unbind(1)
        spot = config.model.spots[int(rng.integers(len(config.model.spots)))]
        return denoiser_loss(denoiser, noisy, clean, spot)

    network = start or Denoiser(config.model)
    return train_network(network, config, pictures, run / CHECKPOINT, device, loss_of)


def trained_denoiser(run: Path) -> tuple[Denoiser, dict[str, Any]]:
    """The averaged network of a run's checkpoint, and what a card says of its training."""
    return trained_network(run / CHECKPOINT, lambda sizes: Denoiser(BlindSpotConfig(**sizes)))
