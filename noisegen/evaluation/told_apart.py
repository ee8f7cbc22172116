"""Told apart: how often a small classifier knows real from generated noise.

The classifier sees the noise alone, not the picture under it. It is trained on some scenes and
asked about others, in folds, so it can know neither a picture nor its noise by heart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from noisegen.evaluation.denoiser import OneCycle, seeded
from noisegen.evaluation.protocol import PROTOCOL_SEED
from noisegen.evaluation.side_by_side import SideBySide, scene_folds
from noisegen.noise.arrays import Rng
from noisegen.training.crops import random_place

RESAMPLES = 1000
"""Bootstrap draws behind the interval."""


@dataclass(frozen=True)
class ClassifierConfig:
    """Sizes and training of the classifier.

    Attributes:
        side: of a patch, in pixels.
        width: channels of the first layers; the last have twice as many.
        steps: optimiser steps a fold.
        pairs: real patches, and as many generated ones at the same places, a step.
        rate: peak learning rate (Adam, one cycle).
        folds: at most; fewer where there are fewer scenes.
        asked: test patches of either kind, over all targets.
        seed: of the network and the patches' places.
    """

    side: int = 32
    width: int = 32
    steps: int = 250
    pairs: int = 32
    rate: float = 4e-3
    folds: int = 3
    asked: int = 2000
    seed: int = PROTOCOL_SEED


DEFAULT = ClassifierConfig()


@dataclass(frozen=True)
class ToldApart:
    """Share of right answers, 0.5 where real and generated cannot be told apart.

    Attributes:
        accuracy: over all test patches, half of them real.
        low: lower end of the 95 % interval, by bootstrap over scenes.
        high: its upper end.
    """

    accuracy: float
    low: float
    high: float


def told_apart(
    comparisons: Sequence[SideBySide],
    config: ClassifierConfig = DEFAULT,
    device: str = "cpu",
) -> ToldApart:
    """Trains and asks a classifier in folds of scenes.

    Args:
        comparisons: of one row; their pictures have one number of channels.
        config: of the classifier.
        device: where it is trained; the same device and number of threads give the same figure.

    Raises:
        ValueError: all targets show one scene.
    """
    right = np.zeros(len(comparisons))
    for trained in classifiers(comparisons, config, device):
        for index, noise in trained.asked.items():
            right[index] = _share_right(trained.network, noise, len(comparisons), config)
    scenes = [c.target.scene for c in comparisons]
    return ToldApart(float(right.mean()), *bootstrap_interval(right, scenes))


@dataclass(frozen=True, eq=False)
class Trained:
    """A classifier and the pictures that it has not seen.

    Attributes:
        network: of :func:`patch_classifier`.
        asked: index of a comparison → its noise as the network takes it, 2 (real, generated)×C×H×W.
    """

    network: nn.Sequential
    asked: dict[int, Tensor]


def classifiers(
    comparisons: Sequence[SideBySide], config: ClassifierConfig, device: str
) -> Iterator[Trained]:
    """Trains a classifier a fold of scenes.

    Raises:
        ValueError: all targets show one scene.
    """
    folds = scene_folds([c.target.scene for c in comparisons], config.folds)
    noises = [
        torch.from_numpy(np.stack([c.real_noise, c.fake_noise])).permute(0, 3, 1, 2)
        for c in comparisons
    ]
    for asked in folds:
        known = [noises[i] for i in range(len(noises)) if i not in set(asked)]
        # One factor for both kinds, from the real noise that training sees: strength stays a clue.
        scale = 1 / float(torch.cat([pair[0].flatten() for pair in known]).std().clamp(min=1e-4))
        network = _train(known, scale, config, torch.device(device))
        yield Trained(network, {index: noises[index] * scale for index in asked})


def patch_classifier(channels: int, width: int) -> nn.Sequential:
    """Four convolutions and a mean over places; one logit a patch, above 0 for generated."""

    def block(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
        convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]

    return nn.Sequential(
        nn.Conv2d(channels, width, 3, padding=1),
        nn.ReLU(),
        *block(width, width, 2),
        *block(width, 2 * width, 2),
        *block(2 * width, 2 * width, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(2 * width, 1),
    )


def evidence(network: nn.Sequential, noise: Tensor) -> Tensor:
    """What each place adds to a classifier's answer, N×h×w: its mean is the logit, exactly.

    Args:
        network: of :func:`patch_classifier`, whose last layer takes a mean over places.
        noise: N×C×H×W; a place is 4 pixels from the next and sees 17 of them either way.
    """
    *features, _, _, last = network
    for layer in features:
        noise = layer(noise)
    places: Tensor = last(noise.movedim(1, -1))[..., 0]
    return places


def _train(
    noises: Sequence[Tensor], scale: float, config: ClassifierConfig, device: torch.device
) -> nn.Sequential:
    """Trains a classifier on pictures of noise, each 2 (real, generated)×C×H×W."""
    rng = np.random.default_rng(config.seed)
    channels = noises[0].shape[1]
    classifier = seeded(lambda: patch_classifier(channels, config.width), config.seed, device)
    training = OneCycle(classifier, config.rate, config.steps)
    truth = torch.tensor([0.0, 1.0], device=device).repeat(config.pairs)
    for _ in range(config.steps):
        picked = rng.integers(len(noises), size=config.pairs)
        patches = torch.cat([_random_patch(noises[i], config.side, rng) for i in picked])
        with torch.autocast(device.type, torch.bfloat16):
            logits = classifier(patches.to(device) * scale)[:, 0]
        loss = F.binary_cross_entropy_with_logits(logits.float(), truth)
        training.descend(loss)
    return classifier.eval()


def _random_patch(noise: Tensor, side: int, rng: Rng) -> Tensor:
    """Real and generated noise at one place, mirrored alike: 2×C×side×side."""
    patch = noise[(..., *random_place(noise.shape[-2:], side, rng))]
    mirrored = [axis for axis in (-2, -1) if rng.random() < 0.5]
    return patch.flip(mirrored)


def _share_right(
    classifier: nn.Module, noise: Tensor, pictures: int, config: ClassifierConfig
) -> float:
    """Share of right answers on one picture's patches, evenly spread without overlap."""
    side = config.side
    tiles = noise.unfold(-2, side, side).unfold(-2, side, side).flatten(2, 3).transpose(1, 2)
    count = min(tiles.shape[1], max(1, config.asked // pictures))
    chosen = np.linspace(0, tiles.shape[1] - 1, count).round().astype(int)
    device = next(classifier.parameters()).device
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16):
        real, fake = (classifier(kind[chosen].to(device))[:, 0] > 0 for kind in tiles)
    return float(torch.cat([~real, fake]).float().mean())


def bootstrap_interval(right: NDArray[np.float64], scenes: Sequence[str]) -> tuple[float, float]:
    """95 % percentile bootstrap over scenes, whose targets are not independent of each other.

    Args:
        right: share of right answers on each target.
        scenes: of each target.

    Returns:
        Both ends of the interval of the targets' mean.
    """
    _, scene = np.unique(scenes, return_inverse=True)
    sums, counts = np.bincount(scene, right), np.bincount(scene)
    rng = np.random.default_rng(PROTOCOL_SEED)
    drawn = rng.integers(len(counts), size=(RESAMPLES, len(counts)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)
