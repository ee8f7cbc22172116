"""The verdict can fail, and says what of the reference a profile rests on."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import add_gaussian, scene
from stand_ins import Floats, Pixels

import noisegen
from noisegen.profiles.quality import FAIR, GOOD, POOR, ProfileQuality

SIDE = 384
CLEAN = np.clip(scene(SIDE, SIDE, seed=1), 40, 215)
WHITE = np.random.default_rng(3).standard_normal(CLEAN.shape)


@pytest.fixture(scope="module")
def generator() -> noisegen.NoiseGenerator:
    return noisegen.load_generator(device="cpu")


def verdict(
    generator: noisegen.NoiseGenerator, noisy: Pixels, clean: Pixels | None = None
) -> ProfileQuality:
    quality = generator.profile(noisy, clean).quality
    assert quality is not None
    return quality


def with_noise(noise: Floats) -> Pixels:
    noisy: Pixels = np.rint(CLEAN + noise).clip(0, 255).astype(np.uint8)
    return noisy


def test_plain_noise_is_good(generator: noisegen.NoiseGenerator) -> None:
    quality = verdict(generator, with_noise(12 * WHITE), CLEAN)
    assert quality.overall == GOOD, quality


@pytest.mark.slow
def test_a_lone_shot_is_fair_at_best(generator: noisegen.NoiseGenerator) -> None:
    """Nothing in it tells how far its estimated clean is off."""
    quality = verdict(generator, with_noise(12 * WHITE), None)
    assert quality.overall == FAIR, quality
    assert quality.word("estimated") == FAIR


def test_strength_that_follows_nothing_the_model_knows_is_not_good(
    generator: noisegen.NoiseGenerator,
) -> None:
    """The left half is quiet and the right is loud, at equal light."""
    sigma = np.where(np.arange(SIDE) < SIDE // 2, 5.0, 20.0)[:, None]
    quality = verdict(generator, with_noise(sigma * WHITE), CLEAN)
    assert quality.overall != GOOD, quality
    assert quality.word("level") in (FAIR, POOR)


def test_strength_that_grows_to_the_corners_is_not_good(
    generator: noisegen.NoiseGenerator,
) -> None:
    """As of a vignette that was corrected."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    sigma = 5 + 60 * (x**2 + y**2)[..., None]
    quality = verdict(generator, with_noise(sigma * WHITE), CLEAN)
    assert quality.overall != GOOD, quality


@pytest.mark.parametrize(
    "period", [5.3, *(pytest.param(p, marks=pytest.mark.slow) for p in (3, 8, 16))]
)
def test_a_periodic_pattern_is_not_good(generator: noisegen.NoiseGenerator, period: float) -> None:
    y, x = np.mgrid[:SIDE, :SIDE]
    pattern = 15 * np.sin(2 * np.pi * (x + 0.7 * y) / period)[..., None]
    quality = verdict(generator, with_noise(5 * WHITE + pattern), CLEAN)
    assert quality.overall != GOOD, quality
    assert quality.word("correlation") in (FAIR, POOR)


def test_blotches_wider_than_the_kernel_are_not_good(
    generator: noisegen.NoiseGenerator,
) -> None:
    from scipy.ndimage import gaussian_filter

    blotches = gaussian_filter(np.random.default_rng(6).standard_normal(CLEAN.shape), (12, 12, 0))
    noise = 3 * WHITE + 15 * blotches / blotches.std()
    assert verdict(generator, with_noise(noise), CLEAN).overall != GOOD


@pytest.mark.parametrize("alone", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_it_says_which_intensities_the_reference_shows(
    generator: noisegen.NoiseGenerator, alone: bool
) -> None:
    whole = scene(SIDE, SIDE).astype(np.float64)
    third = np.rint(85 + 85 * (whole - whole.min()) / np.ptp(whole)).astype(np.uint8)
    quality = verdict(generator, add_gaussian(third, 6), None if alone else third)
    assert quality.darkest == pytest.approx(1 / 3, abs=0.03)
    assert quality.brightest == pytest.approx(2 / 3, abs=0.03)


def test_it_says_that_all_pixels_count(generator: noisegen.NoiseGenerator) -> None:
    assert verdict(generator, with_noise(6 * WHITE), CLEAN).pixels > 0.99


def half_clipped(end: int) -> tuple[Pixels, Pixels]:
    """Noisy and clean, whose right half is black or white."""
    clean, noisy = CLEAN.copy(), with_noise(6 * WHITE)
    for pixels in (clean, noisy):
        pixels[:, SIDE // 2 :] = end
    return noisy, clean


@pytest.mark.parametrize("end", [255, pytest.param(0, marks=pytest.mark.slow)])
def test_half_of_a_pair_that_is_clipped_does_not_count(
    generator: noisegen.NoiseGenerator, end: int
) -> None:
    noisy, clean = half_clipped(end)
    assert verdict(generator, noisy, clean).pixels == pytest.approx(0.5, abs=0.01)


@pytest.mark.slow
def test_half_of_a_lone_shot_that_is_black_does_not_count(
    generator: noisegen.NoiseGenerator,
) -> None:
    noisy, _ = half_clipped(0)
    assert 0.2 < verdict(generator, noisy).pixels <= 0.5
