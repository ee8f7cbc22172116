"""Grain and colour: correlations of a known kernel, and the kernel that they are of."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import correlate
from scipy.stats import norm

from noisegen.model.config import QUANTILE_NODES
from noisegen.noise.marginal import table_nodes, unit_variance
from noisegen.noise.spectrum import (
    before_quantiles,
    colouring_kernel,
    correlations,
    field_correlation,
)
from noisegen.noise.windows import cut, cut_places

GRAIN = np.array([[0.1, 0.3, 0.1], [0.3, 1.0, 0.5], [0.0, 0.2, 0.1]])
GRAIN = GRAIN / np.sqrt((GRAIN**2).sum())


def grainy(side: int, seed: int) -> np.ndarray:
    """Noise of unit variance and this grain, H×W×1."""
    white = np.random.default_rng(seed).normal(size=(side, side))
    noise: np.ndarray = correlate(white, GRAIN, mode="wrap")
    return noise[..., None].astype(np.float32)


def truth() -> np.ndarray:
    """Its correlations within ±3 pixels."""
    padded = np.zeros((7, 7))
    padded[2:5, 2:5] = GRAIN
    return np.array(
        [
            [
                (np.roll(padded, (dy, dx), (0, 1)) * padded).sum()
                if max(abs(dy), abs(dx)) < 3
                else 0
                for dx in range(-3, 4)
            ]
            for dy in range(-3, 4)
        ]
    )


def near(correlation: np.ndarray) -> np.ndarray:
    index = np.ix_(*[np.arange(-3, 4)] * 2)
    return correlation[index][..., 0, 0]


def test_correlations_of_a_known_kernel() -> None:
    noise = grainy(640, 0)
    found = correlations(cut(noise), places=cut_places(640, 640))
    np.testing.assert_allclose(near(found), truth(), atol=0.012)


def test_windows_between_say_more() -> None:
    errors = []
    for seed in range(12):
        standard, places = cut(grainy(128, seed)), cut_places(128, 128)
        found = [correlations(standard), correlations(standard, places=places)]
        errors.append([np.sqrt(np.mean((near(x) - truth()) ** 2)) for x in found])
    alone, overlapping = np.mean(errors, 0)
    assert overlapping < 0.85 * alone


def test_windows_of_several_pictures_have_nothing_between() -> None:
    standard, places = cut(grainy(128, 0)), cut_places(128, 128)
    several = places.copy()
    several[:, 0] = np.arange(len(places))
    np.testing.assert_array_equal(
        correlations(standard, places=several), correlations(standard, places=2 * places)
    )
    assert (correlations(standard, places=several) != correlations(standard, places=places)).any()


def test_white_noise_is_white_and_colour_is_found() -> None:
    white = np.random.default_rng(0).normal(size=(320, 320, 3)).astype(np.float32)
    white[..., 1] = 0.6 * white[..., 0] + 0.8 * white[..., 1]
    found = correlations(cut(white), places=cut_places(320, 320))
    assert found[0, 0, 0, 1] == pytest.approx(0.6, abs=0.01)
    assert abs(found[0, 0, 0, 2]) < 0.01
    found[0, 0] = 0
    assert np.abs(found).max() < 0.01


def test_what_rounding_added_is_white_and_taken_out() -> None:
    noise = grainy(512, 0)
    rounded = noise + np.random.default_rng(1).normal(0, 0.5, noise.shape).astype(np.float32)
    found = correlations(cut(rounded), np.array([0.2]), cut_places(512, 512))
    np.testing.assert_allclose(near(found), truth(), atol=0.02)


def test_loud_windows_can_count_less() -> None:
    standard = cut(grainy(256, 0))
    standard[::2] = np.random.default_rng(1).normal(size=standard[::2].shape)
    weights = np.where(np.arange(len(standard)) % 2, 1.0, 1e-6)
    places = cut_places(256, 256)
    found = correlations(standard, places=places, weights=weights)
    np.testing.assert_allclose(near(found), truth(), atol=0.04)


def test_a_kernel_makes_the_correlations_that_it_is_of() -> None:
    found = correlations(cut(grainy(640, 0)), places=cut_places(640, 640))
    kernel = colouring_kernel(found)
    np.testing.assert_allclose((kernel**2).sum((1, 2, 3)), 1)
    again = field_correlation(kernel.astype(np.float32))
    np.testing.assert_allclose(near(again), near(found), atol=0.01)


def test_what_a_marginal_does_to_correlation_is_undone() -> None:
    """Through an exponential marginal, two Gaussian fields of correlation 0.7."""
    quantiles = unit_variance(-np.log(norm.sf(table_nodes()))[None])
    assert quantiles.shape == (1, QUANTILE_NODES)
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 1_000_000))
    other = 0.7 * one + np.sqrt(1 - 0.49) * other
    mapped = [np.interp(x, table_nodes(), quantiles[0]) for x in (one, other)]
    seen = np.zeros((32, 32, 1, 1))
    seen[0, 0] = 1
    seen[0, 1] = np.corrcoef(*mapped)[0, 1]
    assert seen[0, 1] < 0.67
    field = before_quantiles(seen, quantiles)
    assert field[0, 1, 0, 0] == pytest.approx(0.7, abs=0.01)
    assert field[0, 0, 0, 0] == pytest.approx(1)
