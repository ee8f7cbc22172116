"""What the classifier that tells generated from real noise looks at: places and frequencies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from noisegen.evaluation.profile_view import radial_power
from noisegen.evaluation.side_by_side import SideBySide, evenly
from noisegen.evaluation.told_apart import DEFAULT, ClassifierConfig, classifiers, evidence
from noisegen.files import to_float
from noisegen.noise.arrays import Doubles, Floats
from noisegen.noise.windows import cut

SHOWN_ROWS = "noisegen", "classical"
"""Rows that are looked at, where a table has them."""

CROPS, SIDE = 4, 96
"""Crops that are shown, and the side of one in pixels."""

MOST = 64
"""Most pictures that the frequencies are a mean over."""


@dataclass(frozen=True, eq=False)
class LookedAt:
    """A crop that a classifier has not seen.

    Attributes:
        name: of the target.
        clean: h×w×C in [0, 1].
        noises: real and generated, 2×h×w×C in [−1, 1].
        evidence: of every place for "generated", 2×h'×w', in logits; its mean is the answer.
    """

    name: str
    clean: Floats
    noises: Floats
    evidence: Floats


@dataclass(frozen=True, eq=False)
class Looks:
    """What the classifier of one row looks at.

    Attributes:
        row: its name.
        crops: of pictures that it was not trained on.
        frequency: N, in cycles a pixel.
        power: N, of the answer's gradient; 1 where all frequencies count alike.
    """

    row: str
    crops: tuple[LookedAt, ...]
    frequency: Doubles
    power: Doubles


def looks_of(
    comparisons: Iterable[SideBySide], device: str = "cpu", config: ClassifierConfig = DEFAULT
) -> list[Looks]:
    """Trains a classifier for each of ``SHOWN_ROWS``, on all but one fold, and shows that fold.

    Args:
        comparisons: of one split, any number of rows.
        device: where the classifiers are trained.
        config: of the classifier.

    Raises:
        ValueError: all targets show one scene.
    """
    rows: dict[str, list[SideBySide]] = {}
    for one in comparisons:
        if one.row in SHOWN_ROWS:
            rows.setdefault(one.row, []).append(one)
    return [_looks(name, rows[name], device, config) for name in SHOWN_ROWS if name in rows]


def _looks(
    row: str, comparisons: Sequence[SideBySide], device: str, config: ClassifierConfig
) -> Looks:
    trained = next(classifiers(comparisons, config, device))
    network = trained.network.requires_grad_(False)
    crops, gradients = [], []
    for index in evenly(list(trained.asked), MOST):
        shown = comparisons[index]
        rows, columns = (_middle(side) for side in shown.real.shape[:2])
        noise = trained.asked[index][..., rows, columns].to(device).contiguous().requires_grad_()
        places = evidence(network, noise)
        (gradient,) = torch.autograd.grad(places.mean((1, 2)).sum(), noise)
        gradients += [cut(one) for one in gradient.permute(0, 2, 3, 1).cpu().numpy()]
        noises = np.stack([shown.real_noise, shown.fake_noise])[:, rows, columns]
        target = shown.target
        clean = to_float(target.clean[rows, columns], target.white_level)
        crops.append(LookedAt(target.name, clean, noises, places.detach().cpu().numpy()))
    return Looks(row, tuple(evenly(crops, CROPS)), *radial_power(np.concatenate(gradients)))


def _middle(side: int) -> slice:
    start = max(0, side - SIDE) // 2
    return slice(start, start + SIDE)
