"""Draws what the prior over cameras is made of: curves of simulated cameras, and what they follow.

Every camera looks at gray patches from black to white, a little tinted and textured, and its noise
is measured as a reference's is: mean and level before clipping, against intensity. Cameras are
drawn in chunks, each a function of the seed and its number, in any number of processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch.nn import functional as F

from noisegen.model.config import ACTIVITY_NODES, WINDOW
from noisegen.noise.arrays import Bytes, Doubles, Floats
from noisegen.noise.cells import Cells
from noisegen.noise.censoring import before_rounding, hidden, moments
from noisegen.noise.curves import positions
from noisegen.noise.prior import INTENSITIES
from noisegen.noise.record import Recording
from noisegen.noise.sample import Sample
from noisegen.noise.statistics import measure
from noisegen.noise.windows import Windows, cut, cut_places
from noisegen.simulator import draw_setting, input_side, simulate
from noisegen.training.crops import CropConfig, SimulatedCrops
from noisegen.training.drawn_settings import dead_leaves
from noisegen.training.prepare import in_processes

CHUNK = 16
"""Cameras of a chunk, simulated at once."""

PATCHES = 4
"""Gray patches at each intensity, of WINDOW² pixels each."""

TINT = 0.05
"""Standard deviation of a patch's channels around its gray, of white."""

TEXTURE = (0.002, 0.06)
"""Standard deviations of the patches' texture, of white, even in their logarithm."""

SCENES, LEAVES = 8, 120
"""Crops of a camera whose noise follows activity, and procedural pictures that they are of."""

QUIETEST = 0.8 / 255
"""Cameras whose level nowhere reaches this are left out: rounding hides most of it."""


def draw_cameras(
    count: int, seed: int, device: str = "cpu", processes: int = 1
) -> Iterator[Doubles]:
    """Draws curves of about ``count`` simulated cameras, less those too quiet, by chunks.

    Returns:
        N×2×3×G each: mean and level before clipping, of white, of each channel at INTENSITIES; N
        may be less than CHUNK.
    """
    chunk = partial(draw_chunk, seed=seed, device=device)
    return in_processes(chunk, range(-(-count // CHUNK)), processes)


def draw_chunk(number: int, seed: int, device: str = "cpu") -> Doubles:
    """Draws one chunk's curves, as :func:`draw_cameras` yields them."""
    rng = np.random.default_rng([seed, number])
    # The patches span the range as they are; the clean is what the camera makes of no noise.
    drawn = [draw_setting(rng) for _ in range(CHUNK)]
    settings = [replace(setting, dimming=1.0, exposures=0) for setting in drawn]
    patches = _patches(rng, input_side(settings, WINDOW))
    generator = torch.Generator(device).manual_seed(int(rng.integers(2**62)))
    with torch.inference_mode():
        shots = simulate(torch.from_numpy(patches).to(device), settings, generator, WINDOW)
    noisy, clean = (pictures.cpu().numpy() for pictures in shots)
    curves = np.stack([_measured(*pair) for pair in zip(noisy, clean, strict=True)])
    loud: Doubles = curves[curves[:, 1].max((1, 2)) >= QUIETEST]
    return loud


def _patches(rng: np.random.Generator, side: int) -> Floats:
    """Draws gray patches, CHUNK×S×3×side×side in [0, 1]."""
    count = len(INTENSITIES) * PATCHES
    colours = np.repeat(INTENSITIES, PATCHES)[:, None] + rng.normal(0, TINT, (CHUNK, count, 3))
    coarse = rng.standard_normal((CHUNK * count, 1, side // 4 + 1, side // 4 + 1), np.float32)
    texture = F.interpolate(torch.from_numpy(coarse), (side, side), mode="bilinear").numpy()
    low, high = np.log(TEXTURE)
    strength = np.exp(rng.uniform(low, high, (CHUNK, count, 1, 1, 1)))
    textures = strength * texture.reshape(CHUNK, count, 1, side, side)
    return np.asarray((colours[..., None, None] + textures).clip(0, 1), np.float32)


def _measured(noisy: Bytes, clean: Bytes) -> Doubles:
    """Mean and level, 2×3×G, of S×3×WINDOW×WINDOW shots."""
    pure = clean.astype(np.float32) / np.float32(255)
    residual = (noisy.astype(np.float32) - clean) / np.float32(255)
    step = np.full(3, 1 / 255)
    places = np.pad(np.arange(len(pure))[:, None], ((0, 0), (0, 2)))
    windows = Windows(residual, pure, False, Recording.even(3, 1 / 255), places)
    nodes = np.tile(INTENSITIES, (3, 1))
    position = positions(nodes, pure)
    sample = Sample(windows, nodes, position, Cells.of(position, nodes))
    fit = moments(sample, hidden(sample))
    return np.stack([fit.mean, before_rounding(fit.level, step)])


def draw_activities(count: int, seed: int, device: str = "cpu") -> Iterator[Doubles]:
    """Draws how the noise of about ``count`` cameras follows activity, over dead leaves.

    Yields:
        N×ACTIVITY_NODES, natural logarithms of factors on the variance: three channels of each
        camera of a chunk that is loud enough.
    """
    config = CropConfig(settings=CHUNK, scenes=SCENES, exposures=16, black=0.0)
    leaves = dead_leaves(LEAVES, 320, seed)
    crops = SimulatedCrops(leaves, config, seed, torch.device(device))
    for _ in range(-(-count // CHUNK)):
        rows = [_followed(pairs.cpu().numpy()) for pairs in crops.new()]
        yield np.concatenate([np.empty((0, ACTIVITY_NODES)), *rows])


def _followed(pairs: Bytes) -> Doubles:
    """Activities of one camera's crops, S×2×3×h×w; none of a quiet one."""
    noisy, clean = pairs.transpose(1, 0, 3, 4, 2).astype(np.float32) / np.float32(255)
    rows = np.concatenate(list(noisy - clean)), np.concatenate(list(clean))
    residual, pure = (cut(picture) for picture in rows)
    places = cut_places(*rows[0].shape[:2])
    statistics = measure(Windows(residual, pure, False, Recording.even(3, 1 / 255), places))
    loud = statistics.sigma >= QUIETEST
    return statistics.activity[loud].astype(np.float64)


def draw_sensors(count: int, seed: int) -> Doubles:
    """Draws curves of gray instruments that record light as it is, N×2×1×G: mostly microscopes.

    Variance is that of reading out, of photons and of unequal pixels, over an offset or none. All
    sizes are drawn evenly in their logarithm, of white: reading 1e-4 to 0.05, a photon 1e-5 to
    0.05, offset 1e-3 to 0.2, pixels 1e-3 to 0.02.
    """
    rng = np.random.default_rng([seed, *b"sensors"])

    def size(low: float, high: float, share: float = 1.0) -> Doubles:
        drawn = np.exp(rng.uniform(np.log(low), np.log(high), (count, 1)))
        return np.asarray(drawn * (rng.random((count, 1)) < share), np.float64)

    light = np.maximum(INTENSITIES - size(1e-3, 0.2, 0.5), 0)
    variance = size(1e-4, 0.05) ** 2 + size(1e-5, 0.05) * light
    level = np.sqrt(variance + (size(1e-3, 0.02, 0.5) * light) ** 2)
    return np.stack([np.zeros_like(level), level], 1)[:, :, None]
