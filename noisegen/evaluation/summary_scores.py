"""Distances between two summaries of noise: of one picture, or of many together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from noisegen.evaluation.kld_variants import TABLE, VARIANTS
from noisegen.evaluation.metrics import KS_EDGES, LEVEL_PIXELS
from noisegen.evaluation.noise_summary import Counts, NoiseSummary

NOISELESS = float("nan")
"""A distance relative to noise that is not there."""


def summary_scores(
    real: NoiseSummary, fake: NoiseSummary, klds: Sequence[str] = ()
) -> dict[str, float]:
    """Metric → distance, 0 for equal noise; NaN where there is nothing to be compared.

    Args:
        real: of the real noise.
        fake: of the generated noise, of the same channels and white level; the pictures under it
            may be others.
        klds: names of further KL divergences; their metrics are called ``kld NAME``.
    """
    return {
        "kld": _kld(real, fake, TABLE),
        "ks": _ks(real, fake),
        "correlation": _rms(real.correlations - fake.correlations),
        "level": _level(real, fake),
        "sigma": abs(fake.sigma / real.sigma - 1) if real.sigma else NOISELESS,
        **{f"kld {name}": _kld(real, fake, name) for name in klds},
    }


def _kld(real: NoiseSummary, fake: NoiseSummary, name: str) -> float:
    return VARIANTS[name].divergence(real.counts, fake.counts, real.values)


def _ks(real: NoiseSummary, fake: NoiseSummary) -> float:
    def cumulative(counts: Counts) -> np.ndarray:
        pooled = counts.sum(0).astype(np.float64)
        binned = np.histogram(real.values, KS_EDGES, weights=pooled)[0]
        shares: np.ndarray = np.cumsum(binned) / pooled.sum()
        return shares

    return float(np.abs(cumulative(real.counts) - cumulative(fake.counts)).max())


def _level(real: NoiseSummary, fake: NoiseSummary) -> float:
    shown = (real.pixels >= LEVEL_PIXELS) & (fake.pixels >= LEVEL_PIXELS)
    return _rms(np.log2(fake.level[shown] / real.level[shown])) if shown.any() else NOISELESS


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))
