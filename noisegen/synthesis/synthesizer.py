"""One clean picture and a noise profile → one noisy picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from noisegen.errors import NoisegenError, ProfileError
from noisegen.images import default_white_level, quantise, to_float
from noisegen.model.conditioning import Conditioning
from noisegen.model.config import KERNEL
from noisegen.model.weights import Weights
from noisegen.model.workers import single_threaded_pool
from noisegen.references.profile import NoiseProfile
from noisegen.references.tensors import statistics_tensors
from noisegen.synthesis.blocks import Region, bounds, tiles_of
from noisegen.synthesis.field import FieldKey, field_key, gaussian_field

Pixels = NDArray[Any]
Floats = NDArray[np.float32]

MARGIN = KERNEL // 2
"""What colouring uses up of the field on every side."""


STRIP = 64
"""Rows of the field that one worker draws at a time."""

DEFAULT_TILE = 1024


class CleanError(NoisegenError):
    """A clean picture that this profile's noise cannot be put on."""


class Synthesizer:
    """Puts a profile's noise on clean pictures.

    Args:
        weights: that the profiles were made with.
        device: where the generator runs.
        tile: side, in pixels, of what is prepared at once: the clean's planes and the field, which
            neighbouring blocks share. It is rounded down to whole blocks. A larger one draws less
            twice and needs more memory; the pixels stay the same.
    """

    def __init__(
        self, weights: Weights, device: str | torch.device = "cpu", tile: int = DEFAULT_TILE
    ) -> None:
        self.weights = weights
        self.device = torch.device(device)
        self.tile = tile
        self.generator = weights.generator.to(self.device)
        self.context = self.generator.context
        self._workers = single_threaded_pool(1 if self.device.type != "cpu" else None)

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
    ) -> Pixels:
        """The noisy version of a clean picture: a function of the arguments, nothing else.

        Args:
            clean: H×W or H×W×C (C is the profile's channels), uint8, uint16, or float in [0, 1].
            profile: the camera's noise.
            seed: of the dataset.
            key: what tells this picture from others, as its relative path.
            variant: number of this noisy version.
            strength: factor on the noise.
            white_level: of the clean's integers; the profile's where both have the same type.

        Returns:
            The same shape and type, clipped to the white level; integers are rounded.

        Raises:
            CleanError: gray against RGB, a type that is not supported, NaN, or pixels above the
                white level.
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
    ) -> list[Pixels]:
        """Parts of :meth:`synthesize`'s picture, bit for bit, without the rest.

        Blocks that several regions share are generated once.
        """
        if profile.weights_sha256 != self.weights.sha256:
            raise ProfileError(
                f"profile {profile.name}: made with other weights than {self.weights.name}; make "
                "it again with these (noisegen profile create --weights …)"
            )
        picture = clean[..., None] if clean.ndim == 2 else clean
        white = _check(picture, profile, white_level)
        conditioning = self._conditioning(profile)
        field = field_key(seed, key, variant)
        out = [np.empty((r.height, r.width, picture.shape[2]), picture.dtype) for r in regions]
        height, width = picture.shape[:2]
        for tile in tiles_of(regions, height, width, self.tile):
            noises = self._generate(picture, white, tile, field, conditioning)
            for block, noise in zip(tile, noises, strict=True):
                noisy = _finish(picture, white, block, noise * np.float32(strength))
                for array, region in zip(out, regions, strict=True):
                    part = region.overlap(block)
                    if part is not None:
                        array[part.slices(region)] = noisy[part.slices(block)]
        return [array[..., 0] for array in out] if clean.ndim == 2 else out

    def _conditioning(self, profile: NoiseProfile) -> Conditioning:
        tokens = torch.from_numpy(profile.tokens).unsqueeze(0).to(self.device)
        statistics = statistics_tensors(profile.applied).to(self.device)
        return Conditioning(tokens, statistics, profile.trust)

    def _generate(
        self,
        picture: Pixels,
        white: float,
        blocks: Sequence[Region],
        key: FieldKey,
        conditioning: Conditioning,
    ) -> Iterator[Floats]:
        """Noise on each block of a tile: h×w×C float32, in units of the white level.

        One block a forward pass, one thread a block: a batch or a team of threads may round sums
        differently.
        """
        surround = bounds(blocks).grown(self.context)
        drawn = surround.grown(MARGIN)
        clean = _with_context(picture, white, surround)
        field = self._field(key, drawn)

        def generate(block: Region) -> Floats:
            around = block.grown(self.context)
            here, under = around.slices(surround), around.grown(MARGIN).slices(drawn)
            crop = slice(self.context, -self.context)
            with torch.inference_mode():
                noise = self.generator(
                    clean[(None, slice(None), *here)].contiguous().to(self.device),
                    torch.from_numpy(field[(None, slice(None), *under)].copy()).to(self.device),
                    conditioning,
                )[0, :, crop, crop]
            if picture.shape[2] == 1:
                noise = noise.mean(0, keepdim=True)
            values: Floats = noise.permute(1, 2, 0).cpu().numpy()
            return values

        return self._workers.map(generate, blocks)

    def _field(self, key: FieldKey, region: Region) -> Floats:
        """The region's field, drawn in strips by all workers."""
        strips = [(y, min(STRIP, region.bottom - y)) for y in range(region.y, region.bottom, STRIP)]
        drawn = self._workers.map(
            lambda strip: gaussian_field(key, strip[0], region.x, strip[1], region.width), strips
        )
        return np.concatenate(list(drawn), axis=1)


def _check(picture: Pixels, profile: NoiseProfile, white_level: float | None) -> float:
    """The clean's white level, once the clean is known to fit the profile."""
    channels = picture.shape[2] if picture.ndim == 3 else 0
    if channels != profile.channels:
        kinds = {1: "gray", 3: "RGB"}
        have, need = kinds.get(channels, f"{channels} channels"), kinds[profile.channels]
        raise CleanError(
            f"is {have}, but profile {profile.name} is {need}; give {need} pictures, or a profile "
            f"from {have} references"
        )
    is_float = picture.dtype.kind == "f"
    if not is_float and picture.dtype not in (np.uint8, np.uint16):
        raise CleanError(f"has {picture.dtype} pixels; give 8 or 16 bits, or float in [0, 1]")
    white = white_level or _default_white(picture, profile)
    if not picture.size:
        return white
    lowest, highest = float(picture.min()), float(picture.max())
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        raise CleanError("holds NaN or infinite values; repair it")
    if lowest < 0 or highest > white:
        raise CleanError(
            f"has values from {lowest:g} to {highest:g}, outside [0, {white:g}]; give its white "
            "level (--white-level)"
        )
    return white


def _default_white(picture: Pixels, profile: NoiseProfile) -> float:
    if picture.dtype.kind == "f":
        return 1.0
    if picture.dtype.name == profile.dtype:
        return profile.white_level
    return float(default_white_level(picture.dtype))


def _with_context(picture: Pixels, white: float, surround: Region) -> Tensor:
    """The surround's clean as 3×h×w; beyond the picture its edge is repeated."""
    height, width = picture.shape[:2]
    inside = surround.overlap(Region(0, 0, height, width))
    if inside is None:
        raise ValueError("a block must touch the picture")
    part = picture[inside.slices(Region(0, 0, 0, 0))]
    planes = to_float(part, white) if part.dtype.kind != "f" else part.astype(np.float32) / white
    tensor = torch.from_numpy(np.ascontiguousarray(planes.transpose(2, 0, 1), np.float32))
    padding = (
        inside.x - surround.x,
        surround.right - inside.right,
        inside.y - surround.y,
        surround.bottom - inside.bottom,
    )
    padded = F.pad(tensor.unsqueeze(0), padding, mode="replicate")[0]
    return padded.expand(3, *padded.shape[-2:])


def _finish(picture: Pixels, white: float, block: Region, noise: Floats) -> Pixels:
    """Clean plus noise, clipped and quantised; the part of the block inside the picture."""
    inside = block.overlap(Region(0, 0, *picture.shape[:2]))
    if inside is None:
        raise ValueError("a block must touch the picture")
    clean = picture[inside.slices(Region(0, 0, 0, 0))]
    values = noise[inside.slices(block)]
    if picture.dtype.kind == "f":
        noisy: Pixels = (clean + values * white).clip(0, white).astype(picture.dtype)
        return noisy
    return quantise(to_float(clean, white) + values, white, picture.dtype)
