"""What is measured of a reference, against noise of known strength, grain and colour."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pictures import Pixels, add_gaussian, scene

from noisegen.files import to_float
from noisegen.noise.intensities import level_at, read_at
from noisegen.noise.record import Recording
from noisegen.noise.statistics import LAGS, NoiseStatistics, measure
from noisegen.noise.windows import Windows, cut_places
from noisegen.references.misplaced import all_windows, paired_windows


def windows_of(noisy: Pixels, clean: Pixels) -> Windows:
    recording = Recording.even(clean.shape[2], 1 / 255)
    return all_windows(to_float(noisy, 255), to_float(clean, 255), recording)


def statistics_of(noisy: Pixels, clean: Pixels) -> NoiseStatistics:
    return measure(windows_of(noisy, clean))


@pytest.mark.parametrize("sigma", [5, 10, 25, 50])
def test_sigma_of_gaussian_noise(sigma: float) -> None:
    clean = np.full((256, 256, 3), 128, np.uint8)
    measured = statistics_of(add_gaussian(clean, sigma), clean)
    np.testing.assert_allclose(measured.sigma * 255, sigma, rtol=0.03)
    np.testing.assert_allclose(measured.level.mean(1) * 255, sigma, rtol=0.03)


def test_level_follows_intensity() -> None:
    """Poisson noise of 100 photons: σ = √(x / 100)."""
    clean = np.tile(np.linspace(30, 225, 512).round().astype(np.uint8), (256, 1))[..., None]
    photons = np.random.default_rng(0).poisson(clean / 255 * 100)
    measured = statistics_of(np.clip(photons * 2.55, 0, 255).round().astype(np.uint8), clean)
    intensities = np.linspace(35, 220, 38) / 255
    level = level_at(measured, intensities)[0]
    np.testing.assert_allclose(level, np.sqrt(intensities / 100), rtol=0.05)


def test_a_dim_picture_is_resolved() -> None:
    """All of it lies between two of sixteen even intensities: σ² = 4 + 0.5·(x − 100) of 4095."""
    rng = np.random.default_rng(0)
    clean = np.tile(np.linspace(100, 180, 512, dtype=np.float32), (256, 1))[..., None]
    noisy = np.rint(clean + np.sqrt(4 + 0.5 * (clean - 100)) * rng.normal(size=clean.shape))
    recording = Recording.even(1, 1 / 4095)
    noisy, clean = (x.astype(np.float32) / np.float32(4095) for x in (noisy, clean))
    measured = measure(all_windows(noisy, clean, recording))
    counts = np.linspace(103, 177, 20)
    level = 4095 * level_at(measured, counts / 4095)[0]
    np.testing.assert_allclose(level, np.sqrt(4 + 0.5 * (counts - 100)), rtol=0.05)


@pytest.mark.parametrize("intensity", [0, 4, 250, 255])
def test_clipped_noise_is_measured_as_it_was_before(intensity: int) -> None:
    clean = np.full((256, 256, 1), intensity, np.uint8)
    noisy = add_gaussian(clean, 20)
    measured = statistics_of(noisy, clean)
    there = np.array([intensity / 255])
    assert abs(level_at(measured, there)[0, 0] * 255 / 20 - 1) < 0.03
    assert abs(read_at(measured.mean, measured, there)[0, 0] * 255) < 0.5
    # The overall σ is that of the picture as it is.
    assert measured.sigma[0] * 255 == pytest.approx(np.std(noisy.astype(float) - clean), rel=1e-4)


def test_a_saturated_picture_stays_noiseless_where_it_is_saturated() -> None:
    clean = np.full((256, 256, 1), 255, np.uint8)
    clean[:, :128] = 128
    noisy = clean.copy()
    noisy[:, :128] = add_gaussian(clean[:, :128], 20)
    measured = statistics_of(noisy, clean)
    assert measured.level[0, -1] * 255 < 0.3
    assert measured.level[0, 0] * 255 == pytest.approx(20, rel=0.03)


@pytest.mark.parametrize("sigma", [0.3, 0.7, 1.0, 2.0])
def test_rounding_is_taken_out_of_the_level(sigma: float) -> None:
    rng = np.random.default_rng(0)
    clean = np.full((512, 512, 1), 119, np.uint8)
    noisy = np.rint(clean + sigma * rng.normal(size=clean.shape)).astype(np.uint8)
    level = level_at(statistics_of(noisy, clean), np.array([119 / 255]))[0, 0]
    assert abs(level * 255 / sigma - 1) < 0.03


def test_white_noise_gets_a_white_kernel() -> None:
    """Sampling alone correlates neighbours by a hundredth: shrinking takes most of it out."""
    clean = np.full((128, 128, 3), 128, np.uint8)
    kernel = statistics_of(add_gaussian(clean, 20), clean).kernel.copy()
    for c in range(3):
        assert kernel[c, c, 7, 7] > 0.995
        kernel[c, c, 7, 7] = 0
    assert np.abs(kernel).max() < 0.03


def test_colouring_undoes_what_the_marginal_does_to_correlation() -> None:
    """A coarse marginal takes correlation away: the field must have more of it."""
    field = np.random.default_rng(0).normal(size=(700, 700))
    smooth = (field[:, 1:] + 0.5 * field[:, :-1]) / np.sqrt(1.25)
    impulses = 20 * np.sign(smooth) * (np.abs(smooth) > 1.5)
    clean = np.full((672, 672, 1), 128, np.uint8)
    noisy = (clean[..., 0] + impulses[:672, :672]).astype(np.uint8)[..., None]
    measured = statistics_of(noisy, clean)
    kernel = measured.kernel[0, 0].astype(np.float64)
    across = (kernel[:, 1:] * kernel[:, :-1]).sum()
    assert measured.autocorrelation[0, LAGS, LAGS + 1] < 0.3
    assert abs(across - 0.4) < 0.04


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
    clean = np.tile(np.linspace(90, 160, 256).round()[:, None, None], (1, 256, 1)).astype(np.uint8)
    clean[:, 128:] += rng.integers(-20, 21, (256, 128, 1)).astype(np.uint8)
    sigma = np.where(np.arange(256) < 128, 5.0, 10.0)[None, :, None]
    noisy = np.clip(np.rint(clean + sigma * rng.normal(size=clean.shape)), 0, 255).astype(np.uint8)
    measured = statistics_of(noisy, clean)
    # Of the variance, four times; flat is at node 0, the texture's 12 of 255 between 4 and 5.
    texture = np.interp(np.log2(11.8) + 1, np.arange(8), measured.activity[0])
    assert abs((texture - measured.activity[0, 0]) / 2 - np.log(2)) < 0.05


def test_marginal_of_salt_and_pepper_keeps_its_shape() -> None:
    rng = np.random.default_rng(0)
    clean = np.full((256, 256, 1), 128, np.uint8)
    noisy = np.where(rng.random(clean.shape) < 0.05, rng.integers(0, 2, clean.shape) * 255, clean)
    measured = statistics_of(noisy.astype(np.uint8), clean)
    # 5 % of pixels carry all the noise: four fifths of the quantiles' range lies at zero.
    assert np.abs(measured.marginals[0, :, 24:41]).max() < 0.3
    assert (measured.marginals[0, :, -1] > 3).all()


def test_windows_of_a_shifted_pair_are_left_out() -> None:
    clean = scene(256, 256)
    clean[64:192] = np.random.default_rng(0).integers(60, 200, (128, 256, 1))
    shifted = np.roll(clean, 1, 1)
    recording = Recording.even(3, 1 / 255)
    noisy = to_float(add_gaussian(clean, 5), 255)
    windows = paired_windows(noisy, to_float(shifted, 255), recording)
    assert 0 < len(windows) < 64
    assert np.isclose(windows.residual.std() * 255, 5, rtol=0.2)


def test_take_spreads_evenly() -> None:
    values = np.arange(100, dtype=np.float32).reshape(100, 1, 1, 1) * np.ones(
        (1, 1, 32, 32), np.float32
    )
    windows = Windows(values, values, False, Recording.even(1, 0), cut_places(320, 320))
    np.testing.assert_array_equal(windows.take(4).residual[:, 0, 0, 0], [0, 33, 66, 99])


def test_threads_change_no_number() -> None:
    clean = scene(768, 704, seed=5)
    windows = windows_of(add_gaussian(clean, 9), clean)
    threads, found = torch.get_num_threads(), []
    for count in (1, 2):
        torch.set_num_threads(count)
        found.append(measure(windows))
    torch.set_num_threads(threads)
    one, two = map(vars, found)
    assert all(np.array_equal(one[name], two[name]) for name in one)
