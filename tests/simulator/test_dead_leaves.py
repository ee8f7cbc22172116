from __future__ import annotations

import numpy as np
import pytest

from noisegen.simulator.dead_leaves import draw_picture


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_same_seed_same_picture() -> None:
    first, again, other = (draw_picture(_rng(seed), 96, 96) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (65, 131), (300, 67)])
def test_any_size(height: int, width: int) -> None:
    for seed in range(3):
        picture = draw_picture(_rng(seed), height, width)
        assert picture.shape == (height, width, 3)
        assert picture.dtype == np.uint8


def test_brightness_of_several_pictures_covers_the_range() -> None:
    pictures = np.stack([draw_picture(_rng(seed), 128, 128) for seed in range(16)])
    shares = np.histogram(pictures, bins=8, range=(0, 256))[0] / pictures.size
    assert shares.min() > 0.01


def test_differences_between_neighbours_are_heavy_tailed() -> None:
    for seed in range(4):
        gray = draw_picture(_rng(seed), 256, 256).mean(axis=2)
        steps = np.diff(gray, axis=1)
        steps -= steps.mean()
        assert (steps**4).mean() / (steps**2).mean() ** 2 > 6
