"""How an instrument writes a value down: where it clips, in what steps it rounds.

A file's type does not tell. A microscope's picture stretched to 8 bits has every eighth value
only, 12 bits shifted into 16 have multiples of 16, photon counts kept as floats are whole
numbers, a camera may subtract its black and clip at 3. Generated noise must be clipped and rounded
as the real one was, and what is measured must be freed of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from noisegen.noise.arrays import Doubles, Pixels

FEWEST_VALUES = 6
"""Different values that must occur before steps between them count as the instrument's."""

SAMPLED = 2**20
"""Floats that are looked at."""

SEVERAL = 0.5
"""Different values a float beyond which they are continuous."""

SMALLEST_STEP = 1.05
"""Of integers; below it there is no lattice but their own."""

LARGEST_MISFIT = 0.02
"""Share of the pixels that may lie off a lattice: a few were repaired or drawn over."""

SPIKE = 4.0
"""Times as many pixels at a value as at the ones beside it, from which the instrument clips there
and not at its type's end."""

SMALLEST_SPIKE = 1e-3
"""Share of the pixels that a spike must hold."""

BEYOND_SPIKE = 0.01
"""Share of a spike's pixels that may lie beyond it."""

FEWEST_OF_EACH = 10
"""Pixels a value, on average, for missing values to be missing on purpose."""

FIRST_REACH = 8
"""Steps from the most common value within which a first guess of the step is made better."""

FLOAT_TOLERANCE = 0.02
"""Share of a step by which floats may lie off their lattice."""


@dataclass(frozen=True)
class Recording:
    """The values that an instrument can give; C each, in one unit.

    Attributes:
        low: below it nothing is recorded.
        high: above it nothing is recorded.
        step: between two values; 0 where they are continuous.
        origin: one of the values, where there are steps.
    """

    low: Doubles
    high: Doubles
    step: Doubles
    origin: Doubles

    @classmethod
    def even(cls, channels: int, step: float) -> Recording:
        """Recording of values from 0 to 1 in even steps; a step of 0 for continuous ones."""
        full = np.ones(channels)
        return cls(0 * full, full, step * full, 0 * full)

    def first(self) -> Recording:
        """Recording of the first channel alone."""
        return Recording(self.low[:1], self.high[:1], self.step[:1], self.origin[:1])

    def scaled(self, factor: float) -> Recording:
        """Convert it to another unit."""
        return Recording(
            self.low * factor, self.high * factor, self.step * factor, self.origin * factor
        )

    @property
    def _counts_whole(self) -> bool:
        """Whether it gives every whole number between whole ends, as most do: that is quick."""
        even = (self.step == 1).all() and not self.origin.any()
        return bool(even and all((end == np.rint(end)).all() for end in (self.low, self.high)))

    def record(
        self, values: NDArray[np.floating[Any]], channel_axis: int
    ) -> NDArray[np.floating[Any]]:
        """Values as the instrument would give them: clipped, then rounded to its steps.

        Args:
            values: of any shape.
            channel_axis: the axis of the C channels; one channel here serves all of them there.
        """
        shape = [1] * values.ndim
        shape[channel_axis] = -1
        # One number for all channels where it can be: spread over them it takes thrice the time.
        low, high, step, origin = (
            (x[:1] if (x == x[0]).all() else x).reshape(shape).astype(values.dtype)
            for x in (self.low, self.high, self.step, self.origin)
        )
        clipped = np.clip(values, low, high)
        if not self.step.any():
            return np.asarray(clipped)
        if self._counts_whole:
            return np.asarray(np.rint(clipped, out=clipped))
        rounded = clipped - origin
        rounded /= np.where(step > 0, step, 1)
        np.rint(rounded, out=rounded)
        rounded *= step
        rounded += origin
        np.clip(rounded, low, high, out=rounded)
        # What is clipped is recorded as an end, though that be no step.
        rounded = np.where((clipped > low) & (clipped < high), rounded, clipped)
        return np.asarray(np.where(step > 0, rounded, clipped), values.dtype)


def as_stored(values: NDArray[np.floating[Any]], dtype: DTypeLike) -> Pixels:
    """Values as a file of an integer type holds them: rounded, then clipped to its ends."""
    ends = np.iinfo(dtype)
    kept: Pixels = np.rint(values).clip(ends.min, ends.max).astype(dtype)
    return kept


def widest(parts: Sequence[Recording]) -> Recording:
    """Combine recordings of one instrument: the ends farthest out."""
    first = parts[0]
    low = np.min([part.low for part in parts], 0)
    high = np.max([part.high for part in parts], 0)
    return Recording(low, high, first.step, first.origin)


def find_recording(pictures: Sequence[Pixels], white: float) -> Recording:
    """Find how noisy pictures of one instrument were clipped and rounded.

    Args:
        pictures: H×W×C each, integers or floats, of one type.
        white: their white level.

    Returns:
        In units of the pictures' samples.
    """
    found = [_channel([p[..., c] for p in pictures], white) for c in range(pictures[0].shape[2])]
    low, high, step, origin = (np.array(values, np.float64) for values in zip(*found, strict=True))
    return Recording(low, high, step, origin)


def _channel(planes: Sequence[Pixels], white: float) -> tuple[float, float, float, float]:
    whole = planes[0].dtype.kind != "f"
    values, counts = _counted(planes)
    step, origin = (1.0, 0.0) if whole else (0.0, 0.0)
    if not whole and not np.any(values % 1):
        step = 1.0
    if whole or len(values) <= SEVERAL * counts.sum():
        step, origin = _lattice(values, counts, whole) or (step, origin)
    # Floats that go below black have no end there.
    lowest = 0.0 if values[0] >= 0 else -white
    low, high = _ends(values, counts, lowest, white)
    if step > 1 or (step > 0 and not whole):
        # Ends that nothing was seen to be clipped at are the last steps before them.
        if low == lowest and low not in values:
            low = origin + np.ceil((low - origin) / step) * step
        if high == white and high not in values:
            high = origin + np.floor((high - origin) / step) * step
    return float(low), float(high), step, origin


def _counted(planes: Sequence[Pixels]) -> tuple[Doubles, Doubles]:
    """Values that occur, rising, and how often each does; of continuous ones, some."""
    if planes[0].dtype.kind != "f":
        counts = sum(
            np.bincount(plane.ravel(), minlength=int(np.iinfo(plane.dtype).max) + 1)
            for plane in planes
        )
        values = np.flatnonzero(counts)
        return values.astype(np.float64), np.asarray(counts)[values].astype(np.float64)
    stride = max(1, sum(plane.size for plane in planes) // SAMPLED)
    sampled = np.concatenate([plane.ravel()[::stride] for plane in planes])
    values, counts = np.unique(sampled, return_counts=True)
    return values.astype(np.float64), counts.astype(np.float64)


def _lattice(values: Doubles, counts: Doubles, whole: bool) -> tuple[float, float] | None:
    """Step and origin of evenly spaced values, where they are; None where they are not.

    Integers may be rounded to whole numbers from a step that is none, as where 12 bits were
    stretched to 16.
    """
    # The ends stand for all that lies beyond them, so they need not be on the lattice.
    inner, weight = values[1:-1], counts[1:-1]
    if len(inner) < FEWEST_VALUES:
        return None
    for start in (_of_all(inner, weight, whole), _of_some(inner, weight, whole)):
        found = None if start is None else _widened(*start, inner, weight, whole)
        if found is not None and (found[0] >= SMALLEST_STEP or not whole):
            return found
    return None


def _of_all(inner: Doubles, weight: Doubles, whole: bool) -> tuple[float, float] | None:
    """Step and origin where most pixels are: if no value of the instrument's is missing there."""
    mass = np.cumsum(weight) / weight.sum()
    inside = (mass >= 0.1) & (mass <= 0.9)
    if inside.sum() <= FEWEST_VALUES or weight[inside].mean() < FEWEST_OF_EACH:
        return None
    dense = inner[inside]
    return _nearest_line(np.arange(len(dense)), dense, float(np.diff(dense).mean()), whole)


def _of_some(inner: Doubles, weight: Doubles, whole: bool) -> tuple[float, float] | None:
    """Step and origin by the smallest gap between common values: if many are missing."""
    common = inner[weight >= max(1.0, 0.02 * float(np.median(weight)))]
    gaps = np.diff(common)
    least = float(np.quantile(gaps, 0.02)) if len(gaps) else 0.0
    if least <= 0 or (whole and least < 2):
        return None
    # Gaps of one step may be rounded up or down.
    step = float(gaps[gaps <= (least + 1 if whole else 1.5 * least)].mean())
    return step, float(inner[int(np.argmax(weight))])


def _widened(
    step: float, origin: float, inner: Doubles, weight: Doubles, whole: bool
) -> tuple[float, float] | None:
    """The lattice made better by values ever farther off, or None if they do not lie on it."""
    middle = inner[int(np.argmax(weight))]
    for reach in FIRST_REACH * 2 ** np.arange(14):
        near = inner[np.abs(inner - middle) <= reach * step]
        index = np.rint((near - origin) / step)
        if np.ptp(index) >= FIRST_REACH / 2:
            step, origin = _nearest_line(index, near, step, whole)
    tolerance = 0.51 if whole else FLOAT_TOLERANCE * step + 4e-7 * float(np.abs(inner).max())
    off = np.abs(inner - origin - np.rint((inner - origin) / step) * step)
    if weight[off > tolerance].sum() > LARGEST_MISFIT * weight.sum():
        return None
    return _rational(step, origin, float(np.ptp(inner)) / step, whole)


def _nearest_line(
    index: NDArray[Any], values: Doubles, step: float, whole: bool
) -> tuple[float, float]:
    """Step and origin from which the farthest value is nearest; of whole ones, half is near."""
    steps = step + np.linspace(-1, 1, 401) * min(0.1 * step, 2 * step / np.ptp(index))
    apart = values - steps[:, None] * index
    error = np.ptp(apart, axis=1)
    good = np.flatnonzero(error <= max(float(error.min()), 1.0 if whole else 0.0))
    best = int(good[len(good) // 2])
    return float(steps[best]), float((apart[best].max() + apart[best].min()) / 2)


def _rational(step: float, origin: float, count: float, whole: bool) -> tuple[float, float]:
    """Whole steps exactly, where ``count`` of them cannot tell; the origin within one of 0."""
    nearest = round(step) if whole or abs(step - 1) < 1e-3 else 0
    if nearest and abs(step - nearest) * count < 0.3:
        step, origin = float(nearest), float(round(origin))
    return step, origin - step * round(origin / step)


def _ends(values: Doubles, counts: Doubles, lowest: float, white: float) -> tuple[float, float]:
    """Ends at which the instrument clips: a spike with next to nothing beyond, or the type's."""
    low, high = lowest, white
    for place in range(min(8, len(values) - 3)):
        if _is_spike(counts, place) and counts[:place].sum() <= BEYOND_SPIKE * counts[place]:
            low = float(values[place])
            break
    backwards = counts[::-1]
    for place in range(min(8, len(values) - 3)):
        beyond = backwards[:place].sum()
        if _is_spike(backwards, place) and beyond <= BEYOND_SPIKE * backwards[place]:
            high = float(values[::-1][place])
            break
    # One spike, seen from both sides, is no end.
    return (low, high) if low < high else (lowest, white)


def _is_spike(counts: Doubles, place: int) -> bool:
    beside = counts[place + 1 : place + 4].mean()
    return bool(counts[place] >= SPIKE * beside and counts[place] >= SMALLEST_SPIKE * counts.sum())
