"""A small correction of a profile's measured statistics, so that they come out as measured.

The generator changes the classical noise that it starts from, and clipping, rounding and the
marginal's table change what goes in. Where the network brings noise no closer, less of its change
counts. What differs then is put back where it went in: level and mean against intensity, the
marginal's quantiles, the spectrum. Half of the references' windows
say what to change; a change stays only if it brings the other half closer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from noisegen.fitting.trial import Trial, judged, standardised, try_profile
from noisegen.model.config import BINS
from noisegen.model.weights import Weights
from noisegen.references.curves import fit_curves, intensity_position
from noisegen.references.profile import NoiseProfile
from noisegen.references.quality import GOOD, LIMITS, POOR, Quality
from noisegen.references.spectrum import colouring_kernel, correlations, field_correlation
from noisegen.references.statistics import NoiseStatistics, gaussian_probabilities, unit_variance

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

TRUSTS = (0.5, 0.0)
"""Shares of the network's change that are tried where a profile is poor: what it learned may not
hold for this camera. For cameras like those trained on it does, on other scenes too."""

ROUNDS = 2
"""Times that every correction is tried."""

LARGEST_FACTOR = 2.0
"""Largest factor on a level in one round."""

SMALLEST_VARIANCE = (0.25 / 255) ** 2
"""A quarter of a step of 8 bits: noiseless intensities compare as equal."""


def calibrate(profile: NoiseProfile, trial: Trial, weights: Weights) -> tuple[NoiseProfile, Trial]:
    """The profile with corrected statistics, and its trial; as it was where nothing helps.

    What is good already stays as it is: the last bit of a reference is not its camera's.

    Args:
        profile: just encoded.
        trial: of it; every other window decides what stays.
        weights: that it was encoded with.
    """
    far_off = trial.quality().overall == POOR
    for trust in TRUSTS if far_off else ():
        if trial.quality().overall != GOOD:
            profile, trial = _closer(profile, trial, weights, replace(profile, trust=trust))
    for _ in range(ROUNDS):
        for names, correct in CORRECTIONS:
            quality = trial.quality()
            if all(quality.word(name) == GOOD for name in names):
                continue
            applied = correct(profile.applied, trial.where(slice(0, None, 2)))
            candidate = replace(profile, calibrated=applied)
            profile, trial = _closer(profile, trial, weights, candidate)
    return profile, trial


def _closer(
    profile: NoiseProfile, trial: Trial, weights: Weights, candidate: NoiseProfile
) -> tuple[NoiseProfile, Trial]:
    """The one of two profiles that is closer to the references, with its trial."""
    tried = try_profile(candidate, trial.windows, weights)
    better = distance(judged(tried)) < distance(judged(trial))
    return (candidate, tried) if better else (profile, trial)


def distance(quality: Quality) -> float:
    """All distances as one, each in units of what still counts as good."""
    return float(sum(getattr(quality, name) / good for name, (good, _) in LIMITS.items()))


def corrected_level(applied: NoiseStatistics, trial: Trial) -> NoiseStatistics:
    """Mean and level against intensity moved by what generated noise has too much or too little."""
    position = intensity_position(trial.clean)
    means = [fit_curves(position, noise, BINS) for noise in (trial.real, trial.fake)]
    variances = [
        np.maximum(fit_curves(position, noise**2, BINS) - mean**2, SMALLEST_VARIANCE)
        for noise, mean in zip((trial.real, trial.fake), means, strict=True)
    ]
    factor = np.sqrt(variances[0] / variances[1]).clip(1 / LARGEST_FACTOR, LARGEST_FACTOR)
    return replace(
        applied,
        mean=(applied.mean + means[0] - means[1]).astype(np.float32),
        level=(applied.level * factor).astype(np.float32),
        surface=(applied.surface * factor[:, None]).astype(np.float32),
    )


def corrected_marginal(applied: NoiseStatistics, trial: Trial) -> NoiseStatistics:
    """Quantiles moved by what generated noise's differ from the real one's."""
    probabilities = gaussian_probabilities()
    real, fake = (
        np.quantile(
            standardised(noise).transpose(1, 0, 2, 3).reshape(len(applied.sigma), -1),
            probabilities,
            axis=1,
        ).T
        for noise in (trial.real, trial.fake)
    )
    moved = np.maximum.accumulate(applied.quantiles + real - fake, axis=1)
    return replace(applied, quantiles=unit_variance(moved).astype(np.float32))


def corrected_spectrum(applied: NoiseStatistics, trial: Trial) -> NoiseStatistics:
    """The field's correlations moved by what generated noise's differ from the real one's."""
    real, fake = (correlations(standardised(noise), 0.0) for noise in (trial.real, trial.fake))
    kernel = colouring_kernel(field_correlation(applied.kernel) + real - fake)
    return replace(applied, kernel=kernel.astype(np.float32))


CORRECTIONS: tuple[
    tuple[tuple[str, ...], Callable[[NoiseStatistics, Trial], NoiseStatistics]], ...
] = (
    (("sigma", "level"), corrected_level),
    (("kld",), corrected_marginal),
    (("correlation",), corrected_spectrum),
)
"""Distances that are not good, and what is done about them."""
