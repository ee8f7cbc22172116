"""A clean estimate from a noisy picture alone: low-order fits in its flattest windows.

A denoiser's residual lacks what the denoiser mistook for picture, most where there is texture. A
smooth surface fitted to a flat window takes only its few degrees of freedom, and flat windows are
what a profile needs: they show strength against brightness, grain and colour. Windows that look
textured for their brightness are left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from noisegen.errors import BadReferenceError
from noisegen.model.config import WINDOW
from noisegen.references.windows import Windows, cut

Floats = NDArray[np.float32]

ORDER = 4
"""The surface has ORDER × ORDER cosine terms: it follows shading, not grain."""

NEIGHBOURS = 64
"""Windows of similar brightness whose quietest set the noise floor at that brightness."""

FLOOR_QUANTILE = 0.05
TOLERANCE = 1.3
"""A window counts as flat up to this multiple of the floor's variance (sampling error)."""

LARGEST_CLIPPED = 0.1
"""Share of pixels at black or white from which a window is left out."""


def blind_windows(noisy: Floats, name: str, step: float = 0.0) -> Windows:
    """Flat windows of a noisy picture with a smooth clean estimate.

    Args:
        noisy: H×W×C in units of the white level, at most 1.
        name: of the reference, for the error.
        step: of its quantisation, in units of the white level; 0 for none.

    Raises:
        BadReferenceError: every window is clipped.
    """
    windows = cut(noisy)
    # Floats may go below black: there nothing is clipped.
    clipped = ((windows == 0) | (windows >= 1)).mean((1, 2, 3))
    windows = windows[clipped <= LARGEST_CLIPPED]
    if len(windows) == 0:
        raise BadReferenceError(
            f"{name}: black or saturated everywhere, so its noise cannot be seen; use another shot"
        )
    smooth = fit_surfaces(windows)
    residual = (windows - smooth) * np.float32(lost_energy())
    flat = flat_windows(smooth, residual)
    return Windows(residual[flat], smooth[flat].clip(0, 1), True, step)


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


def lost_energy() -> float:
    """What the residual of white noise is multiplied by to undo the fit's degrees of freedom."""
    pixels = WINDOW * WINDOW
    return float(np.sqrt(pixels / (pixels - ORDER * ORDER)))


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
