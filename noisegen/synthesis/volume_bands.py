"""The noisy and the clean rows of a volume's pages, band by band."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from noisegen.files import PixelHash, Volume
from noisegen.profiles.profile import NoiseProfile
from noisegen.synthesis.blocks import Region
from noisegen.synthesis.levels import Levels
from noisegen.synthesis.synthesizer import Synthesizer

Samples = NDArray[Any]


@dataclass(frozen=True)
class VolumeNoise:
    """All that decides a version's noise.

    Attributes:
        profiles: of each plane.
        levels: how each plane is taken.
        band: rows that are generated at a time.
    """

    synthesizer: Synthesizer
    profiles: tuple[NoiseProfile, ...]
    levels: tuple[Levels, ...]
    seed: int
    key: str
    variant: int
    strength: float
    band: int


def clean_bands(volume: Volume, page: int, region: Region, band: int) -> Iterator[Samples]:
    """A region's rows of a page, all samples, in bands that end where the noise's do."""
    top = region.y
    while top < region.bottom:
        bottom = min((top // band + 1) * band, region.bottom)
        yield volume.rows(page, top, bottom)[:, region.x : region.right]
        top = bottom


def noisy_bands(
    volume: Volume, region: Region, noise: VolumeNoise, clean: PixelHash
) -> Iterator[Samples]:
    """A region's noisy rows of all pages; the clean ones are hashed on the way."""
    planes = volume.header.planes
    for page in range(volume.header.pages):
        here = [index for index, plane in enumerate(planes) if plane.page == page]
        # The samples of a pixel are written together, so that their planes keep in step.
        noisies = zip(*(_plane_bands(volume, index, region, noise) for index in here), strict=True)
        rows = clean_bands(volume, page, region, noise.band)
        for stored, noisy in zip(rows, noisies, strict=True):
            clean.update(stored)
            out = stored.copy()
            for index, pixels in zip(here, noisy, strict=True):
                out[:, :, planes[index].samples] = pixels
            yield out


def _plane_bands(
    volume: Volume, index: int, region: Region, noise: VolumeNoise
) -> Iterator[Samples]:
    return noise.synthesizer.synthesize_bands(
        volume.plane(index),
        noise.profiles[index],
        region,
        levels=noise.levels[index],
        seed=noise.seed,
        key=noise.key,
        variant=noise.variant,
        plane=index,
        strength=noise.strength,
        band=noise.band,
    )
