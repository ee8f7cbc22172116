"""The grain of lone shots: what a denoiser loses of known noise, it lost of the reference's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pictures import scene
from scipy.ndimage import gaussian_filter

from noisegen.files import to_float
from noisegen.model.weights import load_weights
from noisegen.noise.arrays import Doubles
from noisegen.noise.record import Recording
from noisegen.noise.statistics import LAGS, NoiseStatistics, measure
from noisegen.profiles.fit import fit_profiles
from noisegen.profiles.lone_grain import Loss
from noisegen.references.check import Reference
from noisegen.references.lone import lone_windows


def neighbours(measured: NoiseStatistics) -> list[float]:
    """Correlation with the second and the third pixel along a row, mean over channels."""
    return [float(measured.autocorrelation[:, LAGS, LAGS + lag].mean()) for lag in (2, 3)]


def blurred(sigma: float) -> tuple[np.ndarray, list[float]]:
    """A picture with coarse grain, and the grain's correlation as :func:`neighbours` gives it."""
    grain = gaussian_filter(np.random.default_rng(0).normal(size=(384, 384, 3)), (sigma, sigma, 0))
    noisy = scene(384, 384) + 10 * grain / grain.std()
    lags = [
        float(np.mean([np.corrcoef(p[:, lag:].ravel(), p[:, :-lag].ravel())[0, 1] for p in planes]))
        for planes in [np.moveaxis(grain, 2, 0)]
        for lag in (2, 3)
    ]
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8), lags


@pytest.mark.slow
def test_coarse_grain_is_less_lost_than_in_the_residual() -> None:
    noisy, true = blurred(1.6)
    residual = measure(lone_windows(to_float(noisy, 255), Recording.even(3, 1 / 255)))
    (profile,) = fit_profiles([Reference("noisy.png", noisy)], load_weights())
    for found, before, wanted in zip(
        neighbours(profile.measured), neighbours(residual), true, strict=True
    ):
        assert before < wanted - 0.05
        assert abs(found - wanted) < 0.6 * abs(before - wanted)


def grain(blur: float, channels: int = 3) -> Doubles:
    """Correlation of independent channels blurred by a Gaussian, 32×32×C×C."""
    frequency = np.fft.fftfreq(32)
    falls = np.exp(-4 * (np.pi * blur * frequency) ** 2)
    own = np.fft.ifft2(falls[:, None] * falls).real
    return np.asarray(np.einsum("yx,cd->yxcd", own / own[0, 0], np.eye(channels)))


@pytest.mark.parametrize("channels", [1, 3])
def test_what_known_noise_lost_comes_back(channels: int) -> None:
    """A denoiser that halves low frequencies does so with both noises."""
    low = np.exp(-((np.fft.fftfreq(32) / 0.08) ** 2))
    kept = 1 - 0.5 * low[:, None] * low

    def denoised(correlation: Doubles) -> Doubles:
        spectrum = np.fft.fft2(correlation, axes=(0, 1)) * kept[..., None, None]
        left = np.fft.ifft2(spectrum, axes=(0, 1)).real
        return np.asarray(left / left[0, 0, 0, 0])

    true, known = grain(1.0, channels), grain(0.8, channels)
    loss = Loss(put_on=known, estimated=denoised(known), belief=1.0)
    off = np.abs(denoised(true) - true).max()
    assert off > 0.05
    assert np.abs(loss.undone(denoised(true)) - true).max() < 0.15 * off
    disbelieved = replace(loss, belief=0.0)
    np.testing.assert_allclose(disbelieved.undone(true), true, atol=1e-9)
