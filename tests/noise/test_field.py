"""The Gaussian field: the same values for ever, wherever they are drawn from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from noisegen.noise.field import device_field, field_key, gaussian_field

KEY = field_key(0, "folder/picture.png", 0)
POSITION = st.integers(-40, 5000)
LENGTH = st.integers(1, 40)


@settings(max_examples=50, deadline=None)
@given(y=POSITION, x=POSITION, height=LENGTH, width=LENGTH, data=st.data())
def test_any_part_can_be_drawn_alone(
    y: int, x: int, height: int, width: int, data: st.DataObject
) -> None:
    whole = gaussian_field(KEY, y, x, height, width)
    top = data.draw(st.integers(0, height - 1))
    left = data.draw(st.integers(0, width - 1))
    part = gaussian_field(KEY, y + top, x + left, height - top, width - left)
    np.testing.assert_array_equal(part, whole[:, top:, left:])


@settings(max_examples=20, deadline=None)
@given(y=POSITION, x=POSITION, height=LENGTH, width=LENGTH, channels=st.integers(1, 4))
def test_a_device_draws_the_same(y: int, x: int, height: int, width: int, channels: int) -> None:
    drawn = device_field(KEY, (y, x), (height, width), channels, torch.device("cpu"))
    np.testing.assert_array_equal(drawn.numpy(), gaussian_field(KEY, y, x, height, width, channels))


def test_values_are_those_of_the_first_release() -> None:
    """A change here changes every dataset: raise the recipe's format if it must be."""
    field = gaussian_field(KEY, 0, 0, 1, 2)
    expected = [
        [-0.9802001, 1.0645344, 1.8411009, -1.3438181],
        [0.3868044, 0.2282234, -1.7329715, -1.1921732],
    ]
    np.testing.assert_allclose(field[:, 0].T, expected, rtol=1e-6)


def test_channels_are_independent_standard_normals() -> None:
    field = gaussian_field(KEY, 0, 0, 400, 400).reshape(4, -1)
    assert np.abs(field.mean(1)).max() < 0.01
    assert np.abs(field.std(1) - 1).max() < 0.01
    assert np.abs(np.corrcoef(field) - np.eye(4)).max() < 0.01
    assert abs(float((field**4).mean()) - 3) < 0.05
    neighbours = np.corrcoef(field[:, :-1].ravel(), field[:, 1:].ravel())[0, 1]
    assert abs(neighbours) < 0.01


def test_seed_key_variant_and_plane_each_give_another_field() -> None:
    keys = [
        field_key(0, "a.png", 0),
        field_key(1, "a.png", 0),
        field_key(0, "b.png", 0),
        field_key(0, "a.png", 1),
        field_key(0, "a.png", 0, plane=1),
    ]
    fields = [gaussian_field(key, 0, 0, 32, 32)[0].ravel() for key in keys]
    correlations = np.corrcoef(fields) - np.eye(len(fields))
    assert np.abs(correlations).max() < 0.15


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_fewer_channels_are_the_first(channels: int) -> None:
    key = field_key(3, "a.png", 0)
    whole = gaussian_field(key, -7, 5, 9, 11)
    np.testing.assert_array_equal(gaussian_field(key, -7, 5, 9, 11, channels), whole[:channels])
