"""How far a profile's noise is from noise that its fit has not seen, in numbers and words."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import isfinite
from typing import Any

GOOD, FAIR, POOR = "good", "fair", "poor"

LIMITS = {
    "sigma": (0.05, 0.15),
    "level": (0.15, 0.35),
    "kld": (0.01, 0.05),
    "correlation": (0.03, 0.08),
    "stripes": (0.15, 0.5),
    "estimated": (0.15, 0.5),
}
"""Largest distance that is good, and that is fair; beyond it, poor."""


@dataclass(frozen=True)
class ProfileQuality:
    """Distances of generated from real noise on parts of the references that judge alone.

    Attributes:
        sigma: relative error of the overall standard deviation.
        level: RMS log₂ ratio of the standard deviations against intensity, on a grid finer than
            the model's curves, each place by its pixels.
        kld: KL divergence of the histograms, natural logarithm, without its sign: over the bins
            that both fill alone it can fall below 0, as where there are few values.
        correlation: RMS difference of auto- and cross-channel correlation within 6 px.
        stripes: largest relative error of the standard deviation of row means and column means.
        estimated: share of the noise's power that no residual shows, because the clean is an
            estimate; 0 where it was given.
        pixels: share of the references' pixels that the profile rests on.
        darkest: intensity, of white, from which on it rests on them.
        brightest: intensity up to which it does.
    """

    sigma: float
    level: float
    kld: float
    correlation: float
    stripes: float
    estimated: float
    pixels: float
    darkest: float
    brightest: float

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
    def from_json(cls, values: Any) -> ProfileQuality:  # noqa: ANN401 (whatever a file holds)
        """The distances that a file holds.

        Raises:
            ValueError: it holds something else.
        """
        names = {field.name for field in fields(cls)}
        if not isinstance(values, dict) or set(values) != names:
            raise ValueError("no distances")
        numbers = {name: float(value) for name, value in values.items()}
        if not all(isfinite(value) for value in numbers.values()) or any(
            numbers[name] < 0 for name in LIMITS
        ):
            raise ValueError("distances that are no numbers")
        return cls(**numbers)
