"""One clean picture and a noise profile → one noisy picture."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch

from noisegen.errors import ProfileError, UsageError
from noisegen.model.weights import Weights
from noisegen.model.workers import LastingWorkers
from noisegen.noise.arrays import Pixels
from noisegen.noise.field import field_key
from noisegen.profiles.profile import NoiseProfile
from noisegen.synthesis.block_noise import BlockNoise, finished
from noisegen.synthesis.blocks import SIDE, Region, bounds, tiles_of
from noisegen.synthesis.clean_rows import ArrayRows, CleanRows, HeldRows, band_rows, checked_levels
from noisegen.synthesis.levels import CleanError as CleanError
from noisegen.synthesis.levels import Levels
from noisegen.synthesis.recorder import Recorder

DEFAULT_TILE = 1024
"""Side in pixels of what is prepared at once: memory against speed."""

KEPT = 8
"""Profiles whose tables are kept between pictures."""


@dataclass(frozen=True)
class Version:
    """One noisy version of a clean file.

    Attributes:
        seed: of the dataset.
        key: what tells the file from others, as its relative path.
        variant: number of the version.
        strength: factor on the noise.

    Raises:
        UsageError: a seed or number that is not whole (as text, 1 and 1.0 are two), a number below
            0, or a strength that is none.
    """

    seed: int = 0
    key: str = ""
    variant: int = 0
    strength: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.strength, Real):
            raise UsageError(f"strength={self.strength!r}: give one number")
        for name, value in (("seed", self.seed), ("variant", self.variant)):
            if not isinstance(value, Integral) or isinstance(value, bool):
                raise UsageError(f"{name}={value!r}: give a whole number")
        if self.variant < 0:
            raise UsageError(f"variant={self.variant}: give 0 or more")
        if not (math.isfinite(self.strength) and self.strength >= 0):
            raise UsageError(f"strength={self.strength}: give a factor of 0 or more")


@dataclass(frozen=True)
class PlaneNoise:
    """All that decides the noise of a picture, or of one plane of a file of several.

    Attributes:
        profile: the camera's noise.
        levels: how the clean is taken, from :meth:`Synthesizer.check`.
        version: of the file.
        plane: its number; 0 is the only one's.
    """

    profile: NoiseProfile
    levels: Levels
    version: Version
    plane: int = 0


class Synthesizer:
    """Puts a profile's noise on clean pictures.

    Args:
        weights: that the profiles were made with.
        device: where the noise is made.
        tile: side, in pixels, of what is prepared at once: the clean's planes and the field, which
            neighbouring blocks share. It is rounded down to whole blocks. A larger one draws less
            twice and needs more memory; the pixels stay the same.
        threads: on the CPU; torch's number where not given. They change no pixel.
    """

    def __init__(
        self,
        weights: Weights,
        device: str | torch.device = "cpu",
        tile: int = DEFAULT_TILE,
        threads: int | None = None,
    ) -> None:
        self.weights = weights
        self.device = torch.device(device)
        self.tile = tile
        # Of its own: profiles are measured with the weights' one, on the CPU.
        self.content = copy.deepcopy(weights.content).to(self.device)
        self._workers = LastingWorkers(1 if self.device.type != "cpu" else threads)
        self._noises: dict[int, BlockNoise] = {}

    def __getstate__(self) -> dict[str, Any]:
        # What is kept for the next picture is made anew by a copy.
        return vars(self) | {"_noises": {}}

    def synthesize(
        self,
        clean: Pixels,
        profile: NoiseProfile,
        *,
        seed: int = 0,
        key: str = "",
        variant: int = 0,
        strength: float = 1.0,
        white_level: float | None = None,
        levels: Levels | None = None,
    ) -> Pixels:
        """The noisy version of a clean picture: a function of the arguments, nothing else.

        Args:
            clean: H×W or H×W×C (C is the profile's channels), uint8, uint16, uint32, int16
                or float.
            profile: the camera's noise.
            seed: of the dataset.
            key: what tells this picture from others, as its relative path.
            variant: number of this noisy version.
            strength: factor on the noise.
            white_level: the count that is white in the clean. Counts of the references' own type,
                or counts in both, mean the same light, and a level that contradicts the profile's
                is refused. Of another type, where not given: the type's largest value, 1 for
                floats; see :mod:`.levels`.
            levels: of the whole picture, from :meth:`check`, where the clean is a part of it.

        Returns:
            The same shape and type, clipped to the white level; integers are rounded.

        Raises:
            CleanError: gray against RGB, a type that is not supported, NaN, pixels above the white
                level or, where the references have none, below 0, or a level that contradicts the
                profile's.
            ProfileError: the profile was made with other weights.
            UsageError: a variant or strength below 0, or a seed that is no whole number.
        """
        clean = np.asarray(clean)
        clean = clean.astype(clean.dtype.newbyteorder("="), copy=False)
        if clean.ndim not in (2, 3):
            raise CleanError(f"has the shape {clean.shape}; give H×W or H×W×C")
        whole = [Region(0, 0, *clean.shape[:2])]
        version = Version(seed, key, variant, strength)
        (noisy,) = self.synthesize_regions(
            clean, profile, whole, version, white_level=white_level, levels=levels
        )
        return noisy

    def synthesize_regions(
        self,
        clean: Pixels,
        profile: NoiseProfile,
        regions: Sequence[Region],
        version: Version,
        *,
        white_level: float | None = None,
        levels: Levels | None = None,
    ) -> list[Pixels]:
        """Parts of :meth:`synthesize`'s picture, bit for bit, without the rest.

        Returns:
            Views of one picture: however many they are, they take no more memory than it.
        """
        picture = clean[..., None] if clean.ndim == 2 else clean
        rows = ArrayRows(picture)
        levels = levels or self.check([rows], profile, white_level)
        area = bounds(regions)
        # What no block reaches is never touched, and takes no memory.
        noisy = np.empty((area.height, area.width, picture.shape[2]), picture.dtype)
        noise = PlaneNoise(profile, levels, version)
        self._fill(noisy, area, regions, HeldRows(rows), noise)
        noisy = noisy[..., 0] if clean.ndim == 2 else noisy
        return [noisy[region.slices(area)] for region in regions]

    def check(
        self, planes: Sequence[CleanRows], profile: NoiseProfile, white_level: float | None
    ) -> Levels:
        """Levels of the planes of one clean, once the profile's noise is known to fit them.

        Raises:
            CleanError: it does not.
            ProfileError: the profile was made with other weights, or does not fit them.
            UsageError: it is none.
        """
        if not isinstance(profile, NoiseProfile):
            raise UsageError(
                f"profile {str(profile)[:60]!r}: give a NoiseProfile, as NoiseProfile.load reads"
            )
        if profile.weights_sha256 != self.weights.sha256:
            raise ProfileError(
                f"profile {profile.name}: made with other weights than {self.weights.name}; make "
                "it again with these (noisegen profile create --weights …)"
            )
        if profile.follows_content and profile.maps != self.content.config.features:
            raise ProfileError(
                f"profile {profile.name}: holds numbers for {profile.maps} maps, "
                f"{self.weights.name} makes {self.content.config.features}; make it again"
            )
        return checked_levels(planes, profile, white_level)

    def synthesize_bands(
        self, clean: CleanRows, region: Region, noise: PlaneNoise, band: int | None = None
    ) -> Iterator[Pixels]:
        """A part of :meth:`synthesize`'s picture, bit for bit, in bands from top to bottom.

        Args:
            clean: of which only rows near a band are read at a time.
            region: inside the clean.
            noise: on it.
            band: most rows of a band; as many as are quick and take little memory if left out.

        Yields:
            h×w×C of the clean's type.
        """
        _, width, channels = clean.shape
        rows = band or band_rows(width, channels, self.tile)
        held = HeldRows(clean)
        # Bands end where blocks do, so that no block is generated twice.
        top = region.y
        while top < region.bottom:
            bottom = min((top // rows + 1) * rows, region.bottom)
            part = Region(top, region.x, bottom - top, region.width)
            noisy = np.empty((part.height, part.width, channels), clean.dtype)
            self._fill(noisy, part, [part], held, noise)
            yield noisy
            top = bottom

    def _noise_of(self, profile: NoiseProfile) -> BlockNoise:
        """The profile's noise, kept for the pictures after this one."""
        # It holds its statistics, so that no others can have their identity.
        noise = self._noises.get(id(profile.measured))
        if noise is None:
            noise = BlockNoise(self.content, self.device, self._workers, profile)
            # A new dictionary: other threads may look into the old one.
            kept = list(self._noises.items())[1 - KEPT :]
            self._noises = {**dict(kept), id(profile.measured): noise}
        return noise

    def _fill(
        self,
        noisy: Pixels,
        area: Region,
        regions: Sequence[Region],
        clean: HeldRows,
        noise: PlaneNoise,
    ) -> None:
        """Generates the blocks that the regions touch, each once, into the area's array."""
        profile, levels, version = noise.profile, noise.levels, noise.version
        recorder = Recorder.of(profile, levels, clean.dtype)
        noise_of = self._noise_of(profile)
        field = field_key(version.seed, version.key, version.variant, noise.plane)
        # A GPU is kept busy by nothing less than a tile.
        side = SIDE if self.device.type == "cpu" else self.tile
        for tile in tiles_of(regions, self.tile, side):
            drawn = noise_of.blocks(tile, clean, levels.scale, field)
            for block, values in zip(tile, drawn, strict=True):
                scaled = values * np.float32(version.strength)
                recorded = finished(clean, recorder, block, scaled)
                part = area.overlap(block)
                if part is not None:
                    noisy[part.slices(area)] = recorded[part.slices(block)]
