"""The marginal's tables: quantiles by intensity, robust where few pixels are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from noisegen.model.config import MARGINALS, NODES
from noisegen.noise.marginal import fit_marginals, table_nodes, unit_variance


def position(count: int = 128) -> np.ndarray:
    values = np.random.default_rng(0).uniform(0, NODES - 1, (count, 1, 32, 32))
    return values.astype(np.float32)


def test_gaussian_noise_has_straight_tables() -> None:
    where = position()
    standard = np.random.default_rng(1).normal(size=where.shape).astype(np.float32)
    places, tables = fit_marginals(standard, where)
    assert places.shape == (1, MARGINALS)
    assert (np.diff(places) > 0).all()
    np.testing.assert_allclose(places[0], (np.arange(MARGINALS) + 0.5) * 31 / 6, rtol=0.05)
    middle = slice(12, -12)
    np.testing.assert_allclose(
        tables[0, :, middle], np.tile(table_nodes()[middle], (MARGINALS, 1)), atol=0.05
    )


def test_skew_follows_intensity() -> None:
    """Exponential noise where it is dark, its mirror image where it is bright."""
    where = position()
    noise = np.random.default_rng(1).exponential(size=where.shape) - 1
    standard = np.where(where < 15.5, noise, -noise).astype(np.float32)
    _, tables = fit_marginals(standard, where)
    probabilities = norm.cdf(table_nodes())
    exponential = -np.log1p(-probabilities) - 1
    # Farther out, the tails of all come in: of an intensity alone they are few pixels.
    middle = slice(20, -20)
    np.testing.assert_allclose(tables[0, 0, middle], exponential[middle], atol=0.15)
    np.testing.assert_allclose(tables[0, -1, middle], -exponential[::-1][middle], atol=0.15)


def test_few_pixels_of_an_intensity_take_the_tails_of_all() -> None:
    """One outlier counts as one of all pixels, not as one of the darkest sixth."""
    where = position(6)
    standard = np.random.default_rng(1).normal(size=where.shape).astype(np.float32)
    darkest = np.unravel_index(int(where.argmin()), where.shape)
    standard[darkest] = 25
    _, tables = fit_marginals(standard, where)
    own = np.quantile(standard[where <= np.quantile(where, 1 / 6)], norm.cdf(table_nodes()))
    assert own[58] > 8
    assert tables[0, 0, 58] < 4.5
    np.testing.assert_allclose(tables[0, 0, 16:49], table_nodes()[16:49], atol=0.15)


def test_tables_have_unit_variance_and_do_not_fall() -> None:
    where = position(32)
    standard = np.random.default_rng(1).standard_t(3, where.shape).astype(np.float32)
    _, tables = fit_marginals(standard, where)
    assert (np.diff(tables) >= 0).all()
    field = np.random.default_rng(2).normal(size=400_000)
    for table in tables[0]:
        assert np.interp(field, table_nodes(), table).std() == pytest.approx(1, rel=0.02)
    np.testing.assert_allclose(unit_variance(3 * tables + 1), tables, atol=1e-9)


def test_a_table_of_nothing_is_gaussian() -> None:
    np.testing.assert_array_equal(unit_variance(np.zeros((2, 65))), np.tile(table_nodes(), (2, 1)))
