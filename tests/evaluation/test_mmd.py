"""Maximum mean discrepancy of noise patches."""

from __future__ import annotations

import math

import numpy as np
import pytest
from comparisons import comparisons, grain, white
from numpy.typing import NDArray

from noisegen.evaluation.set_metrics import patch_mmd, squared_mmd

Doubles = NDArray[np.float64]


def test_agrees_with_a_double_loop() -> None:
    rng = np.random.default_rng(0)
    real, fake = rng.normal(0, 1, (7, 4)), rng.normal(0.5, 1.3, (5, 4))
    distances = [np.linalg.norm(real[i] - real[j]) for i in range(7) for j in range(i)]
    median = float(np.median(distances))

    def kernel(a: Doubles, b: Doubles) -> float:
        squared = float(((a - b) ** 2).sum())
        return sum(math.exp(-squared / (2 * (w * median) ** 2)) for w in (0.5, 2.0))

    def mean_of_others(sample: Doubles) -> float:
        count = range(len(sample))
        return float(
            np.mean([kernel(sample[i], sample[j]) for i in count for j in count if i != j])
        )

    across = np.mean([kernel(a, b) for a in real for b in fake])
    expected = mean_of_others(real) + mean_of_others(fake) - 2 * across
    assert squared_mmd(real, fake, (0.5, 2.0)) == pytest.approx(expected, rel=1e-9)


def test_is_zero_in_the_mean_for_one_distribution() -> None:
    """Unbiased: below 0 about as often as above. The biased estimate would be near 2 · 5 / 40."""
    rng = np.random.default_rng(1)
    values = [
        squared_mmd(rng.normal(0, 1, (40, 6)), rng.normal(0, 1, (40, 6)), (0.25, 0.5, 1, 2, 4))
        for _ in range(60)
    ]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))
    assert min(values) < 0 < max(values)


def test_grows_with_a_mismatch_of_strength() -> None:
    same, near, far = (
        patch_mmd(comparisons(white(10), white(sigma))) for sigma in (10.0, 11.0, 14.0)
    )
    assert abs(same) < 0.1 * near
    assert near < 0.5 * far


def test_sees_correlation_at_equal_strength() -> None:
    same = patch_mmd(comparisons(grain(10), grain(10)))
    assert patch_mmd(comparisons(white(10), grain(10))) > 10 * abs(same)


def test_noise_free_pictures_do_not_divide_by_zero() -> None:
    assert patch_mmd(comparisons(white(0), white(0))) == pytest.approx(0)
    assert patch_mmd(comparisons(white(0), white(5))) > 1
