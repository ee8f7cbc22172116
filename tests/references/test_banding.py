"""Row and column banding is drawn, by place: tiles, crops and bands change nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from stand_ins import Pixels, as_bytes, drawn_scene

import noisegen
from noisegen.synthesis.blocks import Region
from noisegen.synthesis.synthesizer import Version

BANDING = 0.03
"""σ of a line's offset, of white."""

ROWS, COLUMNS = 0, 1


@dataclass(frozen=True)
class Banded:
    """What a camera's profile gives.

    Attributes:
        profile: of one reference.
        target: another picture's clean.
        real: σ of the reference's own line means.
        lines: σ of generated line means, over several draws.
        others: the same across them.
    """

    profile: noisegen.NoiseProfile
    target: Pixels
    real: float
    lines: float
    others: float


def banded(axis: int) -> tuple[Pixels, Pixels, float]:
    """Noisy, clean and σ of line offsets of 255: read noise, shot noise, shifted lines."""
    clean, rng = drawn_scene(1), np.random.default_rng(1)
    pixels = np.sqrt(0.004 * clean + 0.0002) * rng.standard_normal(clean.shape)
    offsets = BANDING * rng.standard_normal((len(clean), 1, 1))
    shape = (-1, 1, 1) if axis == ROWS else (1, -1, 1)
    noisy = clean + pixels + offsets.reshape(shape)
    return as_bytes(noisy), as_bytes(clean), 255 * float(offsets.std())


@pytest.fixture(scope="module")
def generator() -> noisegen.NoiseGenerator:
    return noisegen.load_generator(device="cpu")


@pytest.fixture(
    scope="module",
    params=[(ROWS, False), pytest.param((ROWS, True), marks=pytest.mark.slow), (COLUMNS, False)],
)
def made(request: pytest.FixtureRequest, generator: noisegen.NoiseGenerator) -> Any:
    axis, alone = request.param
    noisy, clean, real = banded(axis)
    target = as_bytes(np.clip(drawn_scene(2), 0.2, 0.8))
    profile = generator.profile(noisy, None if alone else clean)
    draws = [
        generator.synthesize(target, profile, key=key).astype(np.float64) - target for key in "abc"
    ]
    along, across = (
        float(np.mean([noise.mean((line, 2)).std() for noise in draws]))
        for line in (1 - axis, axis)
    )
    return alone, Banded(profile, target, real, along, across)


def test_lines_are_drawn_as_strong_as_the_camera_s(made: tuple[bool, Banded]) -> None:
    """Generated rows had an eighth of them, and the verdict was good."""
    alone, banded = made
    assert banded.real == pytest.approx(7.65, abs=0.1)
    assert banded.lines == pytest.approx(banded.real, rel=0.25 if alone else 0.1)


def test_lines_across_them_have_none(made: tuple[bool, Banded]) -> None:
    assert made[1].others < 0.6


def test_parts_of_a_banded_picture_are_the_whole_s(
    made: tuple[bool, Banded], generator: noisegen.NoiseGenerator
) -> None:
    banded = made[1]
    whole = generator.synthesize(banded.target, banded.profile, seed=3, key="x")
    regions = [Region(0, 0, 50, 384), Region(100, 37, 131, 300), Region(383, 383, 1, 1)]
    parts = generator.synthesize_regions(banded.target, banded.profile, regions, Version(3, "x"))
    for region, part in zip(regions, parts, strict=True):
        np.testing.assert_array_equal(part, whole[region.slices(Region(0, 0, 384, 384))])


def test_tiles_of_a_banded_picture_change_nothing(
    made: tuple[bool, Banded], generator: noisegen.NoiseGenerator
) -> None:
    banded = made[1]
    whole = generator.synthesize(banded.target, banded.profile, seed=3, key="x")
    small = noisegen.NoiseGenerator(generator.weights, "cpu", tile=256)
    again = small.synthesize(banded.target, banded.profile, seed=3, key="x")
    np.testing.assert_array_equal(again, whole)
