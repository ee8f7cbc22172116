"""The whole probe: described crops → accuracy of every question, and a map of the prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from noisegen.errors import UsageError
from noisegen.noise.arrays import Doubles
from noisegen.research.probe.accuracy import PROBES, Labels, Told, confusion, labels_of, told, votes
from noisegen.research.probe.describe import QUESTIONS, VECTORS, DescribedCrop, LabelledShot

PROMPT, _, STRENGTH, _ = VECTORS
SHOWN_PROBE = "linear"
"""Whose answers are shown one by one."""

NO_LABEL = "no shot has a camera or an ISO; name them"


@dataclass(frozen=True, eq=False)
class Answered:
    """A question with its answers.

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
    """Findings of a probe.

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


def questions(
    shots: Sequence[LabelledShot],
) -> tuple[dict[str, tuple[NDArray[np.intp], Labels]], list[str]]:
    """Finds what can be asked of shots, each of which may stand there once a crop.

    Returns:
        ``camera`` and ``iso``, those that can be: which shots are labelled, and their labels; and
        why the others cannot be.

    Raises:
        UsageError: there is nothing to tell apart.
    """
    found, doubts = {}, []
    for name in QUESTIONS:
        index = np.flatnonzero([name in shot.labels for shot in shots])
        asked = [shot for shot in shots if name in shot.labels]
        if not asked:
            continue
        try:
            labels = labels_of(name, [s.labels[name] for s in asked], [s.scene for s in asked])
            found[name] = index, labels
        except UsageError as error:
            doubts.append(str(error))
    if not found:
        raise UsageError(doubts[0] if doubts else NO_LABEL)
    return found, doubts


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
    asked, doubts = questions([crop.shot for crop in crops])
    answered = tuple(_answer(name, crops, *of) for name, of in asked.items())
    places, shares = principal_components(np.stack([crop.vectors[PROMPT] for crop in crops]))
    scenes = len({crop.shot.scene for crop in crops})
    return Probed(len(crops), scenes, answered, tuple(doubts), places, shares)


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


def _answer(
    name: str, crops: Sequence[DescribedCrop], index: NDArray[np.intp], labels: Labels
) -> Answered:
    chosen = [crops[place] for place in index]
    cast = {
        vector: {
            kind: votes(np.stack([crop.vectors[vector] for crop in chosen]), labels.scenes, way)
            for kind, way in PROBES.items()
        }
        for vector in VECTORS
    }
    by_vector = {
        vector: {kind: told(of_kind, labels) for kind, of_kind in by_kind.items()}
        for vector, by_kind in cast.items()
    }
    return Answered(name, labels, index, by_vector, confusion(cast[PROMPT][SHOWN_PROBE], labels))
