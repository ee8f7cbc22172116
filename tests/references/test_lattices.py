"""Generated noise takes the values that the reference's instrument can give."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import add_gaussian, scene
from stand_ins import Floats, Pixels

import noisegen


@pytest.fixture(scope="module")
def generator() -> noisegen.NoiseGenerator:
    return noisegen.load_generator(device="cpu")


def slope(low: float, high: float) -> Floats:
    return np.tile(np.linspace(low, high, 256), (256, 1))


def counted(signal: Floats, loud: float = 1.0) -> Floats:
    """With noise whose variance follows the signal, rounded."""
    noise = np.random.default_rng(0).standard_normal(signal.shape)
    counts: Floats = np.rint(signal + loud * np.sqrt(signal) * noise)
    return counts


def sigma(noisy: Pixels, clean: Pixels) -> float:
    return float((noisy.astype(np.float64) - clean).std())


@pytest.mark.parametrize("alone", [False, True])
def test_a_stretch_to_bytes_gives_every_eighth_value_only(
    generator: noisegen.NoiseGenerator, alone: bool
) -> None:
    signal = slope(2, 28)
    shot = (counted(signal).clip(0, 31) * 8).astype(np.uint8)
    clean = np.rint(signal * 8).astype(np.uint8)
    profile = generator.profile(shot, None if alone else clean)
    target = np.ascontiguousarray(clean.T)
    assert len(np.unique(target % 8)) == 8
    noisy = generator.synthesize(target, profile, key="t")
    assert not (noisy % 8).any()
    assert len(np.unique(noisy)) > 24
    if not alone:
        assert sigma(noisy, target) == pytest.approx(sigma(shot, clean), rel=0.05)


@pytest.mark.parametrize("alone", [False, True])
def test_twelve_bits_shifted_into_sixteen_give_multiples_of_sixteen(
    generator: noisegen.NoiseGenerator, alone: bool
) -> None:
    signal = slope(300, 3000)
    shot = counted(signal, 2).clip(0, 4095).astype(np.uint16) << 4
    clean = np.rint(signal * 16).astype(np.uint16)
    profile = generator.profile(shot, None if alone else clean)
    assert profile.white_level == 65535
    target = np.ascontiguousarray(clean.T)
    assert len(np.unique(target % 16)) == 16
    noisy = generator.synthesize(target, profile, key="t")
    assert not (noisy % 16).any()
    if not alone:
        assert sigma(noisy, target) == pytest.approx(sigma(shot, clean), rel=0.05)


def test_twelve_bits_that_are_not_shifted_keep_their_level_and_every_value(
    generator: noisegen.NoiseGenerator,
) -> None:
    signal = slope(300, 3000)
    shot = counted(signal, 2).clip(0, 4095).astype(np.uint16)
    clean = np.rint(signal).astype(np.uint16)
    profile = generator.profile(shot, clean)
    assert profile.white_level == 4095
    target = np.ascontiguousarray(clean.T)
    noisy = generator.synthesize(target, profile, key="t")
    assert np.bincount((noisy % 16).ravel(), minlength=16).min() > 0.05 * noisy.size
    assert sigma(noisy, target) == pytest.approx(sigma(shot, clean), rel=0.05)


def test_ordinary_bytes_keep_their_level_and_every_value(
    generator: noisegen.NoiseGenerator,
) -> None:
    clean = scene(256, 256)
    shot = add_gaussian(clean, 12)
    profile = generator.profile(shot, clean)
    assert profile.white_level == 255
    noisy = generator.synthesize(scene(256, 256, seed=1), profile, key="t")
    for channel in range(3):
        shares = np.bincount(noisy[..., channel].ravel() % 8, minlength=8) / 256**2
        np.testing.assert_allclose(shares, 1 / 8, rtol=0.1)
    assert sigma(noisy, scene(256, 256, seed=1)) == pytest.approx(12, rel=0.05)


@pytest.mark.parametrize("alone", [False, True])
def test_photon_counts_kept_as_floats_stay_whole(
    generator: noisegen.NoiseGenerator, alone: bool
) -> None:
    signal = slope(3, 60)
    shot = np.random.default_rng(2).poisson(signal).astype(np.float32)
    profile = generator.profile(shot, None if alone else signal.astype(np.float32))
    target = signal.T.astype(np.float32)
    noisy = generator.synthesize(target, profile, key="t", white_level=profile.white_level)
    assert noisy.dtype == np.float32
    assert (target % 1).any()
    assert not (noisy % 1).any()
    if not alone:
        assert sigma(noisy, target) == pytest.approx(sigma(shot, signal), rel=0.08)


def test_continuous_floats_stay_continuous(generator: noisegen.NoiseGenerator) -> None:
    signal = slope(3, 60)
    noise = 3 * np.random.default_rng(2).standard_normal(signal.shape)
    profile = generator.profile((signal + noise).astype(np.float32), signal.astype(np.float32))
    target = signal.T.astype(np.float32)
    noisy = generator.synthesize(target, profile, key="t", white_level=profile.white_level)
    assert (noisy % 1 != 0).mean() > 0.99
