"""Training of the denoiser that estimates the clean of references that have none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from noisegen.model.denoiser import CleanEstimate, Denoiser
from noisegen.training.bank import TARGET, Source, batches

SMALLEST_ERROR = 0.3 / 255
"""Standard deviation that no estimate is asked to be better than: cleans are rounded too."""

SETS = 48
"""Held-out targets that are tried."""


@dataclass(frozen=True)
class DenoiserValidation:
    """How well held-out targets are denoised.

    Attributes:
        psnr: mean of the full branch's, dB.
        blind_psnr: of the blind branch's.
        sigma: mean absolute error of the noise's standard deviation, relative, by the residual
            less nothing: what the plain residual gives.
        corrected_sigma: the same with the error that the denoiser expects of itself added.
    """

    psnr: float
    blind_psnr: float
    sigma: float
    corrected_sigma: float

    def __str__(self) -> str:
        return (
            f"denoiser PSNR {self.psnr:.2f} dB (blind branch {self.blind_psnr:.2f}), σ off by "
            f"{100 * self.sigma:.1f} % plain, {100 * self.corrected_sigma:.1f} % corrected"
        )


def denoiser_loss(denoiser: Denoiser, noisy: Tensor, clean: Tensor, spot: int) -> Tensor:
    """Gaussian negative log-likelihood of the clean by both branches; a scalar.

    It weighs a picture's errors relative to its own noise, so that quiet cameras count as much
    as loud ones.

    Args:
        denoiser: trained.
        noisy: B×3×H×W in [0, 1].
        clean: the same shape.
        spot: half width of the blind spot, in cells.
    """
    with torch.autocast(noisy.device.type, torch.bfloat16):
        full, blind = denoiser(noisy, spot)
    return _likelihood(full, clean) + _likelihood(blind, clean)


def _likelihood(estimate: CleanEstimate, clean: Tensor) -> Tensor:
    variance = estimate.log_variance.float().clamp(-14, 2).exp() + SMALLEST_ERROR**2
    error = (estimate.clean.float() - clean).square()
    return 0.5 * (error / variance + variance.log()).mean()


@torch.no_grad()
def validate_denoiser(
    denoiser: Denoiser, sources: Sequence[Source], device: torch.device
) -> DenoiserValidation:
    """Always the same targets; see :class:`DenoiserValidation`."""
    batch = next(batches(sources, SETS, 1, TARGET, np.random.default_rng(0)))
    rows = []
    for noisy, clean in zip(batch.noisy.to(device), batch.clean.to(device), strict=True):
        full, blind = denoiser(noisy[None], denoiser.config.spot)
        errors = [float((e.clean[0] - clean).square().mean()) for e in (full, blind)]
        psnrs = [-10 * np.log10(max(error, 1e-12)) for error in errors]
        truth = float((noisy - clean).square().mean())
        plain = float((noisy - full.clean[0]).square().mean())
        expected = float(full.log_variance.exp().mean())
        sigmas = [abs((x / truth) ** 0.5 - 1) for x in (plain, plain + expected)]
        rows.append([*psnrs, *sigmas])
    return DenoiserValidation(*np.mean(rows, 0).tolist())
