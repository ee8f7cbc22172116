"""Training of the content network: maps by which a regression on references foretells other crops.

Of each simulated camera some crops are shown and the others are asked for. On the shown ones the
level against intensity and the numbers of the maps are fitted as for a profile
(:mod:`noisegen.noise.content`); on the others the noise must then be likely. The gradient goes
through the regression, so the network learns maps that few crops suffice for, and nothing of any
one camera.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from noisegen.model.config import ACTIVITY_NODES, ContentConfig
from noisegen.model.content_network import ContentNetwork
from noisegen.model.surroundings import Surroundings
from noisegen.noise.arrays import Bytes, Rng
from noisegen.training.crops import CropConfig, SimulatedCrops
from noisegen.training.loop import (
    OneNetworkTraining,
    TrainingStep,
    train_network,
    trained_network,
)

CHECKPOINT = "content.pt"
"""Its name in the folder of a run."""

CURVE, BEND = 16, 8
"""Nodes against intensity of the first curve, and of what the regression adds to it; they are even
in the square root of the intensity."""

POOLED = 60.0
"""Pixels that a node's neighbours weigh as much as."""

BORDER = 4
"""Pixels at a crop's border that are not looked at; the maps of others see the border too, as those
of a profile's windows do."""

CLIPPED = 0.012
"""Of white: noise so near to an end is left out, as clipping changes it."""

PULL = 300.0
"""Of what is no map: pixels that a change by a factor of e weighs as much as."""

FACTOR = 3.0
"""Natural logarithm of the largest factor on the variance."""

STEPS = 4
"""Scoring steps of the regression."""

OUTLIER, UNLIKELY = 20.0, 30.0
"""Square of the noise over its expected variance above which it counts no more, in the regression
and in the loss."""

ROUNDING = (1 / 255) ** 2 / 12
"""Variance of rounding to 8 bits."""

QUIETEST = 0.6 / 255
"""Standard deviation of a camera's noise that something can be learned from."""


@dataclass(frozen=True)
class ContentTraining(OneNetworkTraining):
    """Configuration of a training of the content network.

    Attributes:
        cameras: in a batch.
        given: share of those that are sets of real crops, where there are any.
        gray: share of the batches in which one channel stands for all.
        deep: share of the batches that are dimmed after rounding, as pictures of more bits are.
        pixels: of each camera that the regression looks at.
        model: sizes of the network.
    """

    rate: float = 2e-3
    cameras: int = 16
    given: float = 0.2
    gray: float = 0.15
    deep: float = 0.15
    pixels: int = 32768
    model: ContentConfig = field(default_factory=ContentConfig)
    drawn: CropConfig = field(
        default_factory=lambda: CropConfig(
            settings=32, scenes=8, held=32768, batches=16, exposures=16, black=0.0
        )
    )


def train_content(
    config: ContentTraining,
    pictures: Sequence[Bytes],
    given: Bytes | None,
    run: Path,
    device: torch.device,
    start: ContentNetwork | None = None,
) -> Generator[TrainingStep, None, None]:
    """Trains the content network; the same call again goes on from the checkpoint in ``run``.

    Args:
        config: of the training.
        pictures: clean, H×W×3, that cameras are simulated on.
        given: N×8×2×3×128×128, crops of one real camera each, noisy and clean, or None.
        run: folder of the checkpoint, which :func:`trained_content` reads.
        device: that trains and draws.
        start: trained before, to go on from.
    """
    torch.manual_seed(config.seed)
    real = torch.from_numpy(given).to(device) if given is not None else None

    def loss_of(network: ContentNetwork, drawn: SimulatedCrops, rng: Rng) -> Tensor:
        pairs = _batch(config, drawn, real, rng)
        shown = int(rng.integers(1, pairs.shape[1] - 2))
        unit = float(2 ** -rng.uniform(0, 6)) if rng.random() < config.deep else 1.0
        looked = int(rng.integers(2**31)), config.pixels
        return content_loss(network, pairs.float() / 255, shown, unit, looked)

    network = start or ContentNetwork(config.model)
    return train_network(network, config, pictures, run / CHECKPOINT, device, loss_of)


def trained_content(run: Path) -> tuple[ContentNetwork, dict[str, Any]]:
    """The averaged network of a run's checkpoint, and what a card says of its training."""
    return trained_network(run / CHECKPOINT, lambda sizes: ContentNetwork(ContentConfig(**sizes)))


def content_loss(
    network: ContentNetwork,
    pairs: Tensor,
    shown: int,
    unit: float = 1.0,
    looked: tuple[int, int] = (0, 32768),
) -> Tensor:
    """Gaussian negative log-likelihood of noise on crops that the regression has not seen.

    Args:
        network: trained.
        pairs: B×S×2×3×h×w in [0, 1], noisy and clean crops of B cameras, as rounded to 8 bits.
        shown: first crops of each, that its level and its numbers are fitted to.
        unit: what white counts as, at most 1: pictures of more bits, exposed less.
        looked: seed and number of the pixels that the regression looks at.

    Returns:
        A scalar; constant terms are left out.
    """
    noisy, clean = pairs.unbind(2)
    seen = _looked_at(clean)
    loud = ((noisy - clean) ** 2 * seen).sum((1, 2, 3, 4)) / seen.sum((1, 2, 3, 4)).clamp(min=1)
    mean, variance = _curves(clean[:, :shown], (noisy - clean)[:, :shown], seen[:, :shown])
    square = (noisy - clean - _read(mean, clean)).square() * unit**2
    expected = (_read(variance, clean) + ROUNDING) * unit**2
    design = _design(network, clean, expected.sqrt(), unit)
    numbers = _regressed(network, design, square / expected, seen, shown, looked)
    asked = slice(shown, None)
    factor = torch.einsum("bschwk,bck->bschw", design[:, asked], numbers).clamp(-FACTOR, FACTOR)
    beside = (square / expected)[:, asked] * (-factor).exp()
    cost = 0.5 * (beside.clamp(max=UNLIKELY) + factor) * seen[:, asked]
    each = cost.sum((1, 2, 3, 4)) / seen[:, asked].sum((1, 2, 3, 4)).clamp(min=1)
    return (each * (loud > QUIETEST**2)).mean()


def _batch(config: ContentTraining, drawn: SimulatedCrops, real: Tensor | None, rng: Rng) -> Tensor:
    """Draws a batch, B×S×2×3×128×128 uint8."""
    count = round(config.given * config.cameras) if real is not None else 0
    pairs = drawn.cameras(config.cameras - count)
    if real is not None and count:
        index = torch.from_numpy(rng.integers(len(real), size=count)).to(real.device)
        scenes = torch.from_numpy(rng.permutation(real.shape[1])[: pairs.shape[1]])
        pairs = torch.cat([pairs, real[index][:, scenes.to(real.device)]])
    if rng.random() < config.gray:
        channel = int(rng.integers(3))
        pairs = pairs[:, :, :, channel : channel + 1].expand_as(pairs)
    return pairs


def _looked_at(clean: Tensor) -> Tensor:
    """Mask of where noise is looked at, B×S×3×h×w: 1, else 0."""
    seen = ((clean > CLIPPED) & (clean < 1 - CLIPPED)).float()
    inner = torch.zeros_like(seen)
    inner[..., BORDER:-BORDER, BORDER:-BORDER] = 1
    return seen * inner


@torch.no_grad()
def _curves(clean: Tensor, noise: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance against intensity, B×3×CURVE, of B×S×3×h×w."""
    mean = _binned(clean, noise, seen)
    square = (noise - _read(mean, clean)).square()
    overall = (square * seen).sum((1, 3, 4)) / seen.sum((1, 3, 4)).clamp(min=1)
    square = torch.minimum(square, 25 * overall[:, None, :, None, None])
    return mean, _binned(clean, square, seen).clamp(min=(0.15 / 255) ** 2)


def _binned(clean: Tensor, values: Tensor, seen: Tensor) -> Tensor:
    """Means of values at CURVE intensities, those of few pixels pooled with their neighbours'."""
    hats = _hats(clean, CURVE) * seen[..., None]
    total = torch.einsum("bschwk,bschw->bck", hats, values)
    count = hats.sum((1, 3, 4))
    everywhere = total.sum(-1, keepdim=True) / count.sum(-1, keepdim=True).clamp(min=1)
    for _ in range(4):
        beside = [F.pad(x, (1, 1)).unfold(-1, 3, 1)[..., ::2].sum(-1) for x in (total, count)]
        reached = POOLED * (beside[1] > 1)
        total = total + reached * beside[0] / beside[1].clamp(min=1e-3)
        count = count + reached
    return (total + everywhere) / (count + 1)


def _read(curve: Tensor, clean: Tensor) -> Tensor:
    """Values of curves, B×3×CURVE, at intensities, B×S×3×h×w."""
    place = _place(clean, CURVE)
    lower = place.floor().clamp(max=CURVE - 2)
    flat = lower.long().transpose(1, 2).flatten(2)
    low, high = (
        curve.gather(-1, index).view_as(lower.transpose(1, 2)).transpose(1, 2)
        for index in (flat, flat + 1)
    )
    return low + (place - lower) * (high - low)


def _design(network: ContentNetwork, clean: Tensor, level: Tensor, unit: float) -> Tensor:
    """Columns of the regression, B×S×3×h×w×(BEND + ACTIVITY_NODES + 2 + K)."""
    dimmed = (clean * unit).flatten(0, 1)
    around = Surroundings.of(dimmed)
    with torch.autocast(clean.device.type, torch.bfloat16, enabled=clean.is_cuda):
        maps = network(dimmed, around, level.flatten(0, 1)).float().movedim(2, -1)
    position = around.position.clamp(0, ACTIVITY_NODES - 1)
    activity = _triangles(position, ACTIVITY_NODES).expand(-1, 3, -1, -1, -1)
    colours = torch.stack([3 * (dimmed.roll(-turn, 1) - dimmed) for turn in (1, 2)], -1)
    columns = [_hats(clean.flatten(0, 1), BEND), activity, colours, maps]
    design: Tensor = torch.cat(columns, -1).unflatten(0, clean.shape[:2])
    return design


def _regressed(
    network: ContentNetwork,
    design: Tensor,
    ratio: Tensor,
    seen: Tensor,
    shown: int,
    looked: tuple[int, int],
) -> Tensor:
    """Coefficients of each camera's channels, B×3×K, by gamma regression on its shown crops."""
    columns, ratio, seen = (
        x[:, :shown].transpose(1, 2).flatten(2, 4).flatten(0, 1) for x in (design, ratio, seen)
    )
    fixed = torch.full((columns.shape[-1] - len(network.log_pull),), PULL, device=columns.device)
    pull = torch.cat([fixed, network.log_pull.exp()])
    seed, most = looked
    if columns.shape[1] > most:
        generator = torch.Generator().manual_seed(seed)
        index = torch.randint(columns.shape[1], (most,), generator=generator).to(columns.device)
        pull = pull * (most / columns.shape[1])
        columns, ratio, seen = columns[:, index], ratio[:, index], seen[:, index]
    weighted = columns * seen[..., None]
    information = torch.einsum("npi,npj->nij", weighted, columns) + torch.diag(pull)
    # In double precision: maps that hardly differ make it nearly singular.
    root = torch.linalg.cholesky(information.double())
    numbers = columns.new_zeros(len(columns), columns.shape[-1])
    for _ in range(STEPS):
        factor = torch.einsum("npk,nk->np", columns, numbers).clamp(-FACTOR, FACTOR)
        missed = (ratio * (-factor).exp()).clamp(max=OUTLIER) - 1
        score = torch.einsum("npk,np->nk", weighted, missed) - pull * numbers
        step = torch.cholesky_solve(score.double()[..., None], root)[..., 0]
        numbers = numbers + step.to(numbers.dtype)
    result: Tensor = numbers.unflatten(0, (-1, 3))
    return result


def _place(clean: Tensor, nodes: int) -> Tensor:
    return clean.clamp(0, 1).sqrt() * (nodes - 1)


def _hats(clean: Tensor, nodes: int) -> Tensor:
    return _triangles(_place(clean, nodes), nodes)


def _triangles(position: Tensor, nodes: int) -> Tensor:
    """Each position's share of the nodes beside it, in a last axis."""
    return (1 - (position[..., None] - torch.arange(nodes, device=position.device)).abs()).clamp(0)
