"""How an instrument's values are found: steps that are its own, and where it clips."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import add_gaussian, scene

from noisegen.noise.record import Recording, find_recording, widest

Pixels = NDArray[Any]


def values(low: float = 300.0, high: float = 3000.0, seed: int = 0, loud: float = 1.0) -> Pixels:
    """Unrounded noisy counts of 12 bits, shot noise on a ramp, H×W×1."""
    rng = np.random.default_rng(seed)
    clean = np.tile(np.linspace(low, high, 256), (256, 1))[..., None]
    return clean + loud * np.sqrt(clean) * rng.normal(size=clean.shape)


def found(pixels: Pixels, white: float) -> tuple[float, ...]:
    """Low, high, step and origin of one channel."""
    recording = find_recording([pixels], white)
    return tuple(float(getattr(recording, name)[0]) for name in ("low", "high", "step", "origin"))


def test_plain_bytes() -> None:
    assert found(add_gaussian(scene(128, 128, 1), 12), 255) == (0, 255, 1, 0)


def test_every_eighth_value_with_an_offset() -> None:
    levels = np.rint(values(2, 25)).clip(0, 31)
    assert found((levels * 8 + 5).astype(np.uint8), 255)[2:] == (8, 5 - 8)


def test_a_stretch_by_no_whole_number() -> None:
    """As of a microscope's picture brought to 8 bits: gaps are 7, 8 and 9."""
    levels = np.rint(values(2, 28)).clip(0, 31)
    _, _, step, origin = found(np.rint(levels * 7.97 + 3).astype(np.uint8), 255)
    assert step == pytest.approx(7.97, abs=0.03)
    assert abs((3 - origin + step / 2) % step - step / 2) < 0.6


def test_a_slight_stretch() -> None:
    """Twelve bits brought to sixteen by another white level than 4095."""
    pixels = np.rint(np.rint(values()) * 13.37).astype(np.uint16)
    assert found(pixels, 65535)[2] == pytest.approx(13.37, abs=0.002)


def test_twelve_bits_shifted_into_sixteen() -> None:
    pixels = np.rint(values()).astype(np.uint16) << 4
    assert found(pixels, 65535)[2:] == (16, 0)


def test_twelve_bits_replicated_into_sixteen() -> None:
    counts = np.rint(values()).astype(np.uint16)
    _, _, step, origin = found((counts << 4) | (counts >> 8), 65535)
    assert step == pytest.approx(65535 / 4095, rel=1e-4)
    assert abs(origin) < 1


def test_bytes_in_sixteen_bits() -> None:
    pixels = add_gaussian(scene(128, 128, 1), 12).astype(np.uint16) * 257
    assert found(pixels, 65535)[2:] == (257, 0)


@pytest.mark.parametrize("mean", [0.3, 3.0, 40.0])
def test_photon_counts_as_floats(mean: float) -> None:
    counts = np.random.default_rng(0).poisson(mean, (128, 128, 1)).astype(np.float32)
    low, high, step, origin = found(counts, float(counts.max()))
    assert (step, origin) == (1, 0)
    assert (low, high) == (0, counts.max())


def test_floats_of_bytes() -> None:
    pixels = add_gaussian(scene(128, 128, 1), 12).astype(np.float32) / np.float32(255)
    _, _, step, origin = found(pixels, 1)
    assert step == pytest.approx(1 / 255, rel=1e-5)
    assert abs(origin) < 1e-5


def test_continuous_floats_have_no_steps() -> None:
    pixels = (values() / 4095).astype(np.float32)
    assert found(pixels, 1) == (0, 1, 0, 0)


def test_floats_below_black_have_no_end_there() -> None:
    pixels = np.random.default_rng(0).normal(0, 2, (64, 64, 1)).astype(np.float32)
    assert found(pixels, 100)[0] < pixels.min()


def test_a_camera_that_clips_above_black_and_below_white() -> None:
    rng = np.random.default_rng(0)
    clean = np.tile(np.linspace(0, 255, 256), (256, 1))[..., None]
    noisy = np.rint(clean + rng.normal(0, 6, clean.shape)).clip(3, 250).astype(np.uint8)
    assert found(noisy, 255) == (3, 250, 1, 0)


@pytest.mark.parametrize("sigma", [0.4, 1, 5, 30])
@pytest.mark.parametrize("seed", [0, 1])
def test_noise_of_bytes_has_no_other_steps(sigma: float, seed: int) -> None:
    pixels = add_gaussian(scene(128, 128, 3, seed), sigma, seed)
    recording = find_recording([pixels], 255)
    np.testing.assert_array_equal(recording.step, 1)
    np.testing.assert_array_equal(recording.low, 0)
    np.testing.assert_array_equal(recording.high, 255)


@pytest.mark.parametrize("loud", [0.2, 1, 20])
@pytest.mark.parametrize("factor", [1, 16])
def test_noise_of_sixteen_bits_has_no_other_steps(loud: float, factor: int) -> None:
    """Most values of so many are missing by chance."""
    pixels = np.rint(values(loud=loud) * factor).clip(0, 65535).astype(np.uint16)
    assert found(pixels, 65535)[2:] == (1, 0)


def test_few_values_are_no_lattice() -> None:
    pixels = np.random.default_rng(0).choice([0, 40, 80, 255], (64, 64, 1)).astype(np.uint8)
    assert found(pixels, 255)[2] == 1


def test_channels_are_looked_at_one_by_one() -> None:
    plain = add_gaussian(scene(128, 128, 1), 12)
    coarse = plain // 4 * 4
    recording = find_recording([np.concatenate([plain, coarse], 2)], 255)
    np.testing.assert_array_equal(recording.step, [1, 4])


def test_recording_clips_and_rounds() -> None:
    recording = Recording(*(np.array([x]) for x in (5.0, 245.0, 8.0, 5.0)))
    given = np.array([[-9.0, 8.9, 9.1, 16.9, 17.1, 400.0]])
    np.testing.assert_array_equal(recording.record(given, 0), [[5, 5, 13, 13, 21, 245]])
    continuous = Recording.even(1, 0)
    np.testing.assert_array_equal(
        continuous.record(np.array([[-0.5, 0.123, 2.0]]), 0), [[0, 0.123, 1]]
    )


def test_ends_are_recorded_though_they_are_no_steps() -> None:
    """They were found because many pixels have these very values."""
    recording = Recording(*(np.array([x]) for x in (3.0, 250.0, 8.0, 5.0)))
    given = np.array([[-9.0, 5.1, 244.0, 400.0]])
    np.testing.assert_array_equal(recording.record(given, 0), [[3, 5, 245, 250]])


def test_other_units_and_several_recordings() -> None:
    one = Recording(*(np.array([x]) for x in (3.0, 250.0, 8.0, 5.0)))
    other = Recording(*(np.array([x]) for x in (2.0, 240.0, 8.0, 5.0)))
    both = widest([one, other])
    assert (both.low[0], both.high[0], both.step[0]) == (2, 250, 8)
    half = both.scaled(0.5)
    assert (half.low[0], half.high[0], half.step[0], half.origin[0]) == (1, 125, 4, 2.5)


def test_one_spike_is_no_end_at_both_sides() -> None:
    values = np.repeat(np.arange(1, 8, dtype=np.uint8), (1, 1, 1, 5000, 1, 1, 1))
    recording = find_recording([values[None, :, None]], 255.0)
    assert (recording.low < recording.high).all()
