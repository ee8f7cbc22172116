"""The classical noises."""

from __future__ import annotations

import numpy as np
import pytest

from noisegen.training import classical_noise


@pytest.mark.parametrize("sigma", [5.0, 25.0])
def test_gaussian_of_a_given_strength(sigma: float) -> None:
    setting = classical_noise.ClassicalSetting((sigma / 255,) * 3, 0, 0, 0, 0, False)
    clean = np.full((128, 128, 3), 128, np.uint8)
    noisy = classical_noise.add_noise(clean, setting, np.random.default_rng(0))
    assert abs((noisy.astype(float) - clean).std() / sigma - 1) < 0.03


def test_gray_noise_is_equal_in_all_channels() -> None:
    setting = classical_noise.ClassicalSetting((0.1,) * 3, 0, 50, 0, 0, True)
    clean = np.full((32, 32, 3), 128, np.uint8)
    noisy = classical_noise.add_noise(clean, setting, np.random.default_rng(0))
    assert np.ptp(noisy, axis=2).max() == 0
