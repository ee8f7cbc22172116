"""Draws per image: uniform, independent, and fixed for ever."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noisegen.dataset.plan import DatasetOptions
from noisegen.errors import UsageError
from noisegen.synthesis import draws


def test_values_that_datasets_already_made_depend_on() -> None:
    assert draws.uniform(0, "a.png", 0, "strength") == pytest.approx(0.715411099448, abs=1e-9)
    assert draws.corners(100, 100, 32, 3, 0, "a.png") == [(32, 24), (56, 8), (48, 16)]


def test_draws_are_uniform_and_independent() -> None:
    values = np.array(
        [
            [draws.uniform(0, f"{index}.png", 0, purpose) for index in range(4000)]
            for purpose in ("profile", "strength")
        ]
    )
    assert np.all(values >= 0)
    assert np.all(values < 1)
    counts, _ = np.histogram(values[0], 10, (0, 1))
    assert counts.min() > 330
    assert counts.max() < 470
    assert abs(np.corrcoef(values)[0, 1]) < 0.05


def test_every_profile_is_drawn_about_as_often() -> None:
    chosen = [draws.choice(3, 0, f"{index}.png", 0) for index in range(3000)]
    assert np.bincount(chosen).min() > 900


def test_strength_is_uniform_in_its_logarithm() -> None:
    values = [draws.strength(0.25, 4, 0, f"{index}.png", 0) for index in range(4000)]
    assert min(values) >= 0.25
    assert max(values) <= 4
    assert np.mean(np.log2(values)) == pytest.approx(0, abs=0.08)
    assert draws.strength(1.5, 1.5, 0, "a.png", 0) == 1.5


@settings(max_examples=60, deadline=None)
@given(st.integers(8, 90), st.integers(8, 90), st.integers(1, 8), st.integers(1, 200))
def test_crops_are_distinct_aligned_and_inside(
    height: int, width: int, side: int, count: int
) -> None:
    places = draws.corners(height, width, side, count, 0, "a.png")
    fit = ((height - side) // 8 + 1) * ((width - side) // 8 + 1)
    assert len(places) == len(set(places)) == min(count, fit)
    for y, x in places:
        assert y % 8 == x % 8 == 0
        assert 0 <= y <= height - side
        assert 0 <= x <= width - side


def test_more_crops_begin_with_the_fewer() -> None:
    assert draws.corners(200, 300, 32, 9, 1, "k")[:4] == draws.corners(200, 300, 32, 4, 1, "k")


@pytest.mark.parametrize(
    "wrong",
    [
        {"variants": 0},
        {"per_image": 0},
        {"patch": 0},
        {"strength": (0.0, 1.0)},
        {"strength": (2.0, 1.0)},
        {"strength": (1.0, float("inf"))},
        {"strength": (float("nan"), 1.0)},
        {"white_level": 0.0},
        {"white_level": float("nan")},
        {"white_level": 2.0**32},
    ],
)
def test_options_that_cannot_be_right(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        DatasetOptions(**wrong)  # type: ignore[arg-type]
