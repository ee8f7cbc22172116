"""What a dataset will cost: pairs, time and disk, from headers and one timed picture."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from noisegen.images.volume_header import VolumeHeader
from noisegen.references.profile import NoiseProfile
from noisegen.synthesis.blocks import SIDE
from noisegen.synthesis.plan import SynthesisOptions
from noisegen.synthesis.survey import Declared
from noisegen.synthesis.synthesizer import Synthesizer

COMPRESSION = 0.75
"""Size of a noisy PNG or TIFF relative to its raw pixels: noise hardly compresses."""

OTHER_WORK = 1.3
"""Reading, hashing, encoding and writing beside the network, relative to it."""


@dataclass(frozen=True)
class Estimate:
    """What would be made.

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


def estimate(
    headers: Sequence[Declared],
    profiles: Sequence[NoiseProfile],
    synthesizer: Synthesizer,
    options: SynthesisOptions,
) -> Estimate:
    """Counts what usable clean files will give, and times one block."""
    pairs, pixels, stored, generated = 0, 0, 0.0, 0
    for header in headers:
        crops, size = _crops(header, options)
        pairs += crops * options.variants
        # Crops are parts of the whole picture: they cost at most the whole.
        whole = header.width * header.height
        planes, samples = _planes_and_samples(header)
        pixels += crops * size * planes * options.variants
        generated += min(crops * size * 4, whole) * planes * options.variants
        stored += 2 * COMPRESSION * crops * size * samples * header.dtype.itemsize
    seconds = generated * _seconds_a_pixel(profiles[0], synthesizer) * OTHER_WORK
    megabytes = stored * options.variants / 1e6
    return Estimate(pairs, pixels, seconds, megabytes)


def _planes_and_samples(header: Declared) -> tuple[int, int]:
    """Planes of a file, and samples of all of them at one place."""
    if isinstance(header, VolumeHeader):
        return len(header.planes), header.pages * header.samples
    return 1, header.channels + header.has_alpha


def _crops(header: Declared, options: SynthesisOptions) -> tuple[int, int]:
    """Crops of a picture and the pixels of each."""
    side = options.patch
    if side is None:
        return 1, header.width * header.height
    places = ((header.height - side) // 8 + 1) * ((header.width - side) // 8 + 1)
    return min(options.per_image, places), side * side


def _seconds_a_pixel(profile: NoiseProfile, synthesizer: Synthesizer) -> float:
    """This machine's rate on a picture with a block for every thread, after a first small one."""
    side = SIDE * math.ceil(math.sqrt(torch.get_num_threads()))
    trial = np.full((side, side, profile.channels), 128, np.uint8)
    synthesizer.synthesize(trial[:64, :64], profile)
    start = time.perf_counter()
    synthesizer.synthesize(trial, profile)
    return (time.perf_counter() - start) / side**2
