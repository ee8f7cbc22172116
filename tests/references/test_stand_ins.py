"""Instruments that nothing here has seen: their noise as the reference shows it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from stand_ins import (
    OFFSET,
    Floats,
    Pixels,
    as_bytes,
    cells,
    drawn_scene,
    every_brightness,
    phone,
    scmos,
    scmos_ratio,
)

import noisegen
from noisegen.references.check import Reference, check_references

SIGNALS = (0, 20, 30, 50, 100, 200, 500, 1000, 2000, 4000)
BANDS = [(low, low + 32) for low in range(0, 256, 32)]
LOUD = 0.055
"""Of a phone in the dark."""


@pytest.fixture(scope="module")
def generator() -> noisegen.NoiseGenerator:
    return noisegen.load_generator(device="cpu")


def fields() -> tuple[Floats, Pixels]:
    """Another sample's signal and its clean."""
    signal = cells(2)
    return signal, np.rint(signal + OFFSET).astype(np.uint16)


def noise_of(noisy: Pixels, clean: Pixels) -> Floats:
    return np.asarray(noisy.astype(np.float64) - clean)


def within(clean: Pixels, band: tuple[int, int]) -> Pixels:
    here: Pixels = (clean >= band[0]) & (clean < band[1])
    return here


def test_dim_data_above_an_offset_have_their_sigma_at_every_signal(
    generator: noisegen.NoiseGenerator,
) -> None:
    """Evenly spaced nodes put the whole ground between two of them, and σ was 1.3 to 2 times it."""
    shot, clean = scmos(cells(1), 1), np.rint(cells(1) + OFFSET).astype(np.uint16)
    profile = generator.profile(shot, clean)
    signal, target = fields()
    noisy = generator.synthesize(target, profile, key="field")
    for low, high in pairwise(SIGNALS):
        assert scmos_ratio(noisy, signal, low, high) == pytest.approx(1, abs=0.1), (low, high)


@pytest.mark.slow
def test_the_dim_ground_has_its_sigma_by_one_lone_shot(generator: noisegen.NoiseGenerator) -> None:
    profile = generator.profile(scmos(cells(1), 1))
    signal, target = fields()
    noisy = generator.synthesize(target, profile, key="field")
    for low, high in ((0, 20), (20, 30), (30, 50), (50, 100), (100, 150)):
        assert scmos_ratio(noisy, signal, low, high) == pytest.approx(1, abs=0.15), (low, high)


@pytest.mark.parametrize("alone", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_gray_camera_s_pictures_saved_as_rgb_stay_gray(
    generator: noisegen.NoiseGenerator, alone: bool
) -> None:
    """Up to 40 % of the pixels had a faint colour."""
    clean, target = (drawn_scene(seed, channels=1) for seed in (1, 2))
    rng = np.random.default_rng(1)
    shot = as_bytes(clean + np.sqrt(0.004 * clean + 0.0002) * rng.standard_normal(clean.shape))
    reference, its_clean, picture = (
        np.repeat(pixels, 3, 2) for pixels in (shot, as_bytes(clean), as_bytes(target))
    )
    profile = generator.profile(reference, None if alone else its_clean)
    noisy = generator.synthesize(picture, profile, key="t")
    np.testing.assert_array_equal(noisy[..., 0], noisy[..., 1])
    np.testing.assert_array_equal(noisy[..., 0], noisy[..., 2])
    variance = 0.004 * target + 0.0002
    real = as_bytes(target + np.sqrt(variance) * rng.standard_normal(target.shape))
    sigma = noise_of(real, as_bytes(target)).std()
    assert noise_of(noisy, picture).std() == pytest.approx(sigma, rel=0.15)


@pytest.mark.parametrize("channels", [(3, 1), (1, 3)])
def test_a_gray_picture_and_its_clean_may_differ_in_channels(channels: tuple[int, int]) -> None:
    """A gray camera's, one of them saved as RGB."""
    clean = as_bytes(drawn_scene(1, channels=1))
    shot = np.roll(clean, 1, 0)
    noisy, its_clean = np.repeat(shot, channels[0], 2), np.repeat(clean, channels[1], 2)
    checked = check_references([Reference("shot.png", noisy, its_clean)])
    (picture,) = checked.each[0].pictures
    np.testing.assert_array_equal(picture.noisy, shot)
    np.testing.assert_array_equal(picture.clean, clean)
    assert checked.samples.gray == (channels[0] == 3)


def test_a_lone_dark_shot_is_as_good_as_the_pair(generator: noisegen.NoiseGenerator) -> None:
    """It was refused, though three quarters of its samples are not clipped."""
    y, x = np.mgrid[:256, :256] / 256
    clean = np.array([76, 56, 62]) / 255 * (0.92 + 0.16 * y[..., None])
    ring = np.abs(np.hypot(x - 0.45, (y - 0.5) * 1.3) - 0.28) < 0.06
    clean = np.where(ring[..., None], 0.55 * clean, clean)
    shot = phone(clean, LOUD, 1)
    assert 0.15 < (shot == 0).mean() < 0.35
    pair = generator.profile(shot, as_bytes(clean))
    lone = generator.profile(shot)
    np.testing.assert_allclose(lone.sigma, pair.sigma, rtol=0.12)
    real = noise_of(shot, as_bytes(clean)).std((0, 1))
    np.testing.assert_allclose(255 * pair.sigma, real, rtol=0.05)


@pytest.fixture(scope="module")
def cast(generator: noisegen.NoiseGenerator) -> tuple[Floats, noisegen.NoiseProfile]:
    """A scene of three surfaces and the profile of one lone shot of it, in strong noise."""
    clean = np.empty((256, 256, 3))
    clean[:] = [85, 62, 75]
    clean[90:, :115] = [130, 145, 165]
    clean[:40, :115] = [225, 160, 85]
    clean /= 255
    return clean, generator.profile(phone(clean, LOUD, 1))


def test_strong_noise_of_a_lone_shot_shifts_no_colour(
    generator: noisegen.NoiseGenerator, cast: tuple[Floats, noisegen.NoiseProfile]
) -> None:
    """Means went from −110 to +41 of 255: within 3 of the real one, or of none, is right."""
    clean, profile = cast
    picture = as_bytes(clean)
    real = noise_of(phone(clean, LOUD, 3), picture).mean((0, 1))
    made = noise_of(generator.synthesize(picture, profile, key="own"), picture).mean((0, 1))
    assert (np.minimum(np.abs(made), np.abs(made - real)) <= 3).all(), (made, real)


def test_strong_lone_noise_has_its_sigma_where_its_profile_says_it_rests(
    generator: noisegen.NoiseGenerator, cast: tuple[Floats, noisegen.NoiseProfile]
) -> None:
    clean, profile = cast
    picture = as_bytes(clean)
    assert profile.quality is not None
    low, high = 255 * profile.quality.darkest, 255 * profile.quality.brightest
    real = noise_of(phone(clean, LOUD, 3), picture)
    made = noise_of(generator.synthesize(picture, profile, key="own"), picture)
    shown = [b for b in BANDS if low < b[1] and b[0] < high and within(picture, b).any()]
    assert len(shown) >= 4
    for band in shown:
        here = within(picture, band)
        assert made[here].std() == pytest.approx(real[here].std(), rel=0.15), band


def test_noise_is_held_where_a_lone_shot_shows_no_light(
    generator: noisegen.NoiseGenerator, cast: tuple[Floats, noisegen.NoiseProfile]
) -> None:
    """Curves ran on in a straight line, down to none at the brightest places."""
    clean = every_brightness(256)
    picture = as_bytes(clean)
    real = noise_of(phone(clean, LOUD, 2), picture)
    made = noise_of(generator.synthesize(picture, cast[1], key="ramp"), picture)
    for band in BANDS:
        here = within(picture, band)
        assert made[here].std() > 0.6 * real[here].std(), band


def test_a_lone_shot_leaves_no_pattern_of_eight_pixels(
    generator: noisegen.NoiseGenerator, cast: tuple[Floats, noisegen.NoiseProfile]
) -> None:
    """A denoiser that works in blocks left theirs: no more of it than chance has."""
    clean, profile = cast
    picture = as_bytes(clean)
    real = noise_of(phone(clean, LOUD, 3), picture)
    made = noise_of(generator.synthesize(picture, profile, key="own"), picture)
    assert (phases(made) < 1.35 * phases(real)).all()


def phases(noise: Floats) -> Floats:
    """σ of the means of pixels by their place in squares of 8, each channel."""
    height, width, channels = noise.shape
    squares = noise.reshape(height // 8, 8, width // 8, 8, channels)
    return np.asarray(squares.mean((0, 2)).std((0, 1)))
