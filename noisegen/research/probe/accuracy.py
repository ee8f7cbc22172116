"""How often votes of other scenes' crops tell a crop's label, beside what chance tells.

A crop is never told by crops of its own scene. Votes do not depend on labels, so that the same
votes tell camera, ISO and shuffled labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import confusion_matrix, pairwise_distances_argmin

from noisegen.errors import UsageError
from noisegen.evaluation.protocol import PROTOCOL_SEED
from noisegen.evaluation.told_apart import bootstrap_interval
from noisegen.noise.arrays import Doubles

PENALTY = 0.1
"""Of the linear probe, in units of a crop's mean squared feature; the same for all features."""

Probe = Callable[[Doubles, Doubles], Doubles]
"""Features of those that vote, N×D, and of those that are asked, M×D → votes, M×N."""


def votes(vectors: Doubles, scenes: Sequence[str] | NDArray[np.str_], probe: Probe) -> Doubles:
    """Weights with which each crop votes on each other one's label.

    Args:
        vectors: N×D; each feature is scaled by its mean and deviation over the crops that vote.
        scenes: N; all crops of a scene are asked at once, and do not vote then.
        probe: that decides.

    Returns:
        N×N, row by row for the crop that is asked; 0 within a scene.
    """
    of_scene = np.asarray(scenes)
    found = np.zeros((len(vectors), len(vectors)))
    for scene in sorted(set(scenes)):
        asked = of_scene == scene
        known = vectors[~asked]
        mean, deviation = known.mean(0), known.std(0)
        # What does not vary among those that vote says nothing, and must not count for much.
        scale = np.where(deviation > 1e-9, deviation, np.inf)
        found[np.ix_(asked, ~asked)] = probe(
            (known - mean) / scale, (vectors[asked] - mean) / scale
        )
    return found


def nearest(known: Doubles, asked: Doubles) -> Doubles:
    """Gives the one vote to the nearest by Euclidean distance."""
    won = np.zeros((len(asked), len(known)))
    won[np.arange(len(asked)), pairwise_distances_argmin(asked, known)] = 1
    return won


def linear(known: Doubles, asked: Doubles) -> Doubles:
    """Regresses the labels' indicators by ridge: all vote, by the features' inner products."""
    width = known.shape[1] ** 0.5
    ridge = KernelRidge(alpha=PENALTY).fit(known / width, np.eye(len(known)))
    weight: Doubles = ridge.predict(asked / width)
    # The features have no mean; that of the labels is the regression's intercept.
    with_mean: Doubles = weight + (1 - weight.sum(1, keepdims=True)) / len(known)
    return with_mean


PROBES: dict[str, Probe] = {"nearest neighbour": nearest, "linear": linear}


Flags = NDArray[np.bool_]

SHUFFLES = 200
"""How often the labels are dealt anew to the scenes, at random."""


@dataclass(frozen=True)
class Told:
    """Share of right answers of one probe, the mean over scenes.

    Attributes:
        accuracy: over the scenes that were asked about.
        low: lower end of its 95 % interval, by bootstrap over scenes.
        high: its upper end.
        shuffled: mean accuracy where the scenes' labels are dealt at random.
        shuffled_high: what 95 of 100 such deals stay below.
    """

    accuracy: float
    low: float
    high: float
    shuffled: float
    shuffled_high: float


@dataclass(frozen=True, eq=False)
class Labels:
    """A question: the label of every crop.

    Attributes:
        names: L, in reading order.
        index: N, of each crop's label among them.
        scenes: N, of each crop.
        asked: N; False where a label has one scene alone, which nothing else can tell.
    """

    names: tuple[str, ...]
    index: NDArray[np.intp]
    scenes: NDArray[np.str_]
    asked: Flags

    @property
    def scene_counts(self) -> dict[str, int]:
        """Scenes of each label."""
        return {
            name: len(set(self.scenes[self.index == place]))
            for place, name in enumerate(self.names)
        }

    @property
    def majority(self) -> float:
        """Share of right answers by always naming the label of most scenes."""
        counts = {name: count for name, count in self.scene_counts.items() if count > 1}
        return max(counts.values()) / sum(counts.values())


def labels_of(question: str, labels: Sequence[str], scenes: Sequence[str]) -> Labels:
    """Makes a question of crops' labels.

    Args:
        question: for the message.
        labels: N.
        scenes: N; a scene may have several labels, as of several cameras.

    Raises:
        UsageError: there is nothing to tell apart.
    """
    names = tuple(sorted(set(labels), key=_reading_order))
    index = np.array([names.index(label) for label in labels], np.intp)
    of_scene = np.array(scenes)
    alone = [len(set(of_scene[index == place])) < 2 for place in range(len(names))]
    if alone.count(False) < 2:
        scenes_of = Labels(names, index, of_scene, np.empty(0, bool)).scene_counts
        raise UsageError(
            f"{question}: to be told apart, two must have shots of two scenes each; "
            f"found scenes of {', '.join(f'{name}: {n}' for name, n in scenes_of.items())}"
        )
    return Labels(names, index, of_scene, ~np.array(alone)[index])


def told(votes: Doubles, labels: Labels) -> Told:
    """Accuracy with its interval, and with shuffled labels.

    Args:
        votes: N×N, of the probe.
        labels: N.
    """
    right = _right_by_scene(votes, labels.index, labels)
    shuffled = [float(_right_by_scene(votes, index, labels).mean()) for index in _shuffles(labels)]
    high = float(np.quantile(shuffled, 0.95))
    low, up = bootstrap_interval(right, [str(scene) for scene in range(len(right))])
    return Told(float(right.mean()), low, up, float(np.mean(shuffled)), high)


def answers(votes: Doubles, index: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Label of most votes for each crop, N."""
    chosen: NDArray[np.intp] = (votes @ np.eye(count)[index]).argmax(1)
    return chosen


def confusion(votes: Doubles, labels: Labels) -> Doubles:
    """Share of a label's crops (row) that were told to be another's (column), L×L."""
    told = answers(votes, labels.index, len(labels.names))
    shares: Doubles = confusion_matrix(labels.index, told, normalize="true")
    return shares


def _right_by_scene(votes: Doubles, index: NDArray[np.intp], labels: Labels) -> Doubles:
    """Share of right answers in each scene that is asked about."""
    right = answers(votes, index, len(labels.names)) == index
    asked = sorted(set(labels.scenes[labels.asked]))
    return np.array([right[labels.asked & (labels.scenes == scene)].mean() for scene in asked])


def _shuffles(labels: Labels) -> Iterator[NDArray[np.intp]]:
    """Deals the labels that are asked about anew; crops of one scene and label keep sharing one."""
    pairs = zip(labels.scenes[labels.asked], labels.index[labels.asked], strict=True)
    groups = [f"{scene}\n{label}" for scene, label in pairs]
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    of_groups = labels.index[labels.asked][first]
    rng = np.random.default_rng(PROTOCOL_SEED)
    for _ in range(SHUFFLES):
        dealt = labels.index.copy()
        dealt[labels.asked] = rng.permutation(of_groups)[group]
        yield dealt


def _reading_order(label: str) -> tuple[float, str]:
    """Key that sorts numbers by size, and before words."""
    try:
        return float(label), label
    except ValueError:
        return float("inf"), label
