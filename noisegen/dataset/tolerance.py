"""What another machine or version may differ by: the check behind ``regenerate --tolerance``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisegen.errors import ImageError
from noisegen.files import open_image

LARGEST_SHARE = 1e-3
"""Share of samples that may differ, by one step of 8 bits at most."""

BAND_SAMPLES = 2**22
"""Samples of a volume that are read at once."""

FINEST = 65535
"""Levels that floats and 32 bits are told apart by."""

Bands = Callable[[], Iterator[NDArray[Any]]]


@dataclass(frozen=True)
class _Samples:
    """A file's samples, readable again and again.

    Attributes:
        shape: of all of them.
        dtype: of each.
        bands: reads them, part by part, in an order that the shape alone decides.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    bands: Bands

    def largest(self) -> float:
        """The largest of them; 0 where there are none above."""
        return max((float(band.max()) for band in self.bands() if band.size), default=0.0)


def beyond_tolerance(old: Path, new: Path) -> str | None:
    """How far two noisy files are apart, if more than machines may differ.

    Of 8 bits no more than one sample in a thousand may differ, by a step. Of deeper ones a step is
    a 255th of what both use, as the white level of 12 bits in 16 is not the type's, and the last
    level is rounded another way anywhere.
    """
    try:
        with ExitStack() as stack:
            before, after = _samples(old, stack), _samples(new, stack)
            if before.shape != after.shape or before.dtype != after.dtype:
                return "came out in another size or type"
            return _too_far(before, after)
    except ImageError as error:
        return f"came out otherwise, and cannot be compared: {error.reason}"


def _too_far(before: _Samples, after: _Samples) -> str | None:
    step, ignored = 1.0, 0.0
    if before.dtype != np.uint8:
        white = max(before.largest(), after.largest())
        step, ignored = white / 255, white / FINEST
        if before.dtype == np.uint16:
            step, ignored = max(1.0, step), 1.0
    furthest, apart, total = 0.0, 0, 0
    for a, b in zip(before.bands(), after.bands(), strict=True):
        distance = np.abs(a.astype(np.float64) - b.astype(np.float64))
        distance[np.isnan(distance)] = np.inf
        furthest = max(furthest, float(distance.max(initial=0)))
        apart += int((distance > ignored).sum())
        total += distance.size
    share = apart / max(1, total)
    if furthest <= step and share <= LARGEST_SHARE:
        return None
    steps = f"{furthest / step:.0f} steps of 8 bits" if step else "all there is"
    return f"came out otherwise: by up to {steps}, on {100 * share:.2f} %"


def _samples(path: Path, stack: ExitStack) -> _Samples:
    """A picture's samples, or those of a volume as long as the stack is open."""
    image = stack.enter_context(open_image(path))
    volume = image.volume
    if volume is None:
        pixels = image.picture().pixels
        return _Samples(pixels.shape, pixels.dtype, lambda: iter([pixels]))
    shape = volume.header.pages, *volume.header.page_shape
    return _Samples(shape, volume.header.dtype, lambda: volume.bands(BAND_SAMPLES))
