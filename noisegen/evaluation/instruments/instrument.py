"""What an instrument is: a scene that it looks at, and how it takes a shot of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Pixels = NDArray[Any]
Rng = np.random.Generator


class Process(Protocol):
    """How a scene becomes pixels; a scene is H×W×C in the process's own unit of light."""

    def shoot(self, scene: Doubles, rng: Rng) -> Pixels:
        """One noisy shot, H×W×C as the file holds it."""

    def clean(self, scene: Doubles) -> Pixels:
        """The same without noise, rounded to the file's type only, not to coarser steps."""


def anything(noisy: Pixels) -> NDArray[np.bool_]:
    """Every value of the file's type."""
    return np.ones(noisy.shape, bool)


@dataclass(frozen=True)
class Instrument:
    """An instrument with a way to draw what it looks at.

    Attributes:
        name: of the instrument.
        process: its physics.
        scene: seed and side in pixels → scene.
        white_level: of its files.
        step: between neighbouring values of its files.
        possible: noisy pixels, H×W×C → where it could have given them.
    """

    name: str
    process: Process
    scene: Callable[[int, int], Doubles]
    white_level: float = 255.0
    step: float = 1.0
    possible: Callable[[Pixels], NDArray[np.bool_]] = anything
