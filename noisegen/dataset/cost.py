"""What a dataset will cost: pairs, time and disk, from headers and one timed picture."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from noisegen.dataset.plan import DatasetOptions
from noisegen.dataset.survey import Declared
from noisegen.files import VolumeHeader
from noisegen.profiles.profile import NoiseProfile
from noisegen.synthesis.blocks import SIDE
from noisegen.synthesis.synthesizer import Synthesizer

COMPRESSION = 0.75
"""Size of a noisy PNG or TIFF relative to its raw pixels: noise hardly compresses."""

OTHER_WORK = 1.3
"""Reading, hashing, encoding and writing beside the network, relative to it."""

SMALL = 64
"""Side of a picture whose time is mostly that of any picture: the margin around its block."""

SMALL_TRIALS = 4
"""Times that the small picture is made: one is too short to be timed."""


@dataclass(frozen=True)
class Cost:
    """What a dataset would come to.

    Attributes:
        pairs: that the clean files give.
        pixels: of all noisy pictures.
        seconds: on this machine, about.
        megabytes: of noisy and clean files together, about.
    """

    pairs: int
    pixels: int
    seconds: float
    megabytes: float


def cost_of(
    headers: Sequence[Declared],
    profiles: Sequence[NoiseProfile],
    synthesizer: Synthesizer,
    options: DatasetOptions,
) -> Cost:
    """Counts what usable clean files will give, and times one block."""
    pairs, pixels, stored, generated = 0, 0, 0.0, 0
    for header in headers:
        crops = options.crops_of(header.width, header.height)
        size = options.patch**2 if options.patch else header.width * header.height
        pairs += crops * options.variants
        # Crops are parts of the whole picture: they cost at most the whole.
        whole = header.width * header.height
        # A file may be of several planes; samples are those of all of them at one place.
        planes, samples = 1, header.plane_channels
        if isinstance(header, VolumeHeader):
            planes, samples = len(header.planes), header.pages * header.samples
        else:
            samples += header.has_alpha
        pixels += crops * size * planes * options.variants
        generated += min(crops * size * 4, whole) * planes * options.variants
        stored += 2 * COMPRESSION * crops * size * samples * header.dtype.itemsize
    a_pixel, a_picture = _timed(profiles[0], synthesizer)
    made = len(headers) * options.variants
    seconds = (generated * a_pixel + made * a_picture) * OTHER_WORK
    megabytes = stored * options.variants / 1e6
    return Cost(pairs, pixels, seconds, megabytes)


def _timed(profile: NoiseProfile, synthesizer: Synthesizer) -> tuple[float, float]:
    """Seconds that all threads at work take for each pixel, and for each picture besides.

    A picture with a block for every thread is timed, and a small one, after a first.
    """
    threads = torch.get_num_threads()
    side = SIDE * math.ceil(math.sqrt(threads))
    trial = np.full((side, side, profile.channels), 128, np.uint8)
    small = trial[:SMALL, :SMALL]
    synthesizer.synthesize(small, profile)
    start = time.perf_counter()
    synthesizer.synthesize(trial, profile)
    whole = time.perf_counter() - start
    start = time.perf_counter()
    for _ in range(SMALL_TRIALS):
        synthesizer.synthesize(small, profile)
    pixel = whole / side**2
    # A small picture keeps one thread busy; the others have pictures of their own meanwhile.
    alone = (time.perf_counter() - start) / SMALL_TRIALS
    return pixel, max(0.0, alone / threads - pixel * SMALL**2)
