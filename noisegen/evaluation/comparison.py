"""A real and a generated noisy picture side by side, and folds of them that share no scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisegen.evaluation.protocol import PROTOCOL_SEED, Target

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Comparison:
    """One target with the two noisy pictures that a row compares.

    Attributes:
        row: name of the table's line.
        case: name of the case.
        target: holds the clean.
        real: H×W×C uint8, the target's noisy picture; for a floor it may be a generated one.
        fake: the generated noisy picture, H×W×C uint8.
    """

    row: str
    case: str
    target: Target
    real: Bytes
    fake: Bytes

    @property
    def real_noise(self) -> Floats:
        """Noise of the real picture, H×W×C in [−1, 1]."""
        return noise_of(self.real, self.target.clean)

    @property
    def fake_noise(self) -> Floats:
        """Noise of the generated picture, H×W×C in [−1, 1]."""
        return noise_of(self.fake, self.target.clean)


def noise_of(noisy: Bytes, clean: Bytes) -> Floats:
    """Noise from integers: a rounding of 1e-9 would move KLD's spike at 0 across a bin's edge."""
    difference = (noisy.astype(np.int16) - clean).astype(np.float32)
    return difference / np.float32(255)


def scene_folds(scenes: Sequence[str], count: int) -> list[list[int]]:
    """Deals items to folds so that all items of a scene fall into one fold.

    Args:
        scenes: the scene of each item.
        count: of folds; fewer where there are fewer scenes.

    Returns:
        The items' indices, fold by fold. The deal depends on the set of scenes alone.

    Raises:
        ValueError: all items show one scene.
    """
    names = sorted(set(scenes))
    if len(names) < 2:
        raise ValueError("to train on some scenes and test on others takes targets of two or more")
    count = min(count, len(names))
    order = np.random.default_rng(PROTOCOL_SEED).permutation(len(names))
    fold_of = {names[index]: place % count for place, index in enumerate(order)}
    return [
        [index for index, scene in enumerate(scenes) if fold_of[scene] == fold]
        for fold in range(count)
    ]
