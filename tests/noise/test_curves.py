"""Curves against intensity: their nodes lie where the pixels are, and no slope is flattened."""

from __future__ import annotations

import numpy as np
import pytest

from noisegen.model.config import NODES
from noisegen.noise.cells import Cells
from noisegen.noise.curves import fit_curves, place_nodes, positions, read_curves


def picture(low: float, high: float, count: int = 64) -> np.ndarray:
    values = np.linspace(low, high, count * 32 * 32, dtype=np.float32)
    return np.random.default_rng(0).permutation(values).reshape(count, 1, 32, 32)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.001, 0.003), (0.4, 0.401), (0.9, 1)])
def test_nodes_rise_and_span_what_is_shown(low: float, high: float) -> None:
    nodes = place_nodes(picture(low, high))
    assert nodes.shape == (1, NODES)
    assert (np.diff(nodes) > 0).all()
    width = high - low
    assert nodes[0, 0] == pytest.approx(low, abs=0.01 * width)
    assert nodes[0, -1] == pytest.approx(high, abs=0.01 * width)
    assert np.diff(nodes).max() < width / 8


def test_nodes_lie_where_the_pixels_are() -> None:
    """Nine tenths of the pixels lie in a hundredth of the range."""
    crowded, others = picture(0.1, 0.11, 90), picture(0, 1, 10)
    nodes = place_nodes(np.concatenate([crowded, others]))
    inside = (nodes >= 0.1) & (nodes <= 0.11)
    assert inside.sum() >= 4
    assert nodes[0, -1] > 0.95


def test_one_intensity_has_nodes_too() -> None:
    nodes = place_nodes(np.full((2, 3, 32, 32), 0.5, np.float32))
    assert nodes.shape == (3, NODES)
    assert (np.diff(nodes) > 0).all()


def test_a_straight_line_is_fitted_without_bias() -> None:
    clean = picture(0.05, 0.6)
    nodes = place_nodes(clean)
    values = 0.3 * clean - 0.1 + np.random.default_rng(1).normal(0, 0.05, clean.shape)
    curve = fit_curves(positions(nodes, clean), values, nodes)
    np.testing.assert_allclose(curve, 0.3 * nodes - 0.1, atol=0.006)


def test_a_kink_is_followed() -> None:
    """As a camera's level at its offset."""
    clean = picture(0, 0.1)
    nodes = place_nodes(clean)
    kinked = np.maximum(clean - 0.025, 0)
    weights, scale = np.full(clean.shape, 1e4), np.full(nodes.shape, 0.01)
    curve = fit_curves(positions(nodes, clean), kinked, nodes, weights, scale)
    read = read_curves(curve, positions(nodes, clean))
    np.testing.assert_allclose(read, kinked, atol=0.001)


def test_curves_are_held_beyond_their_nodes() -> None:
    nodes = np.linspace(0.2, 0.6, NODES)[None]
    outside = np.array([0.0, 0.2, 0.6, 1.0], np.float32).reshape(1, 1, 1, 4)
    curve = np.linspace(5, 9, NODES)[None]
    read = read_curves(curve, positions(nodes, outside))
    np.testing.assert_allclose(read.ravel(), [5, 5, 9, 9])


def test_cells_say_what_all_pixels_say() -> None:
    clean = picture(0.1, 0.9)
    nodes = place_nodes(clean)
    position = positions(nodes, clean)
    cells = Cells.of(position, nodes)
    values = np.sin(3 * clean) + np.random.default_rng(0).normal(0, 0.1, clean.shape)
    scale, weight = np.ones(nodes.shape), np.ones(cells.count.shape)
    summed = cells.fit(cells.sums(values), weight, scale)
    np.testing.assert_allclose(summed, fit_curves(position, values, nodes, scale=scale), atol=2e-3)
    assert cells.pixels.sum() == pytest.approx(clean.size)
