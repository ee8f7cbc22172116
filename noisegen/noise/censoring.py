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

from noisegen.noise.arrays import Doubles, Floats, Mask
from noisegen.noise.cells import Cells
from noisegen.noise.curves import read_curves
from noisegen.noise.sample import Sample

SMALLEST_LEVEL = 1e-5
"""Standard deviation below which an intensity counts as noiseless (1/400 of a step of 8 bits)."""

REACH = 2.5
"""A clipped pixel counts as censored if black or white is within so many standard deviations;
farther off it is an impulse, or the picture is saturated."""

ROUNDS = 10
"""Rounds of expectation and maximisation."""

FEWEST_CENSORED = 1e-4
"""Share of censored pixels below which nothing is corrected."""

REWEIGHTED = 3
"""Rounds in which loud and quiet places find their weights."""

QUIETEST = 0.1
"""Share of the typical level below which a place counts no more than at it."""


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation of the noise against intensity, C×n each."""

    mean: Doubles
    level: Doubles


@dataclass(frozen=True)
class Hidden:
    """Samples at an end of what the instrument records, whose noise may have gone beyond.

    Attributes:
        low: N×C×h×w, at the lower end.
        high: N×C×h×w, at the upper end.
    """

    low: Mask
    high: Mask

    @property
    def mask(self) -> Mask:
        """Samples at either end, N×C×h×w."""
        mask: Mask = self.low | self.high
        return mask


def hidden(sample: Sample) -> Hidden:
    """Find the samples that clipping may hide."""
    recording = sample.recording
    low, high, step = (
        x.reshape(1, -1, 1, 1).astype(np.float32)
        for x in (recording.low, recording.high, recording.step)
    )
    noisy = sample.clean + sample.residual
    tolerance = np.float32(1e-6) + step / 4
    below, above = noisy <= low + tolerance, noisy >= high - tolerance
    if below.any() or above.any():
        level = read_level(plain_moments(sample).level, sample.position)
        reach = REACH * np.maximum(level, step)
        below &= sample.clean - low <= reach
        above &= high - sample.clean <= reach
    return Hidden(below, above)


def moments(sample: Sample, beyond: Hidden) -> Moments:
    """Mean and level before clipping."""
    plain = plain_moments(sample)
    if beyond.mask.mean() < FEWEST_CENSORED:
        return plain
    cells, ends = sample.cells, _ends(sample, beyond)
    seen = np.where(beyond.mask, 0, sample.residual)
    total, square = cells.sums(seen), cells.sums(seen.astype(np.float64) ** 2)
    # A clipped intensity looks too quiet: start above, so that few rounds suffice.
    fit = Moments(plain.mean, np.maximum(1.5 * plain.level, SMALLEST_LEVEL))
    for _ in range(ROUNDS):
        first, second = total.copy(), square.copy()
        for end in ends:
            expected, expected_square = end.expected(cells, fit)
            first += end.count * expected
            second += end.count * expected_square
        fit = _fit(cells, first, second, fit.level)
    return fit


@dataclass(frozen=True)
class _End:
    """Hidden samples at one end, by cell: the end's sign (±1), their number and bound, C×K."""

    sign: float
    count: Doubles
    bound: Doubles

    def expected(self, cells: Cells, fit: Moments) -> tuple[Doubles, Doubles]:
        """Expectation of a hidden sample's noise and of its square."""
        centre, spread = cells.read(fit.mean), np.sqrt(cells.read(fit.level**2))
        bound = np.clip(self.sign * (self.bound - centre) / spread, -8, 8)
        tail = torch.special.ndtr(torch.from_numpy(-bound)).numpy()
        # Mills: the mean of a standard Gaussian beyond its bound.
        hazard = np.exp(-0.5 * bound**2) / np.sqrt(2 * np.pi) / np.maximum(tail, 1e-300)
        mean = centre + self.sign * spread * hazard
        variance = spread**2 * np.maximum(1 + bound * hazard - hazard**2, 0)
        return mean, mean**2 + variance


def _ends(sample: Sample, beyond: Hidden) -> list[_End]:
    bound = _bounds(sample, beyond)
    ends = []
    for sign, mask in ((-1.0, beyond.low), (1.0, beyond.high)):
        count = sample.cells.sums(mask.astype(np.float32))
        total = sample.cells.sums(np.where(mask, bound, 0))
        ends.append(_End(sign, count, total / np.maximum(count, 1)))
    return ends


def _bounds(sample: Sample, beyond: Hidden) -> Floats:
    """N×C×h×w, what a hidden sample's noise reached at least: it had half a step to its end."""
    half = (sample.recording.step / 2).reshape(1, -1, 1, 1).astype(np.float32)
    return sample.residual + half * beyond.low - half * beyond.high


def plain_moments(sample: Sample) -> Moments:
    """Mean and level of the residual as it is."""
    cells = sample.cells
    total = cells.sums(sample.residual)
    square = cells.sums(sample.residual.astype(np.float64) ** 2)
    overall = np.sqrt(square.sum(1) / cells.count.sum(1)) + SMALLEST_LEVEL
    fit = Moments(np.zeros_like(cells.nodes), np.repeat(overall[:, None], cells.nodes.shape[1], 1))
    for _ in range(REWEIGHTED):
        fit = _fit(cells, total, square, fit.level)
    return fit


def _fit(cells: Cells, total: Doubles, square: Doubles, level: Doubles) -> Moments:
    """One round: a mean through the noise, then a level through its squares, loud places less."""
    variance = trusted_variance(level)
    weight = 1 / cells.read(variance)
    mean = cells.fit(total, weight, np.sqrt(variance))
    at = cells.read(mean)
    centred = square - 2 * at * total + cells.count * at**2
    fitted = cells.fit(centred, weight**2, variance)
    return Moments(mean, np.sqrt(np.maximum(fitted, SMALLEST_LEVEL**2)))


def trusted_variance(level: Doubles) -> Doubles:
    """Variance that a fit's weights come from: a quiet place must not outvote all others."""
    least = QUIETEST * np.median(level, axis=1, keepdims=True)
    trusted: Doubles = np.maximum(np.maximum(level, least), SMALLEST_LEVEL) ** 2
    return trusted


def read_level(level: Doubles, position: Floats) -> Floats:
    """A level at positions: variances are interpolated, as the generator does."""
    result: Floats = np.sqrt(read_curves(level**2, position))
    return result


def imputed(sample: Sample, beyond: Hidden, fit: Moments) -> Floats:
    """The residual, its hidden samples drawn anew from beyond the end; always the same draw."""
    mask = beyond.mask
    if not mask.any():
        return sample.residual
    centre = read_curves(fit.mean, sample.position)[mask].astype(np.float64)
    spread = read_level(fit.level, sample.position)[mask].astype(np.float64)
    sign = np.where(beyond.high, 1.0, -1.0)[mask]
    bound = np.clip(sign * (_bounds(sample, beyond)[mask] - centre) / spread, -8, 8)
    tail = torch.special.ndtr(torch.from_numpy(-bound)).numpy()
    uniform = sample.draw(0)[mask].astype(np.float64)
    drawn = -torch.special.ndtri(torch.from_numpy(np.maximum(tail * uniform, 1e-12))).numpy()
    residual = sample.residual.copy()
    residual[mask] = centre + sign * spread * drawn
    return residual


def before_rounding(level: Doubles, step: Doubles) -> Doubles:
    """The level of the noise whose rounded version has ``level``.

    Rounding adds a twelfth of a squared step to strong noise (Sheppard 1898); weak noise, it
    stops. Inverted from a table of the rounded Gaussian's variance.

    Args:
        level: C×…, standard deviations.
        step: C, of the quantisation, in the same unit; 0 for none.
    """
    size = step.reshape(-1, *[1] * (level.ndim - 1))
    safe = np.where(size > 0, size, 1)
    sigma = np.concatenate([[0.0], np.geomspace(0.08, 4, 200)])
    k = np.arange(1, 25)[:, None]
    scaled = torch.from_numpy((k - 0.5) / np.maximum(sigma, 1e-9))
    # E[round(x)²] = Σ (2k − 1) P(|x| ≥ k − ½).
    rounded = ((2 * k - 1) * 2 * torch.special.ndtr(-scaled).numpy()).sum(0)
    relative = (level / safe) ** 2
    found = np.where(
        relative < rounded[-1],
        np.interp(relative, rounded, sigma) ** 2,
        relative - 1 / 12,
    )
    before = np.where(size > 0, np.sqrt(found) * safe, level)
    result: Doubles = np.maximum(before, SMALLEST_LEVEL)
    return result
