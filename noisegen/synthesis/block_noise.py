"""The noise of a picture's blocks: its clean, the field and the profile through the generator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from noisegen.images import quantise, to_float
from noisegen.model.conditioning import Conditioning
from noisegen.model.config import KERNEL
from noisegen.model.generator import Generator
from noisegen.references.profile import NoiseProfile
from noisegen.references.tensors import statistics_tensors
from noisegen.synthesis.blocks import Region, bounds
from noisegen.synthesis.clean_rows import HeldRows
from noisegen.synthesis.field import FieldKey, gaussian_field

Pixels = NDArray[Any]
Floats = NDArray[np.float32]

MARGIN = KERNEL // 2
"""What colouring uses up of the field on every side."""

STRIP = 64
"""Rows of the field that one worker draws at a time."""


class BlockNoise:
    """Generates a profile's noise.

    Args:
        generator: on its device.
        device: this.
        workers: one runs a block.
        profile: the camera's noise.
    """

    def __init__(
        self,
        generator: Generator,
        device: torch.device,
        workers: ThreadPoolExecutor,
        profile: NoiseProfile,
    ) -> None:
        self._generator, self._device, self._workers = generator, device, workers
        self._channels = profile.channels
        tokens = torch.from_numpy(profile.tokens).unsqueeze(0).to(device)
        statistics = statistics_tensors(profile.applied).to(device)
        self._conditioning = Conditioning(tokens, statistics, profile.trust)

    def blocks(
        self, blocks: Sequence[Region], held: HeldRows, white: float, key: FieldKey
    ) -> Iterator[Floats]:
        """Noise on each block of a tile: h×w×C float32, in units of the white level.

        One block a forward pass, one thread a block: a batch or a team of threads may round sums
        differently.
        """
        context = self._generator.context
        surround = bounds(blocks).grown(context)
        drawn = surround.grown(MARGIN)
        clean = _with_context(held, white, surround)
        field = self._field(key, drawn)

        def generate(block: Region) -> Floats:
            around = block.grown(context)
            here, under = around.slices(surround), around.grown(MARGIN).slices(drawn)
            crop = slice(context, -context)
            with torch.inference_mode():
                noise = self._generator(
                    clean[(None, slice(None), *here)].contiguous().to(self._device),
                    torch.from_numpy(field[(None, slice(None), *under)].copy()).to(self._device),
                    self._conditioning,
                )[0, :, crop, crop]
            if self._channels == 1:
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


def _with_context(clean: HeldRows, white: float, surround: Region) -> Tensor:
    """The surround's clean as 3×h×w; beyond the picture its edge is repeated."""
    inside = _inside(clean, surround)
    part = clean.part(inside)
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


def finished(clean: HeldRows, white: float, block: Region, noise: Floats) -> Pixels:
    """Clean plus noise, clipped and quantised; the part of the block inside the picture."""
    inside = _inside(clean, block)
    samples = clean.part(inside)
    values = noise[inside.slices(block)]
    if clean.dtype.kind == "f":
        noisy: Pixels = (samples + values * white).clip(0, white).astype(clean.dtype)
        return noisy
    if clean.dtype == np.uint32:
        # Not all of its values are float32's.
        exact = np.rint(samples + values.astype(np.float64) * white)
        return exact.clip(0, np.floor(white)).astype(np.uint32)
    return quantise(to_float(samples, white) + values, white, clean.dtype)


def _inside(clean: HeldRows, region: Region) -> Region:
    inside = region.overlap(clean.area)
    if inside is None:
        raise ValueError("a block must touch the picture")
    return inside
