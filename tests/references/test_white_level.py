"""The white level of deep references: found or given; floats in their own range."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fitted import measure_references
from numpy.typing import NDArray
from pictures import scene

from noisegen.errors import BadReferenceError
from noisegen.references.check import Burst, Reference, find_white_level

Floats = NDArray[np.float32]
CLEAN: Floats = scene(256, 256)[..., :1].astype(np.float32)
"""0 to 255."""


def noisy(clean: Floats, sigma: float, seed: int = 0) -> Floats:
    noise = np.random.default_rng(seed).normal(0, sigma, clean.shape)
    return (clean + noise).astype(np.float32)


def smooth(low: float, high: float) -> Floats:
    """A slope, in whose windows a surface can be fitted."""
    across = np.linspace(low, high, 256, dtype=np.float32)
    return np.broadcast_to(across[None, :, None], (256, 256, 1)).astype(np.float32)


@pytest.mark.parametrize("scale", [1, 257, 1e4])
@pytest.mark.parametrize("paired", [True, False])
def test_floats_are_measured_in_their_own_range(scale: float, paired: bool) -> None:
    clean = CLEAN * np.float32(scale / 255) if paired else smooth(0.2 * scale, 0.8 * scale)
    shot = noisy(clean, 0.02 * scale)
    shot.flat[0] = scale
    np.clip(shot, 0, scale, out=shot)
    measured = measure_references([Reference("a.tif", shot, clean if paired else None)])
    assert (measured.cut.samples.dtype, measured.cut.samples.white_level) == ("float32", scale)
    np.testing.assert_allclose(measured.statistics.sigma, 0.02, rtol=0.1)


@pytest.mark.slow
def test_floats_of_doubled_scale_are_the_same_noise() -> None:
    first, second = (
        measure_references([Reference("a.tif", noisy(smooth(1, 3), 0.1) * scale)]).statistics
        for scale in (np.float32(1), np.float32(2))
    )
    np.testing.assert_allclose(first.level, second.level, rtol=1e-5)


def test_noise_below_black_is_measured_as_it_is() -> None:
    """A background was subtracted: half of what is dark lies below 0, and none of it is clipped."""
    for reference in (
        Reference("a.tif", noisy(smooth(0, 0.1), 0.02)),
        Reference("a.tif", noisy(smooth(0, 0.1), 0.02), smooth(0, 0.1)),
    ):
        measured = measure_references([reference])
        assert measured.cut.samples.white_level == 1
        assert measured.windows.clean.min() >= 0
        # Of an estimate, about the surer half of the 64 windows is kept: none went as clipped.
        assert len(measured.windows) >= 30
        np.testing.assert_allclose(measured.statistics.level[:, 0], 0.02, rtol=0.1)
        np.testing.assert_allclose(measured.statistics.mean[:, 0], 0, atol=0.002)


def test_a_burst_of_floats_around_black() -> None:
    shots = tuple(noisy(smooth(-0.02, 0.1), 0.02, seed) for seed in range(4))
    measured = measure_references([Burst("still", ("0", "1", "2", "3"), shots)])
    np.testing.assert_allclose(measured.statistics.level[:, 0], 0.02, rtol=0.1)
    np.testing.assert_allclose(measured.statistics.mean[:, 0], 0, atol=0.002)


def test_whole_numbers_in_floats_are_as_good_as_integers() -> None:
    shot = np.rint(noisy(smooth(50, 200), 2)).clip(0, 255)
    shot.flat[0] = 255
    as_floats = measure_references([Reference("a.tif", shot)])
    as_bytes = measure_references([Reference("a.tif", shot.astype(np.uint8))])
    assert as_floats.cut.samples.white_level == as_bytes.cut.samples.white_level == 255
    assert as_floats.windows.recording.step == as_bytes.windows.recording.step == 1 / 255
    np.testing.assert_array_equal(as_floats.statistics.level, as_bytes.statistics.level)


@pytest.mark.parametrize(
    ("highest", "white"), [(200, 255), (930, 1023), (60000, 65535), (7e4, 7e4)]
)
def test_whole_floats_are_counts_of_so_many_bits(highest: float, white: float) -> None:
    counts = np.rint(smooth(0.2 * highest, highest))
    assert find_white_level([Reference("a.tif", counts)]) == white
    assert find_white_level([Reference("a.tif", counts, counts + np.float32(0.5))]) >= white
    fractions = counts + np.float32(0.25)
    assert find_white_level([Reference("a.tif", fractions)]) == highest + 0.25


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_a_given_white_level_counts(dtype: type) -> None:
    shot: NDArray[Any] = noisy(smooth(500, 3000), 40).astype(dtype)
    found = measure_references([Reference("a.tif", shot)])
    assert found.cut.samples.white_level == (4095 if dtype == np.uint16 else shot.max())
    given = measure_references([Reference("a.tif", shot)], 10000)
    assert given.cut.samples.white_level == 10000
    np.testing.assert_allclose(given.statistics.sigma, 0.004, rtol=0.1)


def test_floats_above_a_given_white_level_are_saturated() -> None:
    shot = noisy(smooth(100, 900), 10)
    shot[100, 100] = 1e6
    measured = measure_references([Reference("a.tif", shot)], 1000)
    np.testing.assert_allclose(measured.statistics.sigma, 0.01, rtol=0.1)


def test_one_white_level_for_all_channels() -> None:
    dim, bright = (Reference(n, noisy(smooth(*r), 9).astype(np.uint16)) for n, r in
                   (("dim", (100, 900)), ("bright", (500, 3000))))  # fmt: skip
    assert [find_white_level([dim]), find_white_level([dim, bright])] == [1023, 4095]


@pytest.mark.parametrize(
    ("change", "white_level", "reason"),
    [
        (np.nan, None, "NaN"),
        (np.inf, None, "infinite"),
        (0.5, 0, "white level 0"),
        (0.5, -1, "white level -1"),
        (0.5, np.inf, "white level inf"),
    ],
)
def test_what_cannot_be_is_refused(change: float, white_level: Any, reason: str) -> None:
    shot = noisy(smooth(0.2, 0.8), 0.02)
    shot[3, 4] = change
    for reference in (Reference("a.tif", shot), Reference("a.tif", smooth(0.2, 0.8), shot)):
        with pytest.raises(BadReferenceError, match=rf"a\.tif: .*{reason}") as caught:
            measure_references([reference], white_level)
        assert "\n" not in str(caught.value)


def test_the_clean_of_integers_may_be_their_mean_in_floats() -> None:
    clean = smooth(500.3, 3000.7)
    shot = np.rint(noisy(clean, 40)).astype(np.uint16)
    measured = measure_references([Reference("a.tif", shot, clean)])
    assert (measured.cut.samples.dtype, measured.cut.samples.white_level, measured.cut.kind) == (
        "uint16",
        4095,
        "paired",
    )
    np.testing.assert_allclose(measured.statistics.sigma * 4095, 40, rtol=0.05)
