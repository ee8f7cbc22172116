"""Gain and offset between a noisy picture and its clean, channel by channel.

The gain comes from contrast within tiles, so that a lamp's drift does not count; the offset from
the tiles' means. Only tiles that keep clear of black and white are asked: clipping gives noise
a mean that looks like either. Impulses are left out, for salt alone would look like both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noisegen.noise.arrays import Doubles, Floats, Mask
from noisegen.noise.windows import cut, spread_evenly
from noisegen.references.pixel_blocks import pooled, tiles
from noisegen.references.scenes import contrast_ratio

TILE = 16
"""Side of what gain and offset are fitted in."""

POOL = 4
"""Pixels a side are averaged before contrast is compared: a small blur or shift then hardly
lowers it."""

CLEAR = 3.0
"""Standard deviations of the noise that a tile keeps from black and white."""

OUTLIER = 5.0
"""Robust standard deviations beyond which a pixel is an impulse."""

AGREEMENT = 0.5
"""Share of gain or offset that may hang on what passes for impulses."""

SIGNIFICANT = 6.0
"""Standard errors that gain or offset must show."""

SMALLEST_SHARE = 0.01
"""Of the noise's variance, that undoing them must take away."""

CODED = 16
"""Pixels a side that JPEG describes colour by: what it loses of one such block it loses of no
other."""

LOOKED_AT = 2048
"""Windows that are asked."""

FEWEST_TILES = 16
ROUNDS = 3
"""Rounds of fitting and finding impulses anew."""


@dataclass(frozen=True)
class Brightness:
    """noisy ≈ gain · clean + offset; C values each, the offset in units of the white level."""

    gain: Doubles
    offset: Doubles

    @property
    def is_none(self) -> bool:
        """Whether the two are equally bright."""
        return not self.changed.any()

    @property
    def changed(self) -> Mask:
        """C: channels that are not equally bright."""
        return np.asarray((self.gain != 1) | (self.offset != 0))

    def __str__(self) -> str:
        shown = (
            f"{gain:.3f} {255 * offset:+.2f}"
            for gain, offset in zip(self.gain, self.offset, strict=True)
        )
        return f"gain and offset (of 255) {' / '.join(shown)}"


def fit_brightness(noisy: Floats, clean: Floats, still: Mask, step: float) -> Brightness:
    """Gain and offset from clean to noisy; 1 and 0 where they are not significant.

    A clean that was saved as JPEG, or is a mean of few shots, shows detail in even places that no
    shot has: a gain that brings what stands out over many pixels no nearer is none.

    Args:
        noisy: H×W×C in units of the white level.
        clean: the same shape.
        still: windows of 32×32, in reading order, that are asked.
        step: of the quantisation, in the same unit.
    """
    asked = np.flatnonzero(still)
    asked = asked[spread_evenly(len(asked), LOOKED_AT)]
    shots, pictures = (tiles(cut(x, index=asked), TILE) for x in (noisy, clean))
    clear = keeps_clear(shots, pictures)

    def fit(c: int, free: bool) -> tuple[float, float]:
        return _agreed(shots[clear[:, c], c], pictures[clear[:, c], c], step, free)

    fits = [fit(c, free=True) for c in range(noisy.shape[2])]
    for c, (gain, _) in enumerate(fits):
        if gain != 1 and not _stands_out(noisy[..., [c]], clean[..., [c]], gain):
            fits[c] = fit(c, free=False)
    gains, offsets = np.array(fits).T
    return Brightness(gains, offsets)


def _stands_out(noisy: Floats, clean: Floats, gain: float) -> bool:
    """Whether a gain brings the contrast of two H×W×1 scenes nearer to each other."""
    found = contrast_ratio(noisy, clean, CODED)
    if found is None:
        return False
    ratio, error = found
    return abs(ratio - gain) < abs(ratio - 1) and abs(ratio - 1) > error


def _agreed(noisy: Floats, clean: Floats, step: float, free: bool) -> tuple[float, float]:
    """Gain and offset of one channel, if they are the same with impulses and without.

    Where few photons are counted, they look like impulses themselves: without them a picture would
    seem to have lost its contrast.
    """
    without, with_all = (_fit(noisy, clean, step, outlier, free) for outlier in (OUTLIER, np.inf))
    apart = np.abs(np.subtract(without, with_all))
    large = np.abs(np.subtract([without, with_all], (1.0, 0.0))).max(0)
    alike = apart <= AGREEMENT * large + (0.0, step)
    return without if alike.all() else (1.0, 0.0)


def keeps_clear(noisy: Floats, clean: Floats, deviations: float = CLEAR) -> Mask:
    """Tiles and channels whose noise reaches neither black nor white; N×C×n×n → N×C."""
    residual = noisy - clean
    reach = deviations * residual.std((2, 3))
    apart = residual.mean((2, 3))
    smooth = pooled(clean, POOL)
    lowest = smooth.min((2, 3)) + np.minimum(apart, 0) - reach
    highest = smooth.max((2, 3)) + np.maximum(apart, 0) + reach
    return np.asarray((lowest > 0) & (highest < 1))


def _fit(
    shots: Floats, pictures: Floats, step: float, outlier: float, free: bool
) -> tuple[float, float]:
    """Fit one channel's gain and offset to N×16×16 tiles, without pixels so many deviations off."""
    gain, offset = 1.0, 0.0
    if len(shots) < FEWEST_TILES:
        return gain, offset
    noisy, clean = shots.astype(np.float64), pictures.astype(np.float64)
    for _ in range(ROUNDS):
        residual = noisy - gain * clean - offset
        kept = _without_impulses(residual, step, outlier)
        level = np.maximum(kept.std((1, 2)), step / 4 + 1e-6)
        offset, gain, errors, share = _refit(kept, clean, level, gain, offset, free)
    shown = (abs(gain - 1) > SIGNIFICANT * errors[0], abs(offset) > SIGNIFICANT * errors[1])
    if share < SMALLEST_SHARE or not any(shown):
        return 1.0, 0.0
    if not shown[0]:
        apart = _without_impulses(noisy - clean, step, outlier).mean((1, 2))
        return 1.0, float(apart.mean())
    return gain, offset


def _refit(
    residual: Doubles, clean: Doubles, level: Doubles, gain: float, offset: float, free: bool
) -> tuple[float, float, tuple[float, float], float]:
    """Offset, gain, standard errors of gain and offset, and the share of variance they explain."""
    means = residual.mean((1, 2)), clean.mean((1, 2))
    left, contrast = (
        pooled((x - mean[:, None, None])[:, None].astype(np.float32), POOL)[:, 0]
        for x, mean in zip((residual, clean), means, strict=True)
    )
    weight = level**-2
    bends = (contrast**2).sum((1, 2), dtype=np.float64) * weight
    follows = (left * contrast).sum((1, 2), dtype=np.float64) * weight
    added = error = 0.0
    if free:
        added = follows.sum() / max(bends.sum(), 1e-12)
        error = np.sqrt(((follows - added * bends) ** 2).sum()) / max(bends.sum(), 1e-12)
    gain += added
    apart = means[0] - added * means[1]
    # In the middle of the picture's tones, where the gain's own error does not count.
    centre = clean.mean()
    around = apart + offset + (gain - 1) * centre
    offset += float(apart.mean())
    spread = np.sqrt(((apart - apart.mean()) ** 2).sum()) / len(apart)
    moved = around.mean() ** 2 + (gain - 1) ** 2 * clean.var()
    share = moved / (level**2).mean()
    errors = (float(error), float(np.hypot(spread, error * centre)))
    return offset, float(gain), errors, float(share)


def _without_impulses(residual: Doubles, step: float, outlier: float) -> Doubles:
    """Pixels far off their tile's median, put there."""
    if not np.isfinite(outlier):
        return residual
    median = np.median(residual, axis=(1, 2), keepdims=True)
    distance = np.abs(residual - median)
    usual = 1.4826 * np.median(distance, axis=(1, 2), keepdims=True)
    return np.where(distance > outlier * np.maximum(usual, step), median, residual)
