"""How well the strength of a reference's noise is known without its clean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisegen.evaluation.protocol import Case
from noisegen.images import to_float
from noisegen.model.denoiser import Denoiser
from noisegen.references.create import Reference, Repair, measure_references
from noisegen.references.curves import intensity_position, read_curves
from noisegen.references.estimate import estimated_windows, made_up_windows
from noisegen.references.statistics import NoiseStatistics, measure
from noisegen.references.windows import Windows

Floats = NDArray[np.float32]

SHOWN = 1024
"""Windows of the reference whose intensities the strengths are averaged over."""


@dataclass(frozen=True)
class SigmaErrors:
    """Mean absolute relative errors of σ over references, 0 is perfect.

    Attributes:
        plain: by the denoiser's residual as it is, everywhere.
        corrected: as profiles are made.
        references: how many there were.
    """

    plain: float
    corrected: float
    references: int


def sigma_errors(cases: Iterable[Case], denoiser: Denoiser) -> SigmaErrors:
    """σ with and without the clean, both over the intensities that the reference shows.

    Args:
        cases: their references, 8 bits with clean, are looked at; each once.
        denoiser: that estimates the clean.
    """
    references = {case.reference.name: case.reference for case in cases}
    errors = [_errors(reference, denoiser) for reference in references.values()]
    plain, corrected = np.abs(errors).mean(0)
    return SigmaErrors(float(plain), float(corrected), len(errors))


def _errors(reference: Reference, denoiser: Denoiser) -> tuple[float, float]:
    paired = measure_references([reference], repair=Repair.MASK)
    noisy = reference.noisy if reference.noisy.ndim == 3 else reference.noisy[..., None]
    estimated = estimated_windows(to_float(noisy, paired.white_level), denoiser)
    step = paired.windows.step
    plain = Windows(estimated.residual, estimated.clean.clip(0, 1), True, step)
    corrected = made_up_windows(estimated, reference.name, step)
    shown = paired.windows.take(SHOWN).clean
    truth, *others = (
        _sigma(statistics, shown)
        for statistics in (paired.statistics, measure(plain), measure(corrected))
    )
    wrong = [float(np.mean(other / truth - 1)) for other in others]
    return wrong[0], wrong[1]


def _sigma(statistics: NoiseStatistics, clean: Floats) -> NDArray[np.float64]:
    """C, root mean square of the level over the pixels of some windows."""
    variance = read_curves(statistics.level.astype(np.float64) ** 2, intensity_position(clean))
    sigma: NDArray[np.float64] = np.sqrt(variance.mean((0, 2, 3), dtype=np.float64))
    return sigma
