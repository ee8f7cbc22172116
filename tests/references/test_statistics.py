"""What is measured of a reference, against noise of known strength, grain and colour."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import Pixels, add_gaussian, scene

from noisegen.images import to_float
from noisegen.references.estimate import blind_windows
from noisegen.references.statistics import LAGS, NoiseStatistics, measure
from noisegen.references.windows import Windows, paired_windows


def statistics_of(noisy: Pixels, clean: Pixels) -> NoiseStatistics:
    return measure(paired_windows(to_float(noisy, 255), to_float(clean, 255)))


@pytest.mark.parametrize("sigma", [5, 10, 25, 50])
def test_sigma_of_gaussian_noise(sigma: float) -> None:
    clean = np.full((256, 256, 3), 128, np.uint8)
    measured = statistics_of(add_gaussian(clean, sigma), clean)
    np.testing.assert_allclose(measured.sigma * 255, sigma, rtol=0.03)
    np.testing.assert_allclose(measured.level[:, 8] * 255, sigma, rtol=0.03)


def test_level_follows_intensity() -> None:
    """Poisson noise of 100 photons: σ = √(x / 100)."""
    clean = np.tile(np.linspace(30, 225, 512).round().astype(np.uint8), (256, 1))[..., None]
    photons = np.random.default_rng(0).poisson(clean / 255 * 100)
    measured = statistics_of(np.clip(photons * 2.55, 0, 255).round().astype(np.uint8), clean)
    for node in (3, 6, 9, 12):
        expected = np.sqrt((node + 0.5) / 16 / 100)
        assert abs(measured.level[0, node] / expected - 1) < 0.08


def test_clipping_near_black_shows_as_a_mean() -> None:
    clean = np.full((128, 128, 1), 4, np.uint8)
    measured = statistics_of(add_gaussian(clean, 20), clean)
    assert measured.mean[0, 0] * 255 > 4


def test_grain_and_colour_of_blurred_noise() -> None:
    rng = np.random.default_rng(0)
    white = rng.normal(0, 1, (261, 261, 3))
    white[..., 1] = 0.6 * white[..., 0] + 0.8 * white[..., 1]
    # A box of 3 pixels across: correlation 2/3 and 1/3 at distances of 1 and 2.
    grain = (white[2:-3, 2:-3] + white[2:-3, 1:-4] + white[2:-3, 3:-2]) / np.sqrt(3)
    clean = np.full((256, 256, 3), 128, np.uint8)
    noisy = np.clip(np.rint(clean + 15 * grain), 0, 255).astype(np.uint8)
    measured = statistics_of(noisy, clean)
    across = measured.autocorrelation[:, LAGS, LAGS + 1 : LAGS + 4]
    np.testing.assert_allclose(across.mean(0), [2 / 3, 1 / 3, 0], atol=0.05)
    np.testing.assert_allclose(measured.autocorrelation[:, LAGS + 1, LAGS], 0, atol=0.05)
    assert abs(measured.colour_correlation[0, 1] - 0.6) < 0.05
    assert abs(measured.colour_correlation[0, 2]) < 0.05


def test_level_follows_activity() -> None:
    """Noise twice as strong on texture as on flat areas of the same brightness."""
    rng = np.random.default_rng(0)
    clean = np.full((256, 256, 1), 128, np.uint8)
    clean[:, 128:] = 128 + rng.integers(-20, 21, (256, 128, 1))
    sigma = np.where(np.arange(256) < 128, 5.0, 10.0)[None, :, None]
    noisy = np.clip(np.rint(clean + sigma * rng.normal(size=clean.shape)), 0, 255).astype(np.uint8)
    measured = statistics_of(noisy, clean)
    assert abs(measured.activity[0, 4] - measured.activity[0, 0] - np.log(2)) < 0.12


def test_marginal_of_salt_and_pepper_keeps_its_shape() -> None:
    rng = np.random.default_rng(0)
    clean = np.full((256, 256, 1), 128, np.uint8)
    noisy = np.where(rng.random(clean.shape) < 0.05, rng.integers(0, 2, clean.shape) * 255, clean)
    measured = statistics_of(noisy.astype(np.uint8), clean)
    # 5 % of pixels carry all the noise: four fifths of the quantiles' range lies at zero.
    middle = measured.quantiles[0, 24:41]
    assert np.abs(middle).max() < 0.3
    assert measured.quantiles[0, -1] > 3


@pytest.mark.parametrize("sigma", [5, 15, 30])
def test_blind_estimate_finds_sigma(sigma: float) -> None:
    clean = scene(256, 320)
    windows = blind_windows(to_float(add_gaussian(clean, sigma), 255), "shot.png")
    assert windows.estimated
    np.testing.assert_allclose(measure(windows).sigma * 255, sigma, rtol=0.12)


def test_blind_estimate_leaves_texture_out() -> None:
    clean = scene(256, 320)
    clean[:, 160:] = np.random.default_rng(1).integers(60, 200, (256, 160, 3))
    windows = blind_windows(to_float(add_gaussian(clean, 8), 255), "shot.png")
    np.testing.assert_allclose(measure(windows).sigma * 255, 8, rtol=0.12)


def test_windows_of_a_shifted_pair_are_left_out() -> None:
    clean = scene(256, 256)
    clean[64:192] = np.random.default_rng(0).integers(60, 200, (128, 256, 1))
    shifted = np.roll(clean, 1, 1)
    windows = paired_windows(to_float(add_gaussian(clean, 5), 255), to_float(shifted, 255))
    assert 0 < len(windows) < 64
    assert np.isclose(windows.residual.std() * 255, 5, rtol=0.2)


def test_take_spreads_evenly() -> None:
    values = np.arange(100, dtype=np.float32).reshape(100, 1, 1, 1) * np.ones((1, 1, 32, 32))
    windows = Windows(values.astype(np.float32), values.astype(np.float32), False)
    np.testing.assert_array_equal(windows.take(4).residual[:, 0, 0, 0], [0, 33, 66, 99])
