"""The denoiser of the weights on a noisy reference: a clean estimate, and how far it may err."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from noisegen.model.config import Precision
from noisegen.model.denoiser import Denoiser
from noisegen.model.workers import single_threaded_pool
from noisegen.noise.arrays import Floats
from noisegen.noise.windows import spread_evenly

BLOCK = 256
"""Largest side of what is denoised in one pass, in pixels, before its context is added."""

STEP = 64
"""Sides of smaller pictures' blocks are multiples of this."""

MAX_BLOCKS = 48
"""Blocks of a reference that are looked at, spread evenly: 3 Mpx. With a third of them the noise
level of four of PolyU's shots was off by 0.300 in powers of two, else by 0.263."""

CONTEXT = 32
"""Pixels around a block that are denoised with it. The denoiser sees up to 90 px, but hardly there:
with all of them levels are off just as far, in twice the time."""


@dataclass(frozen=True)
class EstimatedBlock:
    """A part of a reference; all h×w×C in units of the white level.

    Attributes:
        clean: its estimate, not clipped.
        error: squared error to expect of the estimate.
        top: its first row in the reference.
        left: its first column.
        around: as it was, with CONTEXT pixels and more on each side, mirrored beyond the picture.
    """

    clean: Floats
    error: Floats
    top: int
    left: int
    around: Floats

    @property
    def within(self) -> tuple[slice, slice]:
        """Rows and columns of it in what is around it."""
        height, width = self.clean.shape[:2]
        return slice(CONTEXT, CONTEXT + height), slice(CONTEXT, CONTEXT + width)

    @property
    def place(self) -> tuple[slice, slice]:
        """Rows and columns of it in the reference."""
        height, width = self.clean.shape[:2]
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    def estimated_again(self, noisy: Floats, denoiser: Denoiser) -> EstimatedBlock:
        """Estimate the block with other noisy pixels, h×w×C, in the same surroundings."""
        around = self.around.copy()
        around[self.within] = noisy
        clean, error = _denoised(around, denoiser)
        return replace(self, clean=clean[self.within], error=error[self.within], around=around)


def estimated_blocks(noisy: Floats, denoiser: Denoiser) -> list[EstimatedBlock]:
    """Blocks on the picture's 8×8 grid, with their clean estimates.

    A block's context is mirrored beyond the picture. One thread a block, always of the same shape,
    so that the estimate does not depend on the number of threads.

    Args:
        noisy: H×W×C in [0, 1], C is 1 or 3.
        denoiser: on the CPU.
    """
    tall, wide = (min(BLOCK, -(-length // STEP) * STEP) for length in noisy.shape[:2])
    # Which row and column stands where, mirrored as far beyond the picture as a block may reach.
    rows, columns = (
        np.pad(np.arange(length), (CONTEXT, side + CONTEXT), "reflect")
        for length, side in zip(noisy.shape[:2], (tall, wide), strict=True)
    )
    places = list(_places(*noisy.shape[:2]))
    chosen = spread_evenly(len(places), MAX_BLOCKS)

    def estimated(index: int) -> EstimatedBlock:
        top, left = places[index]
        down, across = slice(top, top + tall + 2 * CONTEXT), slice(left, left + wide + 2 * CONTEXT)
        around = noisy[np.ix_(rows[down], columns[across])]
        height, width = noisy[top : top + BLOCK, left : left + BLOCK].shape[:2]
        inner = slice(CONTEXT, CONTEXT + height), slice(CONTEXT, CONTEXT + width)
        clean, error = (whole[inner].copy() for whole in _denoised(around, denoiser))
        return EstimatedBlock(clean, error, top, left, around)

    with single_threaded_pool() as workers:
        return list(workers.map(estimated, chosen))


def _denoised(noisy: Floats, denoiser: Denoiser) -> tuple[Floats, Floats]:
    """Clean estimate and squared error of h×w×C pixels."""
    planes = torch.from_numpy(np.ascontiguousarray(noisy.transpose(2, 0, 1)))[None]
    coarse = denoiser.precision is Precision.BFLOAT16
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=coarse):
        whole = planes.expand(1, 3, -1, -1).contiguous()
        estimate, _ = denoiser(whole, denoiser.config.spot)
    clean, error = (
        (x[0].mean(0, keepdim=True) if noisy.shape[2] == 1 else x[0]).permute(1, 2, 0).contiguous()
        for x in (estimate.clean, estimate.log_variance.exp())
    )
    return clean.numpy(), error.numpy()


def _places(height: int, width: int) -> Iterator[tuple[int, int]]:
    for top in range(0, height, BLOCK):
        for left in range(0, width, BLOCK):
            yield top, left
