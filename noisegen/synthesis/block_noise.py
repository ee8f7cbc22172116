"""The noise of a picture's blocks: its clean, the field and the profile through the generator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from noisegen.files import to_float
from noisegen.model.classical import ByValue, Colouring, inner, shape_field
from noisegen.model.config import KERNEL
from noisegen.model.content_network import ContentNetwork
from noisegen.model.surroundings import REACH
from noisegen.model.workers import LastingWorkers
from noisegen.noise.arrays import Floats, Pixels
from noisegen.noise.drawn_stripes import stripes_of
from noisegen.noise.field import FieldKey, device_field, gaussian_field
from noisegen.profiles.profile import NoiseProfile
from noisegen.profiles.tensors import statistics_tensors
from noisegen.synthesis.blocks import Region, bounds
from noisegen.synthesis.clean_rows import HeldRows
from noisegen.synthesis.recorder import Recorder

_Model = Callable[[Tensor, Tensor], Tensor]
"""Clean with its context, and field → noise."""

MARGIN = KERNEL // 2
"""What colouring uses up of the field on every side."""

STRIP = 64
"""Rows of the field that one worker draws at a time."""


class BlockNoise:
    """Generates a profile's noise; the content network runs where it counts.

    Args:
        content: network of the learned content, on its device.
        device: this.
        workers: one runs a block.
        profile: the camera's noise.
    """

    def __init__(
        self,
        content: ContentNetwork,
        device: torch.device,
        workers: LastingWorkers,
        profile: NoiseProfile,
    ) -> None:
        self._device, self._workers = device, workers
        self._measured = profile.measured
        self._channels = len(profile.measured.sigma)
        self._statistics = statistics_tensors(profile.measured, self._channels).to(device)
        self._colouring = Colouring(self._statistics.kernel)
        self._content = content if profile.follows_content else None
        self._context = content.context if profile.follows_content else REACH
        self._by_value: dict[float, ByValue] = {}

    def blocks(
        self, blocks: Sequence[Region], held: HeldRows, white: float, key: FieldKey
    ) -> Iterator[Floats]:
        """Noise on each block of a tile: h×w×C float32, in units of the clean's scale.

        Where the clean goes beyond [0, 1], of which no reference tells, the noise is held.

        One thread a block: with more, threads would wait for each other.
        """
        context = self._context
        surround = bounds(blocks).grown(context)
        drawn = bounds(blocks).grown(MARGIN)
        clean = _with_context(held, white, surround)
        field = self._field(key, drawn)
        model = self._model_of(held.dtype, white)

        def generate(block: Region) -> Floats:
            here = block.grown(context).slices(surround)
            under = block.grown(MARGIN).slices(drawn)
            part = clean[(None, slice(None), *here)].contiguous().to(self._device)
            white_noise = field[(None, slice(None), *under)].contiguous()
            with torch.inference_mode():
                noise = self._of_planes(model, part, white_noise)
            values, shown = (
                planes[0].permute(1, 2, 0).cpu().numpy() for planes in (noise, inner(part, context))
            )
            stripes = stripes_of(self._measured, key, (block.y, block.x), shown)
            return values if stripes is None else values + stripes

        return self._workers.map(generate, blocks)

    def _model_of(self, dtype: np.dtype[Any], white: float) -> _Model:
        """The profile's noise for cleans of this type and white level."""
        if dtype != np.uint8 or white not in range(1, 256):
            return self._measured_noise
        if white not in self._by_value:
            self._by_value[white] = ByValue(
                self._statistics, int(white), self._colouring, self._content
            )
        return self._by_value[white]

    def _measured_noise(self, clean: Tensor, field: Tensor) -> Tensor:
        shaped = shape_field(field, clean, self._statistics, self._colouring, self._content)
        return shaped.noise

    def _of_planes(self, model: _Model, clean: Tensor, field: Tensor) -> Tensor:
        """1×C×h×w: a gray camera's noise on each plane by itself, by one field."""
        if self._channels > 1:
            return model(clean, field)
        noises: list[Tensor] = []
        for c in range(clean.shape[1]):
            if c and torch.equal(clean[:, c], clean[:, 0]):
                noises.append(noises[0])
            else:
                noises.append(model(clean[:, c : c + 1], field))
        return torch.cat(noises, 1)

    def _field(self, key: FieldKey, region: Region) -> Tensor:
        """The region's field: on the CPU in strips, by all workers."""
        if self._device.type != "cpu":
            size = region.height, region.width
            return device_field(key, (region.y, region.x), size, self._channels, self._device)
        strips = [(y, min(STRIP, region.bottom - y)) for y in range(region.y, region.bottom, STRIP)]
        drawn = self._workers.map(
            lambda strip: gaussian_field(
                key, strip[0], region.x, strip[1], region.width, self._channels
            ),
            strips,
        )
        return torch.from_numpy(np.concatenate(list(drawn), axis=1))


def _with_context(clean: HeldRows, white: float, surround: Region) -> Tensor:
    """The surround's clean as C×h×w; beyond the picture its edge is repeated."""
    inside = _inside(clean, surround)
    part = clean.part(inside)
    planes = to_float(part, white) if part.dtype.kind != "f" else part.astype(np.float32) / white
    planes = planes.clip(0, 1)
    tensor = torch.from_numpy(np.ascontiguousarray(planes.transpose(2, 0, 1), np.float32))
    padding = (
        inside.x - surround.x,
        surround.right - inside.right,
        inside.y - surround.y,
        surround.bottom - inside.bottom,
    )
    return F.pad(tensor.unsqueeze(0), padding, mode="replicate")[0]


def finished(clean: HeldRows, recorder: Recorder, block: Region, noise: Floats) -> Pixels:
    """Clean plus noise as the instrument records it; the part of the block inside the picture."""
    inside = _inside(clean, block)
    return recorder.record(clean.part(inside), noise[inside.slices(block)])


def _inside(clean: HeldRows, region: Region) -> Region:
    inside = region.overlap(clean.area)
    if inside is None:
        raise ValueError("a block must touch the picture")
    return inside
