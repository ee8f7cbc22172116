"""White of references of floats: noise and hot pixels may pass 1."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import scene

from noisegen import load_generator
from noisegen.noise.arrays import Floats
from noisegen.references.check import Reference, find_white_level

CLEAN = np.asarray(scene(128, 128), np.float32) / np.float32(255)


def noisy(sigma: float = 0.06) -> Floats:
    noise = np.random.default_rng(0).normal(0, sigma, CLEAN.shape)
    return np.asarray(CLEAN + noise, np.float32)


def level(shot: Floats, clean: Floats | None = None) -> float:
    return find_white_level([Reference("shot.tif", shot, clean)])


@pytest.mark.parametrize("clean", [None, CLEAN])
def test_a_hot_pixel_is_not_white(clean: Floats | None) -> None:
    shot = noisy().clip(0, 1)
    shot[10, 10] = 4
    assert level(shot, clean) == 1


@pytest.mark.parametrize("clean", [None, CLEAN])
def test_noise_may_pass_white(clean: Floats | None) -> None:
    shot = np.asarray(0.98 + noisy() - CLEAN, np.float32)
    assert shot.max() > 1.1
    assert level(shot, clean) == 1


def test_a_clean_in_the_unit_range_says_what_white_is() -> None:
    shot = noisy()
    shot[:12, :12] = 3  # More than stray pixels.
    assert level(shot, CLEAN) == 1
    assert level(shot) == 3


def test_other_units_are_found_as_before() -> None:
    assert level(noisy() * 2) == pytest.approx(2 * noisy().max())
    assert level(noisy() * 2, CLEAN * 2) == pytest.approx(2 * noisy().max())
    assert level(np.rint(noisy().clip(0, 1) * 4095)) == 4095


def test_the_strength_is_right_beside_a_hot_pixel() -> None:
    shot = noisy().clip(0, 1)
    shot[10, 10] = 4
    generator = load_generator()
    profile = generator.profile(shot, CLEAN)
    flat = np.full(CLEAN.shape, 128, np.uint8)
    assert generator.synthesize(flat, profile, key="c").std() / 255 == pytest.approx(0.06, rel=0.1)
