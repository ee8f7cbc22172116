"""Coarse noise of lone shots, as the even places of the picture show it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from pictures import add_gaussian, scene
from scipy.ndimage import gaussian_filter

from noisegen.model.weights import load_weights
from noisegen.noise.arrays import Doubles, Floats
from noisegen.noise.statistics import LAGS
from noisegen.profiles.fit import fit_profiles
from noisegen.references.check import Reference
from noisegen.references.even_places import BANDS, SIDE, CoarseNoise, band_masks

SIGMA = 8 / 255


def noise(coarse: float) -> Floats:
    """Noise of σ SIGMA, of whose variance blotches have a share; 1024×1024×3."""
    rng = np.random.default_rng(3)
    fine, wide = rng.normal(size=(2, 1024, 1024, 3))
    wide = gaussian_filter(wide, (2.5, 2.5, 0))
    mixed = np.sqrt(1 - coarse) * fine + np.sqrt(coarse) * wide / wide.std()
    return np.asarray(SIGMA * mixed, np.float32)


def picture(height: int, width: int) -> Floats:
    """A clean scene in units of the white level."""
    return np.asarray(scene(height, width), np.float32) / np.float32(255)


def by_even_places(noisy: Floats) -> Doubles:
    """Power of the bands of each channel, in units of SIGMA²."""
    nodes = np.tile(np.array([0, 1], np.float32), (3, 1))
    coarse = CoarseNoise.of(noisy)
    assert coarse is not None
    return coarse.power(nodes, np.full_like(nodes, SIGMA), np.eye(3))


@pytest.mark.parametrize("coarse", [0.0, 0.5])
def test_power_of_bands_is_found_beside_a_lively_scene(coarse: float) -> None:
    clean = picture(1024, 1024)
    # A third of the picture is full of coarse texture, as foliage is.
    rng = np.random.default_rng(4)
    clean[:, :340] += 0.3 * gaussian_filter(rng.normal(size=(1024, 340, 1)), (3, 3, 0))
    residual = noise(coarse)
    power = np.abs(np.fft.fft2(residual / SIGMA, axes=(0, 1))) ** 2 / 1024**2
    turns = np.hypot(*np.meshgrid(np.fft.fftfreq(1024), np.fft.fftfreq(1024)))
    true = [power[(turns >= low) & (turns < high)].mean(0) for low, high in pairwise(BANDS)]
    np.testing.assert_allclose(
        by_even_places((clean + residual).astype(np.float32)), np.stack(true), rtol=0.3
    )


def test_bands_leave_out_shading_and_fine_grain() -> None:
    every = np.sum(band_masks(SIDE), 0)
    assert every.max() == 1
    assert not every[0, :3].any()
    assert not every[0, SIDE // 4 : SIDE // 2].any()


def test_small_pictures_tell_nothing() -> None:
    assert CoarseNoise.of(picture(960, 1024)) is None
    assert CoarseNoise.of(picture(1024, 1024)) is not None


def test_a_shot_narrower_than_a_block_has_a_profile() -> None:
    noisy = add_gaussian(scene(48, 400), 8)
    (profile,) = fit_profiles([Reference("narrow.png", noisy)], load_weights())
    assert 0.7 < profile.measured.sigma.mean() / SIGMA < 1.3


@pytest.mark.slow
def test_lone_shots_have_their_blotches() -> None:
    """The same shot in four parts, which are too small to tell, comes out finer and quieter."""
    residual = noise(0.5)
    noisy = np.rint(255 * (picture(1024, 1024) + residual))
    noisy = noisy.clip(0, 255).astype(np.uint8)
    parts = [noisy[y : y + 512, x : x + 512] for y in (0, 512) for x in (0, 512)]
    weights = load_weights()
    (whole,) = fit_profiles([Reference("whole.png", noisy)], weights)
    (apart,) = fit_profiles([Reference(f"{i}.png", part) for i, part in enumerate(parts)], weights)
    lag = 5
    true = np.mean(residual[:, lag:] * residual[:, :-lag]) / SIGMA**2
    found, without = (
        float(profile.measured.autocorrelation[:, LAGS, LAGS + lag].mean())
        for profile in (whole, apart)
    )
    assert without < true - 0.1
    assert without + 0.04 < found < true
    off, before = (abs(np.log2(p.measured.sigma.mean() / SIGMA)) for p in (whole, apart))
    assert off < before
