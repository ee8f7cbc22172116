"""Noise as it was before the picture was clipped and rounded.

Generated noise is clipped and rounded like a real picture's, so what is measured must be free of
both, or it suffers them twice. A pixel at black or white says only that its noise reached at
least that far: mean and level then come from a censored Gaussian by expectation and maximisation
(Tobin, Econometrica 1958; Dempster, Laird and Rubin, JRSS B 1977, Sec. 4.2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from noisegen.model.config import BINS
from noisegen.references.curves import fit_curves, intensity_position, read_curves
from noisegen.references.windows import Windows

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

SMALLEST_LEVEL = 1e-5
"""Standard deviation below which an intensity counts as noiseless (1/400 of a step of 8 bits)."""

REACH = 2.5
"""A clipped pixel counts as censored if black or white is within so many standard deviations;
farther off it is an impulse, or the picture is saturated."""

ROUNDS = 10
"""Rounds of expectation and maximisation."""

FEWEST_CENSORED = 1e-4
"""Share of censored pixels below which nothing is corrected."""

FITTED_WINDOWS = 512
"""Windows that the censored fit looks at (0.5 Mpx)."""


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation of the noise against intensity, C×BINS each."""

    mean: Doubles
    level: Doubles


def censored(windows: Windows) -> NDArray[np.bool_]:
    """Pixels at black or white whose noise may have gone beyond; N×C×32×32."""
    noisy = windows.clean + windows.residual
    # Floats may go below black: there nothing is hidden.
    at_end: NDArray[np.bool_] = (np.abs(noisy) <= 1e-6) | (noisy >= 1 - 1e-6)
    if not at_end.any():
        return at_end
    level = read_curves(plain_moments(windows).level, intensity_position(windows.clean))
    distance = np.where(noisy > 0.5, 1 - windows.clean, windows.clean)
    return at_end & (distance <= REACH * level)


def moments(windows: Windows, hidden: NDArray[np.bool_]) -> Moments:
    """Mean and level before clipping; ``hidden`` as from :func:`censored`."""
    if hidden.mean() < FEWEST_CENSORED:
        return plain_moments(windows)
    index = np.linspace(0, len(windows) - 1, min(len(windows), FITTED_WINDOWS)).round().astype(int)
    residual, clean, hidden = (x[index] for x in (windows.residual, windows.clean, hidden))
    position = intensity_position(clean)
    fit = plain_moments(Windows(residual, clean, windows.estimated, windows.step))
    # A clipped intensity looks too quiet: start above, so that few rounds suffice.
    mean, level = fit.mean, np.maximum(1.5 * fit.level, SMALLEST_LEVEL)
    for _ in range(ROUNDS):
        expected, variance = _expected(residual, clean, hidden, mean, level, windows.step)
        mean = fit_curves(position, expected, BINS)
        square = (expected - read_curves(mean, position)) ** 2 + variance
        level = _root(fit_curves(position, square, BINS))
    return Moments(mean, level)


def plain_moments(windows: Windows) -> Moments:
    """Mean and level of the residual as it is."""
    position = intensity_position(windows.clean)
    mean = fit_curves(position, windows.residual, BINS)
    square = (windows.residual - read_curves(mean, position)) ** 2
    return Moments(mean, _root(fit_curves(position, square, BINS)))


def read_level(level: Doubles, position: Floats) -> Floats:
    """A level at positions: variances are interpolated, as the generator does."""
    result: Floats = np.sqrt(read_curves(level**2, position))
    return result


def imputed(windows: Windows, hidden: NDArray[np.bool_], fit: Moments) -> Floats:
    """The residual, its censored pixels drawn anew from beyond the end; always the same draw."""
    if not hidden.any():
        return windows.residual
    mean, level, bound, sign = _hidden_parts(
        windows.residual, windows.clean, hidden, fit.mean, fit.level, windows.step
    )
    tail = torch.special.ndtr(torch.from_numpy(-bound)).numpy()
    uniform = np.random.default_rng(0).random(len(tail))
    beyond = -torch.special.ndtri(torch.from_numpy(np.maximum(tail * uniform, 1e-12))).numpy()
    residual = windows.residual.copy()
    residual[hidden] = mean + sign * level * beyond
    return residual


def _hidden_parts(
    residual: Floats,
    clean: Floats,
    hidden: NDArray[np.bool_],
    mean: Doubles,
    level: Doubles,
    step: float,
) -> tuple[Doubles, Doubles, Doubles, Doubles]:
    """Of the hidden pixels: mean, level, standardised distance of the end, its side (±1)."""
    position = intensity_position(clean)
    centre = read_curves(mean, position)[hidden].astype(np.float64)
    spread = np.maximum(read_level(level, position)[hidden], SMALLEST_LEVEL).astype(np.float64)
    # A pixel rounded to black had at most half a step.
    distance = residual[hidden].astype(np.float64)
    sign = np.where((clean + residual)[hidden] > 0.5, 1.0, -1.0)
    bound = sign * (distance - sign * step / 2 - centre) / spread
    return centre, spread, np.clip(bound, -8, 8), sign


def _expected(
    residual: Floats,
    clean: Floats,
    hidden: NDArray[np.bool_],
    mean: Doubles,
    level: Doubles,
    step: float,
) -> tuple[Floats, Floats]:
    """Expectation and variance of every pixel's noise, given what is seen of it."""
    centre, spread, bound, sign = _hidden_parts(residual, clean, hidden, mean, level, step)
    tail = torch.special.ndtr(torch.from_numpy(-bound)).numpy()
    # Mills: the mean of a standard Gaussian beyond its bound.
    hazard = np.exp(-0.5 * bound**2) / np.sqrt(2 * np.pi) / np.maximum(tail, 1e-300)
    expected, variance = residual.copy(), np.zeros_like(residual)
    expected[hidden] = centre + sign * spread * hazard
    variance[hidden] = spread**2 * np.maximum(1 + bound * hazard - hazard**2, 0)
    return expected, variance


def _root(variance: Doubles) -> Doubles:
    level: Doubles = np.sqrt(np.maximum(variance, SMALLEST_LEVEL**2))
    return level


def before_rounding(level: Doubles, step: float) -> Doubles:
    """The level of the noise whose rounded version has ``level``.

    Rounding adds a twelfth of a squared step to strong noise (Sheppard 1898); weak noise, it
    stops. Inverted from a table of the rounded Gaussian's variance.

    Args:
        level: standard deviations.
        step: of the quantisation, in the same unit; 0 for none.
    """
    if step == 0:
        return level
    sigma = np.concatenate([[0.0], np.geomspace(0.08, 4, 200)])
    k = np.arange(1, 25)[:, None]
    scaled = torch.from_numpy((k - 0.5) / np.maximum(sigma, 1e-9))
    # E[round(x)²] = Σ (2k − 1) P(|x| ≥ k − ½).
    rounded = ((2 * k - 1) * 2 * torch.special.ndtr(-scaled).numpy()).sum(0)
    relative = (level / step) ** 2
    found = np.where(
        relative < rounded[-1],
        np.interp(relative, rounded, sigma) ** 2,
        relative - 1 / 12,
    )
    result: Doubles = np.maximum(np.sqrt(found) * step, SMALLEST_LEVEL)
    return result
