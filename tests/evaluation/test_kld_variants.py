"""KL divergences by name, against values worked out by hand and against other implementations."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import entropy

from noisegen.evaluation.noise_summary import TABLE, VARIANTS
from noisegen.noise.metrics import kl_divergence

Counts = NDArray[np.int64]
VALUES = (np.arange(-255, 256).astype(np.float32) / np.float32(255)).astype(np.float32)
RNG = np.random.default_rng(0)
REAL, FAKE = (np.rint(RNG.normal(0, sigma, (3, 4000))).astype(int) for sigma in (8, 11))


def counted(noise: NDArray[np.int_]) -> Counts:
    """C×N steps of 8 bits → C×511."""
    return np.stack([np.bincount(plane + 255, minlength=511) for plane in noise])


def of(name: str, real: NDArray[np.int_], fake: NDArray[np.int_]) -> float:
    return VARIANTS[name].divergence(counted(real), counted(fake), VALUES)


def few(*steps: int) -> NDArray[np.int_]:
    return np.array([steps])


def test_the_tables_kld_is_the_metric() -> None:
    def noise(steps: NDArray[np.int_]) -> NDArray[np.float32]:
        picture: NDArray[np.float32] = steps.T[None].astype(np.float32) / np.float32(255)
        return picture

    assert of(TABLE, REAL, FAKE) == pytest.approx(
        kl_divergence(noise(REAL), noise(FAKE)), rel=1e-12
    )


def test_two_values_by_hand() -> None:
    """Real: a quarter at 30; generated: half. Every variant's bins keep 0 and 30 of 255 apart."""
    plain = 0.25 * np.log(0.25 / 0.5) + 0.75 * np.log(0.75 / 0.5)
    for name in ("naflow", "noise-flow", "henz"):
        assert of(name, few(30, 0, 0, 0), few(30, 30, 0, 0)) == pytest.approx(plain)


@pytest.mark.parametrize(("name", "bins"), [("noise2noise-flow", 66), ("srgb-flow", 130)])
def test_counts_that_are_added_by_hand(name: str, bins: int) -> None:
    """4 pixels and one more in every bin: 2/4+bins at 30, 4/4+bins at 0, and 1 everywhere else."""
    n = 4 + bins
    by_hand = 2 / n * np.log(2 / 3) + 4 / n * np.log(4 / 3)
    assert of(name, few(30, 0, 0, 0), few(30, 30, 0, 0)) == pytest.approx(by_hand)


def test_bins_that_one_side_leaves_empty() -> None:
    """Left out where nothing is added to the counts, so the figure can be below 0."""
    assert of("naflow", few(30, 0), few(60, 0)) == pytest.approx(0)
    assert of("naflow", few(30, 0), few(0, 0)) == pytest.approx(0.5 * np.log(0.5))
    assert of("srgb-flow", few(30, 0), few(60, 0)) > 0


def test_added_counts_are_scipys_entropy() -> None:
    edges = np.arange(-260, 261, 4)
    p, q = (np.histogram(noise, edges)[0] + 1 for noise in (REAL, FAKE))
    assert of("srgb-flow", REAL, FAKE) == pytest.approx(entropy(p, q), rel=1e-12)
    outer = np.concatenate([[-1000], np.arange(-0.1, 0.1 + 1e-9, 0.2 / 64), [1000]])
    p, q = (np.histogram(noise / 255, outer)[0] + 1 for noise in (REAL, FAKE))
    assert of("noise2noise-flow", REAL, FAKE) == pytest.approx(entropy(p, q), rel=1e-12)


def test_henz_is_a_mean_over_channels() -> None:
    edges = np.concatenate([[-256.0], np.arange(-50, 50, 2), [256]]) - 0.1
    channels = []
    for real, fake in zip(REAL, FAKE, strict=True):
        p, q = (np.histogram(noise, edges)[0] for noise in (real, fake))
        both = (p > 0) & (q > 0)
        channels.append(np.sum(p[both] / 4000 * np.log(p[both] / q[both])))
    assert of("henz", REAL, FAKE) == pytest.approx(np.mean(channels), rel=1e-12)


def test_they_differ_on_the_same_noise() -> None:
    figures = [of(name, REAL, FAKE) for name in VARIANTS]
    assert len({round(figure, 4) for figure in figures}) == len(VARIANTS)
    assert all(of(name, REAL, REAL) == pytest.approx(0, abs=1e-12) for name in VARIANTS)
