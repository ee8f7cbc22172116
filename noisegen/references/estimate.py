"""A noisy picture alone → windows with an estimated clean, and a residual that is made up for it.

A denoiser's residual lacks what the denoiser took for picture. For the mean of all pictures that
would look so noisy, x̂ = E[x | y], the residual's variance is σ² less the squared error that is left
(E[(y − x̂)²] = σ² − E[(x − x̂)²], as the two are orthogonal), and the denoiser says how large that
error is: added back, σ is right on average. Where the error is large the grain is still the
denoiser's, so of similar brightness only windows with the smaller ones are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from noisegen.errors import BadReferenceError
from noisegen.model.denoiser import Denoiser
from noisegen.model.weights import load_weights
from noisegen.references.denoise import denoised_blocks
from noisegen.references.windows import Windows, cut

Floats = NDArray[np.float32]

KEPT = 0.5
"""Share of the windows of similar brightness that is kept."""

NEIGHBOURS = 64
"""Windows of similar brightness that a window is compared with."""

LOUDEST = 3.0
"""A window of more than so many times the variance of the quiet ones of similar brightness is
texture that passes for noise, unless the picture itself is lively there: cameras that denoise
leave more noise on detail."""

LIVELY = 1.5
"""Standard deviation of a lively window's clean estimate, in those of its residual."""

QUIET = 0.1
"""Quantile of the variances of similar brightness that counts as quiet."""

NEARBY = 7
"""Side of the surroundings that a pixel's residual is made up for by, in pixels."""

LARGEST_CLIPPED = 0.1
"""Share of pixels at black or white from which a window is left out."""


def blind_windows(
    noisy: Floats, name: str, step: float = 0.0, denoiser: Denoiser | None = None
) -> Windows:
    """Windows of a noisy picture with an estimated clean.

    Args:
        noisy: H×W×C in units of the white level, at most 1.
        name: of the reference, for the error.
        step: of its quantisation, in units of the white level; 0 for none.
        denoiser: that estimates the clean; the shipped one where not given.

    Raises:
        BadReferenceError: every window is clipped.
    """
    return made_up_windows(estimated_windows(noisy, denoiser or shipped_denoiser()), name, step)


def made_up_windows(estimated: EstimatedWindows, name: str, step: float = 0.0) -> Windows:
    """The windows to measure of a denoised picture; arguments and errors as of all of it."""
    # Floats may go below black: there nothing is clipped.
    clipped = ((estimated.noisy == 0) | (estimated.noisy >= 1)).mean((1, 2, 3))
    estimated = estimated.where(clipped <= LARGEST_CLIPPED)
    if len(estimated.noisy) == 0:
        raise BadReferenceError(
            f"{name}: black or saturated everywhere, so its noise cannot be seen; use another shot"
        )
    estimated = estimated.where(surest(estimated))
    residual = estimated.residual * estimated.made_up()
    return Windows(residual, estimated.clean.clip(0, 1), True, step)


@cache
def shipped_denoiser() -> Denoiser:
    """That of the shipped ``base`` weights."""
    return load_weights().denoiser


@dataclass(frozen=True)
class EstimatedWindows:
    """Windows of a denoised picture.

    Attributes:
        noisy: N×C×32×32 in units of the white level.
        clean: its estimate.
        squared_error: N×C×32×32, to expect of the estimate.
    """

    noisy: Floats
    clean: Floats
    squared_error: Floats

    @property
    def residual(self) -> Floats:
        """The plain residual."""
        return self.noisy - self.clean

    @property
    def power(self) -> Floats:
        """N, mean square of the plain residual."""
        power: Floats = np.maximum((self.residual**2).mean((1, 2, 3)), 1e-12)
        return power

    @property
    def error(self) -> Floats:
        """N, mean squared error to expect."""
        error: Floats = self.squared_error.mean((1, 2, 3))
        return error

    def made_up(self) -> Floats:
        """N×1×32×32, what the residual is multiplied by to have the noise's variance.

        Edges and the even places between them differ in what the denoiser takes, so both are looked
        at nearby; half of the power is the whole window's, because that of few pixels is unsure.
        """
        here = 0.5 * nearby(self.residual**2) + 0.5 * self.power[:, None, None, None]
        factor: Floats = np.sqrt(1 + nearby(self.squared_error) / here)
        return factor

    def where(self, index: NDArray[np.bool_]) -> EstimatedWindows:
        """Some of the windows."""
        return EstimatedWindows(self.noisy[index], self.clean[index], self.squared_error[index])


def estimated_windows(noisy: Floats, denoiser: Denoiser) -> EstimatedWindows:
    """All windows of what the denoiser looks at."""
    blocks = denoised_blocks(noisy, denoiser)
    return EstimatedWindows(
        np.concatenate([cut(block.noisy) for block in blocks]),
        np.concatenate([cut(block.clean) for block in blocks]),
        np.concatenate([cut(block.error) for block in blocks]),
    )


def nearby(values: Floats) -> Floats:
    """N×C×32×32 → N×1×32×32: mean over the channels and 7×7 pixels of the window."""
    planes = torch.from_numpy(values.mean(1, keepdims=True))
    reach = NEARBY // 2
    mean: Floats = F.avg_pool2d(planes, NEARBY, 1, reach, count_include_pad=False).numpy()
    return mean


def surest(windows: EstimatedWindows) -> NDArray[np.bool_]:
    """Windows whose expected error is among the smallest of similar brightness, to their noise.

    Texture as white as noise cannot be told from it within a window, but beside others it is loud.
    """
    total = windows.power + windows.error
    order = np.argsort(windows.clean.mean((1, 2, 3)), kind="stable")
    share, variance = (windows.error / total)[order], total[order]
    detail = windows.clean.std((2, 3)).mean(1)
    lively = (detail >= LIVELY * np.sqrt(windows.power))[order]
    half = min(NEIGHBOURS, len(order)) // 2
    sure = np.zeros(len(order), dtype=bool)
    for rank, place in enumerate(order):
        start = max(0, min(rank - half, len(order) - 2 * half))
        near = slice(start, start + max(2 * half, 1))
        quiet = variance[near] <= LOUDEST * np.quantile(variance[near], QUIET)
        telling = quiet | lively[near]
        limit = np.quantile(share[near][telling], KEPT)
        sure[place] = telling[rank - start] and share[rank] <= limit
    return sure
