"""Equal counts have equal noise; other types meet at white; contradictions are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fitted import create_profile
from numpy.typing import NDArray
from pictures import scene

from noisegen.errors import ProfileError
from noisegen.model.weights import Weights
from noisegen.profiles.blend import blend
from noisegen.profiles.profile import NoiseProfile
from noisegen.references.check import Reference
from noisegen.synthesis.clean_rows import ArrayRows
from noisegen.synthesis.synthesizer import CleanError, Synthesizer

Pixels = NDArray[Any]
SIDE = 256
SIGMA = 12.0
"""In counts, of every camera here."""


def slope(low: float, high: float) -> Pixels:
    across = np.linspace(low, high, SIDE)
    return np.rint(np.broadcast_to(across[None, :, None], (SIDE, SIDE, 1)))


def reference(low: float, high: float, dtype: Any, black: float = 0) -> Reference:
    clean = slope(low, high)
    noise = np.random.default_rng(5).normal(0, SIGMA, clean.shape)
    noisy = np.rint(clean + noise).clip(black)
    return Reference("ref", noisy.astype(dtype), clean.astype(dtype))


def profile_of(one: Reference, weights: Weights, level: float | None = None) -> NoiseProfile:
    return create_profile([one], weights, name="camera", white_level=level)


def spread(noisy: Pixels, clean: Pixels) -> float:
    return float((noisy.astype(np.float64) - clean).std())


@pytest.fixture(scope="module")
def synthesizer(classical_weights: Weights) -> Synthesizer:
    return Synthesizer(classical_weights)


@pytest.fixture(scope="module")
def dim(classical_weights: Weights) -> NoiseProfile:
    """12 bits whose reference stays below 1023."""
    return profile_of(reference(200, 900, np.uint16), classical_weights)


@pytest.mark.parametrize("top", [900, 1500, 3900, 16000, 65000])
@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.float32])
def test_equal_counts_have_equal_noise(
    synthesizer: Synthesizer, dim: NoiseProfile, top: int, dtype: Any
) -> None:
    assert (dim.white_level, dim.white_level_given) == (1023, False)
    clean = slope(200, 900)
    clean[:8, -8:] = top
    noisy = synthesizer.synthesize(clean.astype(dtype), dim)
    assert noisy.dtype == dtype
    assert spread(noisy[16:], clean[16:]) == pytest.approx(SIGMA, rel=0.1)


def test_the_white_of_a_brighter_clean_is_not_clipped(
    synthesizer: Synthesizer, dim: NoiseProfile
) -> None:
    clean = np.full((64, 64), 3000, np.uint16)
    assert spread(synthesizer.synthesize(clean, dim), clean) == pytest.approx(SIGMA, rel=0.15)


def test_a_level_that_the_references_do_not_pass_scales_nothing(
    synthesizer: Synthesizer, dim: NoiseProfile
) -> None:
    """The advice of a refusal, followed: it may only say where white is clipped."""
    clean = slope(200, 3900).astype(np.uint16)
    noisy = synthesizer.synthesize(clean, dim, white_level=4095)
    assert spread(noisy, clean) == pytest.approx(SIGMA, rel=0.1)
    with pytest.raises(CleanError, match=r"camera.*10 bits \(white 1023, found\).*white_level=512"):
        synthesizer.synthesize(clean, dim, white_level=512)
    with pytest.raises(CleanError, match=r"outside .*white_level=4095"):
        synthesizer.synthesize(clean, dim, white_level=2000)


def test_a_given_level_is_neither_passed_nor_contradicted(
    synthesizer: Synthesizer, classical_weights: Weights
) -> None:
    given = profile_of(reference(200, 900, np.uint16), classical_weights, 1023)
    assert given.white_level_given
    with pytest.raises(CleanError, match=r"white 1023, given.*white_level=4095"):
        synthesizer.synthesize(slope(200, 3900).astype(np.uint16), given)
    with pytest.raises(CleanError, match=r"white 1023, given.*white_level=4095 contradicts"):
        synthesizer.synthesize(slope(200, 900).astype(np.uint16), given, white_level=4095)
    remade = profile_of(reference(200, 900, np.uint16), classical_weights, 4095)
    clean = slope(200, 3900).astype(np.uint16)
    assert spread(synthesizer.synthesize(clean, remade), clean) == pytest.approx(SIGMA, rel=0.1)


def test_whole_floats_are_counts(synthesizer: Synthesizer, classical_weights: Weights) -> None:
    profile = profile_of(reference(60, 190, np.uint8), classical_weights)
    clean = slope(60, 190)
    floats = synthesizer.synthesize(clean.astype(np.float32), profile)
    assert spread(floats, clean) == pytest.approx(SIGMA, rel=0.1)
    floats = synthesizer.synthesize((clean / 255).astype(np.float32), profile)
    assert spread(255 * floats, clean) == pytest.approx(SIGMA, rel=0.1)
    with pytest.raises(CleanError, match=r"outside .*divide by 255.*white_level=255"):
        synthesizer.synthesize((clean + 0.5).astype(np.float32), profile)
    given = synthesizer.synthesize((clean + 0.5).astype(np.float32), profile, white_level=255)
    assert spread(given, clean + 0.5) == pytest.approx(SIGMA, rel=0.1)


def test_float_references_and_integer_cleans_share_counts(
    synthesizer: Synthesizer, classical_weights: Weights
) -> None:
    profile = profile_of(reference(200, 900, np.float32), classical_weights)
    for dtype in (np.uint16, np.uint32, np.float64):
        clean = slope(200, 850).astype(dtype)
        noisy = synthesizer.synthesize(clean, profile)
        assert spread(noisy, clean) == pytest.approx(SIGMA, rel=0.1)


def test_floats_in_the_unit_range_are_not_taken_as_counts(
    synthesizer: Synthesizer, classical_weights: Weights
) -> None:
    one = reference(200, 900, np.float32)
    assert one.clean is not None
    unit = replace(one, noisy=one.noisy / 1023, clean=one.clean / 1023)
    profile = profile_of(unit, classical_weights)
    with pytest.raises(CleanError, match=r"divide it by its own white level, as 1023"):
        synthesizer.synthesize(slope(200, 900).astype(np.float32), profile)
    with pytest.raises(CleanError, match=r"white 1 \(found\).*white_level=1023 contradicts"):
        synthesizer.synthesize(slope(200, 900).astype(np.float32), profile, white_level=1023)
    clean = slope(200, 900).astype(np.uint16)
    noisy = synthesizer.synthesize(clean, profile, white_level=1023)
    assert spread(noisy, clean) == pytest.approx(SIGMA, rel=0.1)


def test_values_below_0_are_taken_where_the_references_have_them(
    synthesizer: Synthesizer, classical_weights: Weights
) -> None:
    below = profile_of(reference(-10, 900, np.float32, black=-np.inf), classical_weights)
    assert below.lowest < -SIGMA
    clean = slope(-8, 8).astype(np.float32)
    noisy = synthesizer.synthesize(clean, below)
    assert spread(noisy, clean) == pytest.approx(SIGMA, rel=0.15)
    assert float((noisy - clean).mean()) == pytest.approx(0, abs=2)
    above = profile_of(reference(50, 900, np.float32), classical_weights)
    with pytest.raises(CleanError, match=r"below 0, down to -8, and the references .*camera"):
        synthesizer.synthesize(clean, above)


def test_a_type_that_cannot_hold_the_level_is_refused(
    synthesizer: Synthesizer, classical_weights: Weights
) -> None:
    profile = profile_of(reference(60, 190, np.uint8), classical_weights)
    with pytest.raises(CleanError, match=r"uint16 pixels, which cannot reach white_level=131071"):
        synthesizer.synthesize(slope(1, 9).astype(np.uint16), profile, white_level=131071)


def test_profiles_keep_what_their_level_rests_on(
    dim: NoiseProfile, tmp_path: Any, classical_weights: Weights
) -> None:
    changed = replace(dim, white_level_given=True, lowest=-3.5)
    changed.save(tmp_path / "p.safetensors")
    loaded = NoiseProfile.load(tmp_path / "p.safetensors")
    assert (loaded.white_level_given, loaded.lowest) == (True, -3.5)
    other = profile_of(reference(200, 3900, np.uint16), classical_weights)
    with pytest.raises(ProfileError, match=r"white_level is 4095.*1023.*one white level"):
        blend([dim, other], [1, 1], "mix")


def test_crops_are_taken_as_their_whole(synthesizer: Synthesizer, dim: NoiseProfile) -> None:
    clean = scene(96, 96, 1).astype(np.uint16) * 4
    clean[0, 0] = 4000
    levels = synthesizer.check([ArrayRows(clean)], dim, None)
    part = synthesizer.synthesize(clean[32:, 32:], dim, levels=levels)
    assert (levels.scale, levels.white, part.shape) == (1023, 4095, (64, 64, 1))


@pytest.mark.parametrize("level", [float("nan"), float("inf"), 0.0, -5.0])
def test_a_level_that_no_picture_has_is_refused(
    synthesizer: Synthesizer, dim: NoiseProfile, level: float
) -> None:
    with pytest.raises(CleanError, match=r"white_level=\S+ cannot be; give a positive number, not"):
        synthesizer.synthesize(slope(0, 1000).astype(np.float32), dim, white_level=level)


def test_numbers_beyond_single_precision_are_refused(
    synthesizer: Synthesizer, dim: NoiseProfile
) -> None:
    clean = slope(20, 200).astype(np.float64) * 1e38
    with pytest.raises(CleanError, match="divide them"):
        synthesizer.synthesize(clean, dim)


@pytest.mark.parametrize("shape", [(64,), (1, 64, 64, 1)])
def test_what_is_no_picture_is_refused(
    synthesizer: Synthesizer, dim: NoiseProfile, shape: tuple[int, ...]
) -> None:
    with pytest.raises(CleanError, match=r"has the shape .*; give H×W or H×W×C"):
        synthesizer.synthesize(np.zeros(shape, np.uint16), dim)
