"""How well the strength of a reference's noise is known without its clean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisegen.evaluation.protocol import Case
from noisegen.files import to_float
from noisegen.model.denoiser import Denoiser
from noisegen.noise.arrays import Floats
from noisegen.noise.curves import positions, read_curves
from noisegen.noise.statistics import NoiseStatistics, measure
from noisegen.noise.windows import Windows
from noisegen.profiles.fit import measure_cut
from noisegen.references.check import Reference
from noisegen.references.lone import estimated_windows, made_up_windows
from noisegen.references.windows import Repair, cut_references

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


def sigma_errors(cases: Iterable[Case], denoiser: Denoiser) -> SigmaErrors | None:
    """σ with and without the clean, both over the intensities that the reference shows.

    Args:
        cases: their references, 8 bits with clean, are looked at; each once.
        denoiser: that estimates the clean.

    Returns:
        None where no reference came with a clean, as of bursts.
    """
    references = {
        shot.name: shot
        for case in cases
        for shot in case.references
        if isinstance(shot, Reference) and shot.clean is not None
    }
    if not references:
        return None
    errors = [_errors(reference, denoiser) for reference in references.values()]
    plain, corrected = np.abs(errors).mean(0)
    return SigmaErrors(float(plain), float(corrected), len(errors))


def _errors(reference: Reference, denoiser: Denoiser) -> tuple[float, float]:
    cut = cut_references([reference], repair=Repair.MASK)
    paired = measure_cut(cut)
    noisy = reference.noisy if reference.noisy.ndim == 3 else reference.noisy[..., None]
    estimated = estimated_windows(
        to_float(noisy, cut.samples.white_level), paired.windows.recording, denoiser
    )
    clean = estimated.clean.clip(0, 1)
    plain = Windows(estimated.residual, clean, True, paired.windows.recording, estimated.places)
    corrected = made_up_windows(estimated, paired.windows.recording)
    shown = paired.windows.take(SHOWN).clean
    truth, *others = (
        _sigma(statistics, shown)
        for statistics in (paired.statistics, measure(plain), measure(corrected))
    )
    wrong = [float(np.mean(other / truth - 1)) for other in others]
    return wrong[0], wrong[1]


def _sigma(statistics: NoiseStatistics, clean: Floats) -> NDArray[np.float64]:
    """Root mean square of the level over the pixels of some windows, one a channel."""
    nodes = statistics.nodes.astype(np.float64)
    variance = read_curves(statistics.level.astype(np.float64) ** 2, positions(nodes, clean))
    sigma: NDArray[np.float64] = np.sqrt(variance.mean((0, 2, 3), dtype=np.float64))
    return sigma
