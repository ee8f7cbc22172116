"""How far a profile's noise is from the noise that it was measured on, in numbers and words."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

GOOD, FAIR, POOR = "good", "fair", "poor"

LIMITS = {
    "sigma": (0.05, 0.15),
    "level": (0.15, 0.35),
    "kld": (0.01, 0.05),
    "correlation": (0.03, 0.08),
}
"""Largest distance that is good, and that is fair; beyond it, poor."""


@dataclass(frozen=True)
class Quality:
    """Distances of generated from measured noise on the references' own clean; 0 is perfect.

    Attributes:
        sigma: relative error of the overall standard deviation.
        level: RMS log₂ ratio of the standard deviations against intensity.
        kld: KL divergence of the histograms, natural logarithm.
        correlation: RMS difference of auto- and cross-channel correlation within 6 px.
    """

    sigma: float
    level: float
    kld: float
    correlation: float

    def word(self, name: str) -> str:
        """``good``, ``fair`` or ``poor``, for one distance."""
        good, fair = LIMITS[name]
        value = getattr(self, name)
        return GOOD if value <= good else FAIR if value <= fair else POOR

    @property
    def overall(self) -> str:
        """The worst of the words."""
        words = {self.word(name) for name in LIMITS}
        return next(word for word in (POOR, FAIR, GOOD) if word in words)

    @classmethod
    def from_json(cls, values: Any) -> Quality:  # noqa: ANN401 (whatever a file holds)
        """The distances that a file holds.

        Raises:
            ValueError: it holds something else.
        """
        if not isinstance(values, dict) or set(values) != set(LIMITS):
            raise ValueError("no distances")
        numbers = {name: float(value) for name, value in values.items()}
        if not all(isfinite(value) and value >= 0 for value in numbers.values()):
            raise ValueError("distances that are no numbers")
        return cls(**numbers)
