"""The plain classical model gives back noise whose level and correlation are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from noisegen.evaluation.classical_baseline import draw, fit_pictures
from noisegen.noise.metrics import correlation_error, correlations

Doubles = NDArray[np.float64]

RAMP = np.linspace(0.2, 0.8, 320)[None, :, None] * np.ones((320, 1, 3))


def grainy(rng: np.random.Generator) -> Doubles:
    """Unit variance, correlated over a few pixels and between the colours."""
    white = rng.standard_normal(RAMP.shape)
    smooth = ndimage.gaussian_filter(white + 0.7 * white[..., :1], (0.8, 1.2, 0), mode="wrap")
    noise: Doubles = smooth / smooth.std((0, 1))
    return noise


def drawn(noise: Doubles, clean: Doubles = RAMP) -> Doubles:
    """The model of noise on the ramp, drawn on a ramp of floats."""
    model = fit_pictures(RAMP + noise, RAMP)
    made = draw(model, clean, 1.0, np.random.default_rng(9))
    return np.asarray(made - clean, np.float64)


def test_level_follows_intensity() -> None:
    level = 0.02 + 0.05 * RAMP
    made = drawn(level * np.random.default_rng(0).standard_normal(RAMP.shape))
    for part in np.array_split(np.arange(320), 5):
        ratio = made[:, part].std() / np.sqrt((level[:, part] ** 2).mean())
        assert ratio == pytest.approx(1, abs=0.03)


def test_grain_and_colour_come_back() -> None:
    real = 0.04 * grainy(np.random.default_rng(1))
    made = drawn(real)
    assert correlations(real.astype(np.float32))[0, 1, 6, 6] > 0.3
    assert correlation_error(real.astype(np.float32), made.astype(np.float32)) < 0.02
    white = drawn(0.04 * np.random.default_rng(1).standard_normal(RAMP.shape))
    assert correlation_error(real.astype(np.float32), white.astype(np.float32)) > 0.1


def test_mean_and_marginal_come_back() -> None:
    rng = np.random.default_rng(2)
    skewed = 0.03 * (rng.gamma(2, 1, RAMP.shape) - 2) / np.sqrt(2)
    made = drawn(skewed + 0.05 * (RAMP - 0.5))
    left, right = (made[:, part].mean() for part in (slice(0, 80), slice(240, 320)))
    assert (left, right) == pytest.approx((-0.0112, 0.0112), abs=0.002)
    centred = made - 0.05 * (RAMP - 0.5)
    skewness = float(((centred / centred.std()) ** 3).mean())
    assert skewness == pytest.approx(2 / np.sqrt(2), abs=0.2)


def test_it_is_clipped_and_rounded_like_its_file() -> None:
    model = fit_pictures(RAMP + 0.3 * np.random.default_rng(3).standard_normal(RAMP.shape), RAMP)
    clean = (RAMP[:64, :, :] * 4095).astype(np.uint16)
    made, again, other = (
        draw(model, clean, 4095, np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    assert made.dtype == np.uint16
    assert (made.min(), made.max()) == (0, 4095)
    assert np.array_equal(made, again)
    assert not np.array_equal(made, other)


def test_intensities_that_were_not_seen_have_the_nearest_ones_noise() -> None:
    noise = 0.05 * np.random.default_rng(4).standard_normal(RAMP.shape)
    made = drawn(noise, np.full((128, 128, 3), 0.05))
    assert made[made > -0.05].std() == pytest.approx(0.05, rel=0.25)
    bright = drawn(noise, np.full((128, 128, 3), 0.99))
    assert bright[bright < 0.01].std() > 0.02
