"""Row and column noise of a picture: drawn by position, as strong as the intensity asks for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from known_noise import ramp, windows_of

from noisegen.noise.drawn_stripes import stripes_of
from noisegen.noise.field import field_key
from noisegen.noise.statistics import NoiseStatistics, measure

KEY = field_key(0, "picture", 0)
SIDE = 256


@pytest.fixture(scope="module")
def measured() -> NoiseStatistics:
    """Stripes four times as strong at black as at white."""
    rng = np.random.default_rng(0)
    plain = measure(windows_of(ramp(SIDE, SIDE, 0, 1, 3), 0.02 * rng.normal(size=(SIDE, SIDE, 3))))
    strengths = 0.04 - 0.03 * plain.nodes.clip(0, 1)
    stripes = np.stack([strengths, 0 * strengths], 1).astype(np.float32)
    return replace(plain, stripes=stripes)


def test_strength_follows_intensity(measured: NoiseStatistics) -> None:
    clean = ramp(4096, 4, 0, 1, 3)
    offsets = stripes_of(measured, KEY, (0, 0), clean)
    assert offsets is not None
    np.testing.assert_allclose(offsets.std(0)[[0, -1]], [[0.04] * 3, [0.01] * 3], rtol=0.05)
    np.testing.assert_allclose(offsets[:, 0], 4 * offsets[:, -1], rtol=1e-4)


def test_a_part_is_the_same_as_in_the_whole(measured: NoiseStatistics) -> None:
    clean = np.random.default_rng(1).random((64, 96, 3), np.float32)
    whole = stripes_of(measured, KEY, (0, 0), clean)
    part = stripes_of(measured, KEY, (16, 40), clean[16:48, 40:64])
    assert whole is not None and part is not None
    assert np.array_equal(whole[16:48, 40:64], part)


def test_there_are_none_where_none_were_found(measured: NoiseStatistics) -> None:
    none = replace(measured, stripes=np.zeros_like(measured.stripes))
    assert stripes_of(none, KEY, (0, 0), np.zeros((8, 8, 3), np.float32)) is None
