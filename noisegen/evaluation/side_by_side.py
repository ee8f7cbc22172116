"""A real and a generated noisy picture side by side, and folds of them that share no scene."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from noisegen.evaluation.denoiser import Pair, for_denoiser
from noisegen.evaluation.protocol import PROTOCOL_SEED, Target
from noisegen.files import Pixels
from noisegen.noise.arrays import Floats

T = TypeVar("T")


@dataclass(frozen=True)
class SideBySide:
    """One target with the two noisy pictures that a row compares.

    Attributes:
        row: name of the table's line.
        target: holds the clean.
        real: H×W×C, the target's noisy picture; for a floor it may be a generated one.
        fake: the generated noisy picture, H×W×C of the same type.
        fake_clean: what the generated noise lies on, where that is not the target's clean.
        seconds: that fitting took, NaN but of a case's first target, and that drawing took.
    """

    row: str
    target: Target
    real: Pixels
    fake: Pixels
    fake_clean: Pixels | None = None
    seconds: tuple[float, float] = (math.nan, math.nan)

    @property
    def real_noise(self) -> Floats:
        """Noise of the real picture, H×W×C in [−1, 1]."""
        return noise_of(self.real, self.target.clean, self.target.white_level)

    @property
    def fake_noise(self) -> Floats:
        """Noise of the generated picture, H×W×C in [−1, 1]."""
        return noise_of(self.fake, self._under_fake, self.target.white_level)

    @property
    def real_pair(self) -> Pair:
        """The real picture and its clean as a denoiser takes them."""
        return for_denoiser(self.real, self.target.clean, self.target.white_level)

    @property
    def fake_pair(self) -> Pair:
        """The generated picture and its clean as a denoiser takes them."""
        return for_denoiser(self.fake, self._under_fake, self.target.white_level)

    @property
    def _under_fake(self) -> Pixels:
        return self.target.clean if self.fake_clean is None else self.fake_clean


def evenly(items: Sequence[T], most: int) -> list[T]:
    """Chooses at most so many items, evenly."""
    index = np.linspace(0, len(items) - 1, min(len(items), most)).round().astype(int)
    return [items[i] for i in index]


def noise_of(noisy: Pixels, clean: Pixels, white_level: float = 255) -> Floats:
    """Noise worked out of integers: a rounding of 1e-9 would move KLD's spike at 0 across an edge.

    Args:
        noisy: H×W×C uint8 or uint16.
        clean: the same.
        white_level: what 1 means.
    """
    difference = (noisy.astype(np.int32) - clean).astype(np.float32)
    return difference / np.float32(white_level)


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
