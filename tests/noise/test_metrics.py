"""Metrics against values worked out by hand or by another way."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from noisegen.noise.metrics import (
    average_kl_divergence,
    centred_kl_divergence,
    compare,
    correlation_error,
    correlations,
    kl_divergence,
    kolmogorov_smirnov,
    local_variance,
    noise_level_error,
    sigma_error,
)

Floats = NDArray[np.float32]


def scaled(steps: Floats) -> Floats:
    """Steps of 8 bits in units of the white level."""
    return (steps / np.float32(255)).astype(np.float32)


RNG = np.random.default_rng(0)
NOISE: Floats = scaled(np.rint(RNG.normal(0, 10, (64, 80, 3))).astype(np.float32))
TWICE: Floats = (2 * NOISE).astype(np.float32)
CLEAN: Floats = np.full(NOISE.shape, 0.5, np.float32)


def noise_of(steps: list[int]) -> Floats:
    """A 2×2 picture of noise in steps of 8 bits."""
    return scaled(np.array(steps, np.float32).reshape(2, 2, 1))


def test_equal_noise_scores_zero() -> None:
    scores = compare(NOISE, NOISE, CLEAN).as_dict()
    assert max(abs(value) for value in scores.values()) < 1e-9


def test_kld_of_two_values() -> None:
    """Real: a quarter at 10/255; fake: half. Bins of 1/128 keep both values apart."""
    real = noise_of([10, 0, 0, 0])
    fake = noise_of([10, 10, 0, 0])
    expected = 0.25 * np.log(0.25 / 0.5) + 0.75 * np.log(0.75 / 0.5)
    assert kl_divergence(real, fake) == pytest.approx(expected)


def test_ks_of_shifted_noise() -> None:
    real = np.zeros((10, 10, 1), np.float32)
    fake = real.copy()
    fake[:3] = 1 / 255
    assert kolmogorov_smirnov(real, fake) == pytest.approx(0.3)


def test_akld_of_doubled_noise() -> None:
    ratio = 4.0
    expected = 0.5 * (ratio - 1 - np.log(ratio))
    assert average_kl_divergence(NOISE, TWICE) == pytest.approx(expected, rel=1e-4)


def test_local_variance_is_a_7x7_gaussian() -> None:
    """OpenCV's σ for 7 pixels is 1.4; scipy cuts the same Gaussian at 3 pixels."""
    expected = ndimage.gaussian_filter(
        NOISE.astype(np.float64) ** 2, (1.4, 1.4, 0), radius=(3, 3, 0), mode="mirror"
    )
    np.testing.assert_allclose(local_variance(NOISE), np.maximum(expected, 1e-10), rtol=1e-4)


def test_correlations_are_those_of_shifted_products() -> None:
    x = NOISE.astype(np.float64) - NOISE.mean((0, 1))
    lag = (x[:-2, :-3, 0] * x[2:, 3:, 1]).sum()
    lag /= np.sqrt((x[..., 0] ** 2).sum() * (x[..., 1] ** 2).sum())
    assert correlations(NOISE)[0, 1, 6 + 2, 6 + 3] == pytest.approx(lag, abs=1e-9)
    assert correlations(NOISE)[1, 1, 6, 6] == pytest.approx(1)


def test_correlation_error_sees_grain_and_not_strength() -> None:
    grain = ndimage.uniform_filter(NOISE, (3, 3, 0))
    assert correlation_error(NOISE, TWICE) < 1e-9
    assert correlation_error(NOISE, grain.astype(np.float32)) > 0.05


def test_noise_level_error_is_in_octaves() -> None:
    assert noise_level_error(NOISE, TWICE, CLEAN) == pytest.approx(1, abs=1e-3)
    assert sigma_error(NOISE, TWICE) == pytest.approx(1, abs=1e-6)


def test_kld0_does_not_see_an_offset_of_any_size() -> None:
    """A shift by a part of a step rounds other pixels, and yet no mean is seen."""
    latent = np.random.default_rng(1).normal(0, 4, (512, 512, 3))
    other = np.random.default_rng(2).normal(0, 4, (512, 512, 3))
    real = scaled(np.rint(latent).astype(np.float32))
    for offset in ((0, 0, 0), (0.3, 0.5, 0.7), (2.5, -1.25, 1.0)):
        fake = scaled(np.rint(other + offset).astype(np.float32))
        assert centred_kl_divergence(real, fake) < 1e-4
    assert kl_divergence(real, fake) > 0.01


def test_kld0_is_the_kld_of_what_has_no_mean() -> None:
    """Twice the strength: both see the same, but for the edge at 0."""
    real, fake = (
        scaled(np.rint(np.random.default_rng(3).normal(0, sigma, (256, 256, 3))))
        for sigma in (10, 14)
    )
    plain, centred = kl_divergence(real, fake), centred_kl_divergence(real, fake)
    assert plain == pytest.approx(np.log(1.4) + 0.5 / 1.4**2 - 0.5, rel=0.05)
    assert centred == pytest.approx(plain, rel=0.05)


def test_kld0_takes_out_the_mean_of_each_channel_not_of_all() -> None:
    apart = (NOISE + scaled(np.array([-12, 0, 12], np.float32))).astype(np.float32)
    assert kl_divergence(NOISE, apart) > 0.1
    assert centred_kl_divergence(NOISE, apart) < 1e-3
