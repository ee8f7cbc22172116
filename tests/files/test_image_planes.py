"""Integers → floats → integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from noisegen.files import default_white_level, quantise, to_float, white_level_of


@pytest.mark.parametrize(
    ("dtype", "white_level"),
    [
        (np.uint8, 255),
        (np.uint8, 100),
        (np.uint16, 1023),
        (np.uint16, 4095),
        (np.uint16, 16383),
        (np.uint16, 65535),
        (np.uint16, 1000.5),
    ],
)
def test_every_value_comes_back(dtype: type, white_level: float) -> None:
    values: NDArray[Any] = np.arange(int(white_level) + 1, dtype=dtype).reshape(1, -1, 1)
    planes = to_float(values, white_level)
    assert planes.dtype == np.float32
    assert planes.shape == values.shape
    assert planes.min() == 0
    assert planes.max() <= 1
    back = quantise(planes, white_level, dtype)
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, values)


def test_white_is_exactly_1() -> None:
    assert to_float(np.array([4095], np.uint16), 4095)[0] == 1


def test_values_above_the_white_level_are_not_clipped_on_the_way_in() -> None:
    assert to_float(np.array([2046], np.uint16), 1023)[0] == 2


def test_the_pixels_are_left_as_they_were() -> None:
    pixels = np.array([1, 2], np.uint8)
    planes = to_float(pixels, 2)
    quantise(planes, 2, np.uint8)
    assert pixels.tolist() == [1, 2]
    assert planes.tolist() == [0.5, 1]


@given(
    hnp.arrays(
        np.float32, (3, 4, 3), elements=st.floats(allow_nan=False, allow_infinity=False, width=32)
    ),
    st.sampled_from([(np.uint8, 255), (np.uint8, 99), (np.uint16, 1023), (np.uint16, 65535)]),
)
def test_any_finite_value_lands_on_the_nearest_level(
    values: NDArray[np.float32], target: tuple[type, int]
) -> None:
    dtype, white_level = target
    levels = quantise(values, white_level, dtype).astype(np.float64)
    exact = np.clip(values.astype(np.float64), 0, 1) * white_level
    # Half a level, and what float32 loses in the product.
    assert np.abs(levels - exact).max() <= 0.5 + white_level * 2.0**-23


def test_halves_go_to_even() -> None:
    values = np.array([0.5, 1.5, 2.5, 3.5], np.float32) / np.float32(4)
    assert quantise(values, 4, np.uint8).tolist() == [0, 2, 2, 4]


def test_a_fractional_white_level_is_never_passed() -> None:
    assert quantise(np.array([1, 2], np.float32), 100.7, np.uint8).tolist() == [100, 100]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_an_error(value: float) -> None:
    values = np.zeros((2, 2, 1), np.float32)
    values[1, 1, 0] = value
    with pytest.raises(ValueError, match="not finite"):
        quantise(values, 255, np.uint8)


@pytest.mark.parametrize("white_level", [0, -1, np.nan, np.inf, 256])
def test_white_levels_that_cannot_be(white_level: float) -> None:
    with pytest.raises(ValueError, match="white level"):
        quantise(np.zeros(1, np.float32), white_level, np.uint8)


def test_to_float_needs_a_positive_white_level() -> None:
    with pytest.raises(ValueError, match="white level"):
        to_float(np.zeros(1, np.uint8), 0)


def test_default_white_levels() -> None:
    assert default_white_level(np.uint8) == 255
    assert default_white_level("uint16") == 65535
    with pytest.raises(ValueError, match="float32"):
        default_white_level(np.float32)


@pytest.mark.parametrize(
    ("largest", "expected"),
    [
        ([0], 1023),
        ([1023], 1023),
        ([1024], 4095),
        ([12, 4095], 4095),
        ([4096, 5], 16383),
        ([16384], 65535),
        ([65535], 65535),
    ],
)
def test_white_level_of_16_bits(largest: list[int], expected: int) -> None:
    arrays = [np.full((2, 2, 1), value, np.uint16) for value in largest]
    assert white_level_of(iter(arrays)) == expected


def test_white_level_of_8_bits_is_their_range() -> None:
    assert white_level_of([np.zeros((2, 2, 3), np.uint8)]) == 255


def test_white_level_needs_samples_of_one_type() -> None:
    with pytest.raises(ValueError, match="one type"):
        white_level_of([])
    with pytest.raises(ValueError, match="one type"):
        white_level_of([np.zeros(1, np.uint8), np.zeros(1, np.uint16)])
