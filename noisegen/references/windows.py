"""References cut into 32×32 windows, on the 8×8 grid of the picture's corner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisegen.model.config import WINDOW

Floats = NDArray[np.float32]

GRADIENT_CORRELATIONS = (0.08, 0.12, 0.2)
"""Largest correlations of a registered window's residual with the clean's gradients, from strict
to lenient. White noise stays below the first in 97 of 100 windows, grainy noise in two of three;
either below the last in all but one of a thousand."""

SMALLEST_REGISTERED_SHARE = 0.1
"""The strictest limit that leaves this share of the windows is taken, or the pair as it is."""


@dataclass(frozen=True)
class Windows:
    """Windows of one or more references.

    Attributes:
        residual: N×C×32×32 float32, noisy − clean in units of the white level.
        clean: N×C×32×32 float32, in [0, 1].
        estimated: the clean was estimated from the noisy picture alone.
        step: of the noisy picture's quantisation, in units of the white level; 0 for none.
    """

    residual: Floats
    clean: Floats
    estimated: bool
    step: float = 0.0

    def __len__(self) -> int:
        return len(self.residual)

    def take(self, count: int) -> Windows:
        """At most ``count`` windows, evenly spread."""
        if len(self) <= count:
            return self
        return self.where(np.linspace(0, len(self) - 1, count).round().astype(int))

    def where(self, index: NDArray[np.integer[Any]] | NDArray[np.bool_]) -> Windows:
        """The windows of an index or mask."""
        return replace(self, residual=self.residual[index], clean=self.clean[index])


def cut(image: Floats) -> Floats:
    """H×W×C → N×C×32×32: every whole window of the picture, in reading order."""
    height, width, channels = image.shape
    rows, columns = height // WINDOW, width // WINDOW
    trimmed = image[: rows * WINDOW, : columns * WINDOW]
    split = trimmed.reshape(rows, WINDOW, columns, WINDOW, channels).transpose(0, 2, 4, 1, 3)
    return np.ascontiguousarray(split.reshape(-1, channels, WINDOW, WINDOW))


def paired_windows(noisy: Floats, clean: Floats, step: float = 0.0) -> Windows:
    """Windows of a reference with its clean, both H×W×C in units of the white level.

    Windows whose residual follows the clean's gradient (a shift between the two) are left out,
    as strictly as the pair allows: their misplaced edges would count as noise.
    """
    windows = all_windows(noisy, clean, step)
    kept, _ = registered(follow_gradient(windows.residual, windows.clean))
    return windows.where(kept)


def all_windows(noisy: Floats, clean: Floats, step: float = 0.0) -> Windows:
    """Windows of a reference with its clean, both H×W×C in units of the white level."""
    return Windows(cut(noisy - clean), cut(clean), False, step)


def registered(followed: Floats) -> tuple[NDArray[np.bool_], float]:
    """Windows to keep, and the limit that they keep to, by :func:`follow_gradient`.

    As strictly as the pair allows; all of them, and a limit of 1, where hardly any is registered.
    """
    for limit in GRADIENT_CORRELATIONS:
        kept = followed <= limit
        if kept.mean() >= SMALLEST_REGISTERED_SHARE:
            return kept, limit
    return np.ones(len(followed), bool), 1.0


def follow_by_chance(windows: Windows) -> Floats:
    """What :func:`follow_gradient` says of residuals beside other windows' clean."""
    return follow_gradient(windows.residual, np.roll(windows.clean, 1, 0))


def follow_gradient(residual: Floats, clean: Floats) -> Floats:
    """Largest absolute correlation of each gray residual with the clean's two gradients.

    Args:
        residual: N×C×h×w.
        clean: N×C×h×w.

    Returns:
        N values in [0, 1]: near 0 for noise, larger where the two pictures are shifted.
    """
    gray = clean.mean(1)
    across = gray[:, 1:-1, 2:] - gray[:, 1:-1, :-2]
    down = gray[:, 2:, 1:-1] - gray[:, :-2, 1:-1]
    inner = residual.mean(1)[:, 1:-1, 1:-1]
    return np.maximum(_correlate(inner, across), _correlate(inner, down))


def _correlate(a: Floats, b: Floats) -> Floats:
    a = a - a.mean((1, 2), keepdims=True)
    b = b - b.mean((1, 2), keepdims=True)
    norm = np.sqrt((a**2).sum((1, 2)) * (b**2).sum((1, 2)))
    correlation: Floats = np.abs((a * b).sum((1, 2))) / np.maximum(norm, 1e-12)
    return correlation


def join(parts: Sequence[Windows]) -> Windows:
    """All windows of several references; estimated if any of them is."""
    return Windows(
        np.concatenate([part.residual for part in parts]),
        np.concatenate([part.clean for part in parts]),
        any(part.estimated for part in parts),
        max(part.step for part in parts),
    )
