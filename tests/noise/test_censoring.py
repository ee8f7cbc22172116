"""Noise that the instrument clipped and rounded, measured as it was before."""

from __future__ import annotations

import numpy as np
import pytest
from known_noise import ramp, windows_of

from noisegen.noise.censoring import before_rounding, hidden, imputed, moments, plain_moments
from noisegen.noise.curves import read_curves
from noisegen.noise.record import Recording
from noisegen.noise.sample import Sample
from noisegen.references.misplaced import all_windows


def gaussian(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.25), (0.75, 1.0), (0.0, 1.0)])
def test_level_and_mean_of_clipped_noise(low: float, high: float) -> None:
    clean = ramp(256, 512, low, high)
    sample = Sample.of(windows_of(clean, 0.08 * gaussian(clean.shape) + 0.01))
    fit = moments(sample, hidden(sample))
    np.testing.assert_allclose(fit.level, 0.08, rtol=0.06)
    np.testing.assert_allclose(fit.mean, 0.01, atol=0.006)
    # As it is, the darkest or brightest looks much quieter, and has another mean.
    plain = plain_moments(sample)
    assert plain.level.min() < 0.06
    assert np.abs(plain.mean - 0.01).max() > 0.02


def test_shot_noise_clipped_at_black() -> None:
    clean = ramp(512, 512, 0.0, 0.1)
    sigma = np.sqrt(0.0004 + 0.02 * clean)
    sample = Sample.of(windows_of(clean, sigma * gaussian(clean.shape), 1 / 255))
    fit = moments(sample, hidden(sample))
    np.testing.assert_allclose(fit.level, np.sqrt(0.0004 + 0.02 * sample.nodes), rtol=0.06)


def test_a_camera_that_clips_above_black() -> None:
    """At 3 of 255, where its noise would go on to 0 and below."""
    clean = ramp(256, 512, 0.0, 0.2)
    ends = [np.array([x]) for x in (3 / 255, 1.0, 1 / 255, 0.0)]
    recording = Recording(*ends)
    noisy = recording.record(clean + 0.02 * gaussian(clean.shape), 2).astype(np.float32)
    sample = Sample.of(all_windows(noisy, clean, recording))
    fit = moments(sample, hidden(sample))
    np.testing.assert_allclose(fit.level[0], 0.02, rtol=0.06)
    np.testing.assert_allclose(fit.mean[0], 0, atol=0.003)


def test_nothing_is_hidden_away_from_the_ends() -> None:
    clean = ramp(128, 128, 0.3, 0.7)
    sample = Sample.of(windows_of(clean, 0.05 * gaussian(clean.shape)))
    assert not hidden(sample).mask.any()
    np.testing.assert_array_equal(
        imputed(sample, hidden(sample), plain_moments(sample)), sample.residual
    )


def test_impulses_far_from_their_clean_are_not_hidden() -> None:
    clean = ramp(128, 128, 0.4, 0.6)
    salt = np.random.default_rng(0).random(clean.shape) < 0.02
    noise = np.where(salt, 1, 0.01 * gaussian(clean.shape))
    assert not hidden(Sample.of(windows_of(clean, noise))).mask.any()


def test_what_is_hidden_is_drawn_from_beyond_its_end() -> None:
    clean = ramp(256, 256, 0.0, 0.2)
    sample = Sample.of(windows_of(clean, 0.08 * gaussian(clean.shape)))
    beyond = hidden(sample)
    fit = moments(sample, beyond)
    drawn = imputed(sample, beyond, fit)
    assert (drawn[beyond.low] <= sample.residual[beyond.low]).all()
    np.testing.assert_array_equal(drawn[~beyond.mask], sample.residual[~beyond.mask])
    standard = (drawn - read_curves(fit.mean, sample.position)) / 0.08
    assert standard.std() == pytest.approx(1, rel=0.03)
    assert abs((standard**3).mean()) < 0.1
    np.testing.assert_array_equal(drawn, imputed(sample, beyond, fit))


@pytest.mark.parametrize("sigma", [0.25, 0.3, 0.5, 1.0, 3.0, 20.0])
def test_rounding_is_undone(sigma: float) -> None:
    """Of noise around values that are steps themselves."""
    rounded = np.rint(sigma * gaussian((1, 400_000))).std(axis=1)
    found = before_rounding(rounded[:, None] / 255, np.array([1 / 255]))
    assert float(found[0, 0]) * 255 == pytest.approx(sigma, rel=0.02)


def test_without_steps_nothing_is_undone() -> None:
    level = np.array([[0.1, 0.2]])
    np.testing.assert_array_equal(before_rounding(level, np.zeros(1)), level)
