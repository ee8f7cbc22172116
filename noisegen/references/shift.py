"""The shift between two pictures of one scene, and a picture moved by it.

Whole pixels come from phase correlation (Kuglin and Hines, 1975), weighted by how far the picture
stands above the noise; what is left from least squares on the gradients (Lucas and Kanade, 1981).
Both must be significant against what differs from window to window, so two pictures that lie on
each other stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisegen.model.config import WINDOW
from noisegen.noise.arrays import Doubles, Floats
from noisegen.noise.windows import cut
from noisegen.references.pixel_blocks import taper

LOOKED_AT = 1536
"""Side of the picture's middle that the shift is looked for in."""

LARGEST_SHARE = 0.25
"""Largest shift, as a share of the side that is looked at."""

SMALLEST_SHIFT = 0.02
"""Pixels, below which a shift is none."""

LARGEST_FRACTION = 3.0
"""Pixels that the least squares may add: the peak may lie so far off in smooth pictures."""

SIGNIFICANT = 5.0
"""Standard errors that a shift must show."""

BLOCK = 8
"""Side of the blocks whose differences give the standard errors: longer than grain is."""

SMALLEST_EXPLAINED = 0.003
"""Share of the residual's variance that a sub-pixel shift must explain."""

STEPS = 8
"""Of the least squares; each after moving anew."""

REACH = 6
"""Taps on either side of the interpolation."""

KAISER = 6.0
"""Its window's shape: ripples below a thousandth up to 0.4 cycles a pixel."""


@dataclass(frozen=True)
class Shift:
    """Displacement of a picture's content below and right of another's, in pixels."""

    down: float = 0.0
    across: float = 0.0

    @property
    def is_none(self) -> bool:
        """Whether the two lie on each other."""
        return self.down == 0 and self.across == 0

    @property
    def is_whole(self) -> bool:
        """Whether no interpolation is needed."""
        return float(self.down).is_integer() and float(self.across).is_integer()

    def __str__(self) -> str:
        return f"{self.down:+.2f} px down, {self.across:+.2f} px right"


def find_shift(picture: Floats, other: Floats) -> Shift:
    """Find the shift that lays ``other`` on ``picture``; none where it is not significant.

    Args:
        picture: H×W×C, noise and all.
        other: the same shape; clean, or as noisy.
    """
    a, b = _middle(picture), _middle(other)
    whole = _whole_pixels(a, b)
    if not whole.is_none and not _fits_better(a, b, whole):
        whole = Shift()
    place = inside(a.shape, whole, grid=1)
    near = a[place], moved(b, whole)[place]
    fraction = _fraction(*near) if min(near[0].shape) >= 32 else (0.0, 0.0)
    return Shift(whole.down + fraction[0], whole.across + fraction[1])


def moved(picture: NDArray[Any], shift: Shift) -> NDArray[Any]:
    """The picture moved; its border is repeated where nothing comes in.

    Args:
        picture: H×W or H×W×C.
        shift: content goes down and right by so much; whole pixels are not interpolated.
    """
    return _moved_along(_moved_along(picture, shift.down, 0), shift.across, 1)


def beside(picture: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Neighbours before and after each pixel along an axis; the border is its own neighbour."""
    return _moved_along(picture, 1, axis), _moved_along(picture, -1, axis)


def kept_power(shift: Shift) -> Doubles:
    """Share of each frequency's power that :func:`moved` leaves, 32×32 as of a window's FFT."""
    across, down = (
        np.abs(np.fft.fft(np.pad(weights, (0, WINDOW - len(weights))))) ** 2
        for weights in (taps(shift.across)[1], taps(shift.down)[1])
    )
    return np.outer(down, across)


def inside(shape: tuple[int, ...], shift: Shift, grid: int = 8) -> tuple[slice, slice]:
    """The rectangle that a moved picture truly shows, its corner on the grid."""
    rows, columns = (
        slice(
            -(-max(int(np.ceil(amount)), 0) // grid) * grid, length - max(int(np.ceil(-amount)), 0)
        )
        for length, amount in zip(shape[:2], (shift.down, shift.across), strict=True)
    )
    return rows, columns


def taps(amount: float) -> tuple[int, Doubles]:
    """First offset and weights of the interpolation that moves by ``amount`` pixels.

    A sinc under a Kaiser window, of unit sum; a single tap for whole pixels.
    """
    whole = int(np.floor(amount))
    part = amount - whole
    if part == 0:
        return whole, np.ones(1)
    offsets = np.arange(1 - REACH, REACH + 1)
    distance = offsets - part
    window = np.i0(KAISER * np.sqrt(np.maximum(1 - (distance / REACH) ** 2, 0))) / np.i0(KAISER)
    weights = np.sinc(distance) * window
    return whole + 1 - REACH, weights / weights.sum()


def _moved_along(picture: NDArray[Any], amount: float, axis: int) -> NDArray[Any]:
    if amount == 0:
        return picture
    first, weights = taps(amount)
    length = picture.shape[axis]
    result = np.zeros_like(picture)
    for offset, weight in enumerate(weights, first):
        source = np.clip(np.arange(length) - offset, 0, length - 1)
        result += np.float32(weight) * picture.take(source, axis)
    return result


def _middle(picture: Floats) -> Floats:
    """The gray middle of a picture."""
    y, x = (max(0, (length - LOOKED_AT) // 2) for length in picture.shape[:2])
    return np.asarray(picture[y : y + LOOKED_AT, x : x + LOOKED_AT].mean(2))


def _whole_pixels(a: Floats, b: Floats) -> Shift:
    """The highest peak of the weighted phase correlation."""
    height, width = a.shape
    fa, fb = (np.fft.rfft2((x - x.mean(dtype=np.float64)) * taper(height, width)) for x in (a, b))
    cross = fa * fb.conj()
    # The uppermost frequencies show the noise; picture below it says nothing of the shift.
    across = np.fft.rfftfreq(width)
    high = np.hypot(np.fft.fftfreq(height)[:, None], across[None]) > 0.4
    power = np.abs(fb) ** 2
    noise = (np.abs(fa[high]) ** 2).mean() + 1e-12
    phase = cross / np.maximum(np.abs(cross), 1e-12) * power / (power + noise)
    surface = np.fft.irfft2(phase, s=(height, width))
    down, right = (int(LARGEST_SHARE * length) for length in (height, width))
    near = np.roll(surface, (down, right), (0, 1))[: 2 * down + 1, : 2 * right + 1]
    y, x = np.unravel_index(int(near.argmax()), near.shape)
    return Shift(int(y) - down, int(x) - right)


def _fits_better(a: Floats, b: Floats, shift: Shift) -> bool:
    """Whether windows of ``a`` agree with ``b`` significantly better once it is moved."""
    margins = [int(abs(amount)) for amount in (shift.down, shift.across)]
    inner = tuple(slice(n, length - n) for n, length in zip(margins, a.shape, strict=True))
    pictures = a[inner], b[inner], moved(b, shift)[inner]
    if min(pictures[0].shape) < 32:
        return False
    here, stays, moves = (_levelled(_grainless(picture)) for picture in pictures)
    gain = _block_sums(here * (moves - stays))
    return bool(gain.sum() > SIGNIFICANT * np.sqrt((gain**2).sum()))


def _fraction(a: Floats, b: Floats) -> tuple[float, float]:
    """Fraction of a pixel that least squares adds; 0 where it is not significant."""
    target = _levelled(_grainless(a))
    shift = np.zeros(2)
    for step in range(STEPS):
        there = _grainless(moved(b, Shift(*shift)))
        levelled = _levelled(there)
        # A difference in gain is no shift: it is fitted first.
        gain = float((target * levelled).sum() / max(float((levelled**2).sum()), 1e-12))
        slopes = np.float32(-gain) * np.stack(
            [_levelled(np.asarray(np.gradient(there, axis=axis))) for axis in (0, 1)]
        )
        normal = np.einsum("ikyx,jkyx->ij", slopes, slopes, dtype=np.float64)
        scores = np.stack([_block_sums(way * (target - gain * levelled)) for way in slopes])
        solved = np.linalg.lstsq(normal, scores.sum(1), rcond=1e-9)[0]
        if step == 0 and not _is_significant(scores, solved, a - b):
            return 0.0, 0.0
        shift = shift + solved
        if np.abs(shift).max() > LARGEST_FRACTION:
            return 0.0, 0.0
        if np.abs(solved).max() < SMALLEST_SHIFT / 10:
            break
    rounded = [0.0 if abs(s) < SMALLEST_SHIFT else _whole_if_near(float(s)) for s in shift]
    return rounded[0], rounded[1]


def _whole_if_near(amount: float) -> float:
    """Whole pixels need no interpolation, which is worth a hundredth of a pixel."""
    return float(round(amount)) if abs(amount - round(amount)) < SMALLEST_SHIFT else amount


def _is_significant(scores: Doubles, solved: Doubles, residual: Floats) -> bool:
    """Whether a shift stands out from what blocks differ by, and matters.

    Args:
        scores: 2×blocks, of the residual against the slopes.
        solved: the shift.
        residual: H×W.
    """
    total, spread = scores.sum(1), scores @ scores.T
    statistic = float(total @ np.linalg.lstsq(spread, total, rcond=1e-9)[0])
    share = float(total @ solved) / max(float((_levelled(residual) ** 2).sum()), 1e-12)
    return statistic > SIGNIFICANT**2 and share > SMALLEST_EXPLAINED


def _block_sums(windows: Floats) -> Doubles:
    """N×32×32 → sums of all blocks of all windows."""
    split = windows.reshape(len(windows), WINDOW // BLOCK, BLOCK, WINDOW // BLOCK, BLOCK)
    return np.asarray(split.sum((2, 4), dtype=np.float64).ravel())


def _grainless(picture: Floats) -> Floats:
    """H×W less its finest grain: twice by 1, 2, 1 each way."""
    for axis in (0, 1, 0, 1):
        around = beside(picture, axis)
        picture = np.float32(0.5) * picture + np.float32(0.25) * (around[0] + around[1])
    return picture


def _levelled(picture: Floats) -> Floats:
    """H×W → N×32×32 windows less their means: brightness and drift do not count."""
    windows = cut(picture[..., None])[:, 0]
    return np.asarray(windows - windows.mean((1, 2), keepdims=True))
