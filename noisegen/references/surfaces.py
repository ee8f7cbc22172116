"""Smooth surfaces fitted to windows: which windows of a noisy picture alone look flat.

A smooth surface fitted to a flat window takes only its few degrees of freedom. Windows that look
textured for their brightness are not flat.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from noisegen.model.config import WINDOW
from noisegen.noise.arrays import Floats

ORDER = 4
"""The surface has ORDER × ORDER cosine terms: it follows shading, not grain."""

NEIGHBOURS = 64
"""Windows of similar brightness whose quietest set the noise floor at that brightness."""

FLOOR_QUANTILE = 0.05
TOLERANCE = 1.3
"""A window counts as flat up to this multiple of the floor's variance (sampling error)."""


def surface_basis() -> Floats:
    """ORDER×32 orthonormal cosines of lowest frequency."""
    position = (np.arange(WINDOW) + 0.5) / WINDOW
    basis = np.cos(np.pi * np.arange(ORDER)[:, None] * position[None])
    basis /= np.sqrt((basis**2).sum(1, keepdims=True))
    return basis.astype(np.float32)


def fit_surfaces(windows: Floats) -> Floats:
    """Least-squares smooth surface of each N×C×32×32 window."""
    projector = surface_basis().T @ surface_basis()
    return projector @ windows @ projector


def flat_windows(smooth: Floats, residual: Floats) -> NDArray[np.bool_]:
    """Windows whose residual is as quiet as the quietest of similar brightness."""
    brightness = smooth.mean((1, 2, 3))
    variance = (residual**2).mean((1, 2, 3))
    order = np.argsort(brightness, kind="stable")
    ranked = variance[order]
    half = min(NEIGHBOURS, len(ranked)) // 2
    floor = np.empty_like(ranked)
    for rank in range(len(ranked)):
        start = max(0, min(rank - half, len(ranked) - 2 * half))
        floor[rank] = np.quantile(ranked[start : start + max(2 * half, 1)], FLOOR_QUANTILE)
    flat = np.zeros(len(ranked), dtype=bool)
    flat[order] = ranked <= TOLERANCE * floor
    return flat
