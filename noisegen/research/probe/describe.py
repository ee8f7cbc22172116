"""Crops of labelled shots → what each says of its camera: prompt, statistics, strength, picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from noisegen.errors import BadReferenceError, UsageError
from noisegen.evaluation.protocol import CROP, PROTOCOL_SEED, crop_places, registered_crops
from noisegen.model.encoder import QUANTILES_SHOWN
from noisegen.model.weights import Weights
from noisegen.noise.intensities import EVEN, level_at, read_at
from noisegen.noise.statistics import NoiseStatistics
from noisegen.profiles.fit import Measured, measure_cut
from noisegen.profiles.tensors import encode
from noisegen.references.check import Reference, find_white_level
from noisegen.references.windows import Repair, cut_references
from noisegen.research.probe.shots import LabelledShot

Doubles = NDArray[np.float64]

TRIES = 4
"""Places that are looked at for each crop wanted; a place may be black, saturated or shifted."""

LEAST_LEVEL = 1e-3
"""Of the level at an intensity over the overall one, before its logarithm is taken."""


@dataclass(frozen=True, eq=False)
class DescribedCrop:
    """A crop of a shot, as vectors that a probe compares.

    Attributes:
        shot: where it comes from.
        vectors: by name, one of ``VECTORS`` each; of one length for all crops of a probe.
    """

    shot: LabelledShot
    vectors: dict[str, Doubles]


VECTORS = ("prompt", "measured statistics", "noise strength alone", "brightness alone")
"""The prompt, and what it must be compared with: what the profile holds without any encoder, the
noise's σ by channel, and the clean's brightness, which says nothing of the camera: what it tells
is the scenes' doing."""


def describe_crops(
    shot: LabelledShot,
    weights: Weights,
    count: int,
    blind: bool = False,
    white_level: float | None = None,
) -> list[DescribedCrop]:
    """Crops of 256×256 at places drawn by the shot's name, each as if it were the only reference.

    Args:
        shot: to be read.
        weights: whose encoder makes the prompts.
        count: at most so many crops.
        blind: its clean is withheld, so that it is estimated.
        white_level: of 16-bit and float pictures; found from the shot where not given.

    Raises:
        ImageError: the shot cannot be read.
        UsageError: it is smaller than a crop.
        BadReferenceError: no crop of it shows its noise.
    """
    references = shot.read()
    level = find_white_level(references) if white_level is None else white_level
    rng = np.random.default_rng([PROTOCOL_SEED, *shot.name.encode()])
    found: list[DescribedCrop] = []
    reason = (
        f"{shot.name}: no crop of it lies on its clean to the pixel; give its own clean, or none"
    )
    for reference in references:
        wanted = -(-count // len(references))
        kept = 0
        for crop, _ in zip(_crops(reference, rng), range(TRIES * wanted), strict=False):
            if blind:
                crop = replace(crop, clean=None)
            try:
                measured = measure_cut(cut_references([crop], level, Repair.MASK, weights.denoiser))
            except BadReferenceError as error:
                reason = str(error)
                continue
            found.append(DescribedCrop(shot, _vectors(measured, weights)))
            kept += 1
            if kept == wanted:
                break
    if not found:
        raise BadReferenceError(reason)
    return found


def _crops(reference: Reference, rng: np.random.Generator) -> Iterator[Reference]:
    """Parts of a reference, in random order."""
    noisy, clean = reference.noisy, reference.clean
    height, width = noisy.shape[:2]
    if min(height, width) < CROP:
        raise UsageError(
            f"{reference.name}: {width}×{height} is smaller than a crop; give {CROP}×{CROP} or more"
        )
    if clean is None:
        for place in crop_places(noisy.shape[0], (0, width), rng):
            yield replace(reference, noisy=noisy[place])
        return
    for place in registered_crops(noisy, clean, (0, width), rng):
        yield replace(reference, noisy=noisy[place], clean=clean[place])


def _vectors(measured: Measured, weights: Weights) -> dict[str, Doubles]:
    statistics = measured.statistics
    prompt = encode(measured.windows, statistics, weights).astype(np.float64)
    strength = np.log(statistics.sigma.astype(np.float64))
    channels = measured.windows.clean.swapaxes(0, 1)
    brightness = [np.histogram(clean, len(EVEN), (0, 1))[0] / clean.size for clean in channels]
    vectors = (prompt.ravel(), _statistics_vector(statistics), strength, np.concatenate(brightness))
    return dict(zip(VECTORS, vectors, strict=True))


def _statistics_vector(measured: NoiseStatistics) -> Doubles:
    """Strength, and what is measured beside it relative to it: curves, marginal, correlation."""
    scale = np.sqrt(np.mean(measured.sigma.astype(np.float64) ** 2))
    step = (measured.marginals.shape[2] - 1) // (QUANTILES_SHOWN - 1)
    parts = (
        np.log(measured.sigma),
        np.log(np.maximum(level_at(measured, EVEN) / scale, LEAST_LEVEL)),
        read_at(measured.mean, measured, EVEN) / scale,
        measured.marginals.mean(1)[:, ::step],
        measured.autocorrelation,
        measured.colour_correlation,
    )
    return np.concatenate([part.astype(np.float64).ravel() for part in parts])
