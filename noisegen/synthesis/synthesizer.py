"""One clean picture and a noise profile → one noisy picture."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from noisegen.errors import ProfileError
from noisegen.model.weights import Weights
from noisegen.model.workers import single_threaded_pool
from noisegen.noise.field import FieldKey, field_key
from noisegen.profiles.profile import NoiseProfile
from noisegen.synthesis.block_noise import BlockNoise, finished
from noisegen.synthesis.blocks import Region, tiles_of
from noisegen.synthesis.clean_check import CleanError as CleanError
from noisegen.synthesis.clean_check import checked_levels
from noisegen.synthesis.clean_rows import ArrayRows, CleanRows, HeldRows, band_rows
from noisegen.synthesis.levels import Levels
from noisegen.synthesis.recorder import Recorder

Pixels = NDArray[Any]

DEFAULT_TILE = 1024


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
        self._workers = single_threaded_pool(1 if self.device.type != "cpu" else threads)

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
            clean: H×W or H×W×C (C is the profile's channels), uint8, uint16, uint32 or float.
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
        """
        height, width = clean.shape[:2]
        whole = [Region(0, 0, height, width)]
        return self.synthesize_regions(
            clean,
            profile,
            whole,
            seed=seed,
            key=key,
            variant=variant,
            strength=strength,
            white_level=white_level,
            levels=levels,
        )[0]

    def synthesize_regions(
        self,
        clean: Pixels,
        profile: NoiseProfile,
        regions: Sequence[Region],
        *,
        seed: int = 0,
        key: str = "",
        variant: int = 0,
        strength: float = 1.0,
        white_level: float | None = None,
        levels: Levels | None = None,
    ) -> list[Pixels]:
        """Parts of :meth:`synthesize`'s picture, bit for bit, without the rest.

        Blocks that several regions share are generated once.
        """
        picture = clean[..., None] if clean.ndim == 2 else clean
        rows = ArrayRows(picture)
        levels = levels or self.check([rows], profile, white_level)
        out = [np.empty((r.height, r.width, picture.shape[2]), picture.dtype) for r in regions]
        field = field_key(seed, key, variant)
        self._fill(out, regions, HeldRows(rows), profile, levels, field, strength)
        return [array[..., 0] for array in out] if clean.ndim == 2 else out

    def check(
        self, planes: Sequence[CleanRows], profile: NoiseProfile, white_level: float | None
    ) -> Levels:
        """How the planes of one clean are taken, once the profile's noise is known to fit them.

        Raises:
            CleanError: it does not.
            ProfileError: the profile was made with other weights, or does not fit them.
        """
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
        self,
        clean: CleanRows,
        profile: NoiseProfile,
        region: Region,
        *,
        levels: Levels,
        seed: int = 0,
        key: str = "",
        variant: int = 0,
        plane: int = 0,
        strength: float = 1.0,
        band: int | None = None,
    ) -> Iterator[Pixels]:
        """A part of :meth:`synthesize`'s picture, bit for bit, in bands from top to bottom.

        Args:
            clean: of which only rows near a band are read at a time.
            profile: the camera's noise.
            region: inside the clean.
            levels: how the clean is taken, from :meth:`check`.
            seed: of the dataset.
            key: what tells this picture from others.
            variant: number of this noisy version.
            plane: number of this plane among those of one picture; 0 is the only one's.
            strength: factor on the noise.
            band: most rows of a band; as many as are quick and take little memory if left out.

        Yields:
            h×w×C of the clean's type.
        """
        _, width, channels = clean.shape
        rows = band or band_rows(width, channels, self.tile)
        field = field_key(seed, key, variant, plane)
        held = HeldRows(clean)
        # Bands end where blocks do, so that no block is generated twice.
        top = region.y
        while top < region.bottom:
            bottom = min((top // rows + 1) * rows, region.bottom)
            part = Region(top, region.x, bottom - top, region.width)
            out = np.empty((part.height, part.width, channels), clean.dtype)
            self._fill([out], [part], held, profile, levels, field, strength)
            yield out
            top = bottom

    def _fill(
        self,
        out: Sequence[Pixels],
        regions: Sequence[Region],
        clean: HeldRows,
        profile: NoiseProfile,
        levels: Levels,
        field: FieldKey,
        strength: float,
    ) -> None:
        """Generates the blocks that the regions touch, into one array a region."""
        recorder = Recorder.of(profile, levels, clean.dtype)
        noise_of = BlockNoise(self.content, self.device, self._workers, profile)
        for tile in tiles_of(regions, clean.area.height, clean.area.width, self.tile):
            noises = noise_of.blocks(tile, clean, levels.scale, field)
            for block, noise in zip(tile, noises, strict=True):
                noisy = finished(clean, recorder, block, noise * np.float32(strength))
                for array, region in zip(out, regions, strict=True):
                    part = region.overlap(block)
                    if part is not None:
                        array[part.slices(region)] = noisy[part.slices(block)]
