"""The whole probe: described crops → accuracy of every question, and a map of the prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from noisegen.errors import UsageError
from noisegen.research.probe.accuracy import PROBES, Labels, Told, confusion, labels_of, told, votes
from noisegen.research.probe.describe import QUESTIONS, VECTORS, DescribedCrop, LabelledShot

Doubles = NDArray[np.float64]

PROMPT, _, STRENGTH, _ = VECTORS
SHOWN_PROBE = "linear"
"""Whose answers are shown one by one."""

NO_LABEL = "no shot has a camera or an ISO; name them"


@dataclass(frozen=True, eq=False)
class Answered:
    """One question.

    Attributes:
        name: ``camera`` or ``iso``.
        labels: of the crops that have one.
        crops: N, which crops those are.
        told: by vector and probe.
        confusion: L×L, of the prompt by ``SHOWN_PROBE``: share of a row's crops told as a column's.
    """

    name: str
    labels: Labels
    crops: NDArray[np.intp]
    told: dict[str, dict[str, Told]]
    confusion: Doubles


@dataclass(frozen=True, eq=False)
class Probed:
    """What was found.

    Attributes:
        crops: how many there are.
        scenes: that they show.
        answered: one or two questions.
        doubts: why others were not asked, in words.
        places: N×2, the prompts' first two principal components.
        shares: of the prompts' variance along each of the two.
    """

    crops: int
    scenes: int
    answered: tuple[Answered, ...]
    doubts: tuple[str, ...]
    places: Doubles
    shares: tuple[float, float]


def check_questions(shots: Sequence[LabelledShot]) -> None:
    """Whether there is anything to tell apart: before the shots are read, which takes a while.

    Raises:
        UsageError: no camera and no ISO could be asked for, even if every shot can be used.
    """
    reasons = []
    for name in QUESTIONS:
        labelled = [shot for shot in shots if name in shot.labels]
        if not labelled:
            continue
        try:
            labels_of(name, [s.labels[name] for s in labelled], [s.scene for s in labelled])
        except UsageError as error:
            reasons.append(str(error))
        else:
            return
    raise UsageError(reasons[0] if reasons else NO_LABEL)


def probe(crops: Sequence[DescribedCrop]) -> Probed:
    """Asks for camera and ISO, as far as the crops are labelled.

    Raises:
        UsageError: gray and RGB shots together, or nothing to tell apart.
    """
    first = crops[0]
    for crop in crops:
        if len(crop.vectors[STRENGTH]) != len(first.vectors[STRENGTH]):
            raise UsageError(
                f"{crop.shot.name}: not of as many channels as {first.shot.name}; probe gray and "
                "RGB shots one after the other"
            )
    answered, doubts = [], []
    for name in QUESTIONS:
        if not _labelled(name, crops).size:
            continue
        try:
            answered.append(_answer(name, crops))
        except UsageError as error:
            doubts.append(str(error))
    if not answered:
        raise UsageError(doubts[0] if doubts else NO_LABEL)
    places, shares = principal_components(np.stack([crop.vectors[PROMPT] for crop in crops]))
    scenes = len({crop.shot.scene for crop in crops})
    return Probed(len(crops), scenes, tuple(answered), tuple(doubts), places, shares)


def principal_components(vectors: Doubles) -> tuple[Doubles, tuple[float, float]]:
    """Places along the two directions of most variance, all features scaled alike.

    Args:
        vectors: N×D.

    Returns:
        N×2, and the share of the variance along each. Of either sign, that one is taken that makes
        the largest loading positive.
    """
    deviation = vectors.std(0)
    scaled = (vectors - vectors.mean(0)) / np.where(deviation > 1e-9, deviation, np.inf)
    found = PCA(2, svd_solver="full").fit(scaled)
    first, second = found.explained_variance_ratio_
    return found.transform(scaled), (float(first), float(second))


def _labelled(name: str, crops: Sequence[DescribedCrop]) -> NDArray[np.intp]:
    return np.flatnonzero([name in crop.shot.labels for crop in crops])


def _answer(name: str, crops: Sequence[DescribedCrop]) -> Answered:
    index = _labelled(name, crops)
    chosen = [crops[place] for place in index]
    scenes = [crop.shot.scene for crop in chosen]
    labels = labels_of(name, [crop.shot.labels[name] for crop in chosen], scenes)
    by_vector: dict[str, dict[str, Told]] = {}
    shares = np.empty(0)
    for vector in VECTORS:
        by_vector[vector] = {}
        for kind, way in PROBES.items():
            cast = votes(np.stack([crop.vectors[vector] for crop in chosen]), scenes, way)
            by_vector[vector][kind] = told(cast, labels)
            if (vector, kind) == (PROMPT, SHOWN_PROBE):
                shares = confusion(cast, labels)
    return Answered(name, labels, index, by_vector, shares)
