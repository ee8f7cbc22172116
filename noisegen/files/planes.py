"""All pictures of a volume in memory, by channel."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from noisegen.files.opening import RefusedError
from noisegen.files.orientation import packed
from noisegen.files.picture import Samples
from noisegen.files.volume import Volume


@dataclass(frozen=True, eq=False)
class Planes:
    """All pictures of one file, without alpha."""

    channels: tuple[str, ...]
    """Names of the channels, fit for file names and all different; one, empty, where the file
    has no channels but gray or RGB."""
    frames: tuple[tuple[Samples, ...], ...]
    """The pictures of each channel in the file's order: slices, moments or pages; all of one
    shape and type, as many in every channel."""


def planes_of(volume: Volume) -> Planes:
    """Every picture of a volume, upright; floats and signed integers as float32, as they are.

    Raises:
        RefusedError: NaN, infinite values, or 32-bit integers that do not fit into 16 bits.
    """
    found: dict[str, dict[int, Samples]] = {name: {} for name in volume.header.channels}
    for page, planes in groupby(volume.header.planes, lambda plane: plane.page):
        samples = volume.whole(page)
        for plane in planes:
            found[plane.channel][plane.frame] = _sound(samples[:, :, plane.samples])
    frames = (tuple(each[index] for index in sorted(each)) for each in found.values())
    return Planes(volume.header.channels, tuple(frames))


def _sound(samples: Samples) -> Samples:
    """Samples of a supported type."""
    if samples.dtype.kind != "u":
        with np.errstate(over="ignore"):
            floats = packed(samples.astype(np.float32))
        if not np.isfinite(floats).all():
            raise RefusedError("holds NaN or infinite values: replace them")
        return floats
    if samples.dtype.itemsize <= 2:
        return packed(samples)
    largest = int(samples.max())
    if largest > np.iinfo(np.uint16).max:
        raise RefusedError(f"32-bit integers up to {largest} are not supported: save it as float")
    return packed(samples.astype(np.uint16))
