"""Noise profiles of simulated cameras: no reference is needed.

A drawn camera takes procedural scenes, and what it makes of them is measured as users' pairs are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch

from noisegen.errors import UsageError
from noisegen.model.weights import Weights
from noisegen.model.workers import single_threaded_pool
from noisegen.noise.arrays import Bytes, Floats, Rng
from noisegen.profiles.fit import encode_profile, measure_cut
from noisegen.profiles.profile import NoiseProfile
from noisegen.references.check import Reference
from noisegen.references.windows import Repair, cut_references
from noisegen.simulator import CameraSetting, code, simulate
from noisegen.simulator.dead_leaves import draw_picture
from noisegen.simulator.instrument import Instrument
from noisegen.simulator.kinds import SENSORS, CameraKind, draw_camera

ISO = (10.0, 409600.0)
"""Lowest and highest ISO that a camera is drawn at."""

SCENES, CROPS, SIDE = 6, 2, 128
"""Procedural scenes that every drawn camera takes, crops of each, and their side in pixels.

Against 48 crops of other scenes, measured of a phone, a DSLR and a compact: the level is off by 2
to 7 % (median over intensities), grain by 0.004 to 0.009 (RMS of correlations within 3 px). More
crops come no nearer; two or three larger scenes are off by up to half where colours are few.
"""

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Share of red, green and blue in a gray picture (ITU-R BT.601)."""


KINDS = ", ".join(kind.value for kind in CameraKind)


@dataclass(frozen=True)
class Draw:
    """Cameras of a kind, at an ISO from the lowest to the highest, even in its logarithm."""

    kind: CameraKind
    lowest: float
    highest: float

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.lowest:g}-{self.highest:g}"


def parse_draws(text: str) -> tuple[Draw, ...]:
    """``phone:800-6400,dslr:1600,compact`` → what is drawn from; a kind alone at its usual ISO.

    Raises:
        UsageError: an unknown kind, or no ISO.
    """
    # Python hands on whatever it is given: what is no text is no kind either.
    parts = text.split(",") if isinstance(text, str) else [repr(text)]
    return tuple(parse_draw(part.strip()) for part in parts)


def parse_draw(part: str) -> Draw:
    """``phone:800-6400`` → what is drawn from.

    Raises:
        UsageError: an unknown kind, or no ISO.
    """
    name, colon, range_ = part.partition(":")
    try:
        kind = CameraKind(name)
    except ValueError:
        way_out = f"give KIND or KIND:ISO or KIND:ISO-ISO, with a kind of {KINDS}"
        raise UsageError(f"draw {part or 'of nothing'}: {way_out}") from None
    if not colon:
        return Draw(kind, *SENSORS[kind].iso)
    low, dash, high = range_.partition("-")
    try:
        draw = Draw(kind, float(low), float(high if dash else low))
    except ValueError:
        raise UsageError(f"draw {part}: give an ISO, as {name}:1600 or {name}:800-6400") from None
    if not ISO[0] <= draw.lowest <= draw.highest <= ISO[1]:
        raise UsageError(f"draw {part}: give an ISO from {ISO[0]:g} to {ISO[1]:g}, low-high")
    return draw


def draw_profiles(
    draws: Sequence[Draw], count: int, seed: int, weights: Weights, gray: bool | None = None
) -> list[NoiseProfile]:
    """Profiles of several cameras, each of one of the draws: the first few of any longer list."""
    wanted = []
    for number in range(count):
        rng = np.random.default_rng([seed % 2**64, number, *b"draw"])
        draw = draws[int(rng.integers(len(draws)))]
        iso = math.exp(rng.uniform(math.log(draw.lowest), math.log(draw.highest)))
        # Whole, as a camera's: what a profile says of itself draws it again.
        iso = draw.lowest if draw.lowest == draw.highest else float(round(iso))
        wanted.append(Wanted(draw.kind, iso, int(rng.integers(2**31))))
    return draw_each(wanted, weights, gray)


class Wanted(NamedTuple):
    """One camera to draw."""

    kind: CameraKind | str
    iso: float
    seed: int


def draw_each(
    wanted: Sequence[Wanted], weights: Weights, gray: bool | None = None
) -> list[NoiseProfile]:
    """Profiles of cameras as :func:`draw_profile` makes them, several at once."""
    if not wanted:
        return []

    def draw(one: Wanted) -> NoiseProfile:
        return draw_profile(one.kind, one.iso, one.seed, weights, gray)

    scenes()
    with single_threaded_pool(min(len(wanted), torch.get_num_threads())) as pool:
        return list(pool.map(draw, wanted))


def draw_profile(
    kind: CameraKind | str,
    iso: float,
    seed: int,
    weights: Weights,
    gray: bool | None = None,
) -> NoiseProfile:
    """Profile of a camera drawn from a kind at an ISO: the same for the same arguments.

    One seed is one camera, whatever its ISO.

    Args:
        kind: ``phone``, ``compact``, ``dslr``, ``mirrorless``, ``microscope`` or ``industrial``.
        iso: of the pictures; of microscopes and industrial cameras, 100 times the gain.
        seed: of everything that is drawn.
        weights: whose encoder makes the prompt; the profile is tied to them.
        gray: for gray pictures, or for RGB; as is usual for the kind where not given.

    Raises:
        UsageError: an unknown kind, or an ISO that no camera has.
    """
    kind = parse_draw(f"{kind.value if isinstance(kind, CameraKind) else kind}:{iso}").kind
    rng = np.random.default_rng([seed % 2**64, *kind.value.encode()])
    camera = draw_camera(kind, iso, rng, gray)
    pairs = take_pictures(camera, scenes(), rng)
    if gray and isinstance(camera, CameraSetting):
        pairs = [(np.rint(a @ LUMA).astype(np.uint8), b @ LUMA) for a, b in pairs]
    shots = [Reference(f"scene {n}", *pair) for n, pair in enumerate(pairs, 1)]
    white = 255.0 if pairs[0][0].dtype == np.uint8 else 1.0
    # The simulator moves nothing; what follows edges is left out as it is of users' pairs.
    measured = measure_cut(
        cut_references(shots, white, Repair.MASK, weights.denoiser), weights.content
    )
    name = f"{kind.value}-iso{iso:g}-{seed}" + ("-gray" if gray else "")
    profile = encode_profile(measured, weights, name)
    words = f"a simulated {kind.value} at ISO {iso:g}, seed {seed}: {described(camera)}"
    # That it denoises or codes is meant, not doubtful.
    return replace(profile, kind="drawn", references=(words,), repairs=(), warnings=())


def take_pictures(
    camera: CameraSetting | Instrument, clean: Bytes, rng: Rng
) -> list[tuple[Bytes | Floats, Bytes | Floats]]:
    """Noisy and clean picture of each scene, S×H×W×3 in sRGB, by one camera."""
    if isinstance(camera, Instrument):
        # Taken for light as they are, so that all intensities are seen.
        light = clean.astype(np.float32) @ LUMA / np.float32(255)
        pairs = [camera.shoot(scene, rng) for scene in light]
        if camera.bits > 8:
            return list(pairs)
        full = np.float32(255)
        return [(np.rint(noisy * full).astype(np.uint8), pure * full) for noisy, pure in pairs]
    planes = torch.from_numpy(clean.transpose(0, 3, 1, 2)).float()[None] / 255
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    noisy, pure = simulate(planes, [camera], generator, clean.shape[1])
    # What JPEG does to any picture is no noise here: it would count wherever colours meet.
    pure = pure if camera.quality is None else code(pure, [camera])
    pictures = (shot[0].permute(0, 2, 3, 1).contiguous().numpy() for shot in (noisy, pure))
    return list(zip(*pictures, strict=True))


@lru_cache(maxsize=1)
def scenes() -> Bytes:
    """What every camera takes, S×H×W×3: crops of scenes, their colours exchanged."""
    rng, crops = np.random.default_rng(0), []
    for number in range(SCENES):
        scene = draw_picture(np.random.default_rng(number), 2 * SIDE, 2 * SIDE)
        for _ in range(CROPS):
            y, x = rng.integers(0, SIDE, 2)
            crops.append(scene[y : y + SIDE, x : x + SIDE, rng.permutation(3)])
    return np.stack(crops)


def described(camera: CameraSetting | Instrument) -> str:
    """What a camera does, in words."""
    words = [f"full well {1 / camera.shot:.0f} electrons"]
    if isinstance(camera, Instrument):
        return f"{words[0]}, gray, linear, {camera.bits} bits"
    if camera.denoises:
        words.append(f"denoised over {camera.luma_blur:.1f}/{camera.chroma_blur:.1f} px")
    if camera.quality is None:
        return ", ".join([*words, "developed plainly"])
    return ", ".join([*words, f"JPEG {camera.quality} {camera.subsampling}"])
