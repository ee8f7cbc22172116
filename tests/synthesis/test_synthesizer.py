"""One picture: its pixels are a function of the arguments and nothing else."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from fitted import create_profile
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import Pixels, add_gaussian, scene

from noisegen.errors import ProfileError, UsageError
from noisegen.model.weights import Weights
from noisegen.profiles.profile import NoiseProfile
from noisegen.references.check import Reference
from noisegen.synthesis.blocks import Region
from noisegen.synthesis.synthesizer import CleanError, Synthesizer, Version


@pytest.fixture(scope="module")
def classical(classical_weights: Weights) -> Synthesizer:
    return Synthesizer(classical_weights)


@pytest.fixture(scope="module")
def classical_profile(classical_weights: Weights) -> NoiseProfile:
    clean = scene(128, 160, seed=5)
    return create_profile([Reference("ref", add_gaussian(clean, 12), clean)], classical_weights)


CLEAN = scene(530, 610)


@pytest.fixture(scope="module")
def noisy(synthesizer: Synthesizer, profile: NoiseProfile) -> Pixels:
    return synthesizer.synthesize(CLEAN, profile, key="a.png")


@pytest.mark.parametrize("tile", [1, 64, 256, 300, 512, 4096])
def test_every_tile_size_gives_the_same_pixels(
    weights: Weights, profile: NoiseProfile, noisy: Pixels, tile: int
) -> None:
    tiled = Synthesizer(weights, tile=tile).synthesize(CLEAN, profile, key="a.png")
    np.testing.assert_array_equal(tiled, noisy)


@settings(max_examples=12, deadline=None)
@given(
    places=st.lists(
        st.tuples(st.integers(0, 529), st.integers(0, 609), st.integers(1, 90)),
        min_size=1,
        max_size=3,
    ),
    tile=st.sampled_from([64, 512]),
)
def test_regions_are_crops_of_the_whole(
    weights: Weights,
    profile: NoiseProfile,
    noisy: Pixels,
    places: list[tuple[int, int, int]],
    tile: int,
) -> None:
    regions = [Region(y, x, min(s, 530 - y), min(s, 610 - x)) for y, x, s in places]
    synthesizer = Synthesizer(weights, tile=tile)
    parts = synthesizer.synthesize_regions(CLEAN, profile, regions, Version(key="a.png"))
    # However many they are, they are cut from one picture: crops take no more memory than it.
    assert len({id(part.base) for part in parts}) == 1
    for region, part in zip(regions, parts, strict=True):
        np.testing.assert_array_equal(part, noisy[region.slices(Region(0, 0, 0, 0))])


def test_threads_do_not_change_pixels(
    weights: Weights, profile: NoiseProfile, noisy: Pixels
) -> None:
    before = torch.get_num_threads()
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            again = Synthesizer(weights).synthesize(CLEAN, profile, key="a.png")
            np.testing.assert_array_equal(again, noisy)
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_what_ran_before_does_not_change_pixels(
    synthesizer: Synthesizer, profile: NoiseProfile, noisy: Pixels
) -> None:
    synthesizer.synthesize(scene(70, 90), profile, key="b.png", seed=3)
    again = synthesizer.synthesize(CLEAN, profile, key="a.png")
    np.testing.assert_array_equal(again, noisy)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_waits_for_no_thread_of_its_parent(
    synthesizer: Synthesizer, profile: NoiseProfile, noisy: Pixels
) -> None:
    """As the workers of a loader whose dataset holds a generator that was used before."""
    fork = multiprocessing.get_context("fork")
    receives, sends = fork.Pipe(duplex=False)

    def make() -> None:
        sends.send(synthesizer.synthesize(CLEAN, profile, key="a.png"))

    process = fork.Process(target=make, daemon=True)
    process.start()
    came = receives.poll(60)
    made = receives.recv() if came else None
    process.kill()
    assert came
    np.testing.assert_array_equal(made, noisy)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_makes_the_same_pixels(
    synthesizer: Synthesizer, profile: NoiseProfile, noisy: Pixels, copied: Callable[..., Any]
) -> None:
    made = copied(synthesizer).synthesize(CLEAN, profile, key="a.png")
    np.testing.assert_array_equal(made, noisy)


@pytest.mark.parametrize("convert", [np.asfortranarray, np.ma.asarray, torch.from_numpy])
def test_any_array_and_whole_number_will_do(
    synthesizer: Synthesizer, profile: NoiseProfile, noisy: Pixels, convert: Callable[..., Any]
) -> None:
    seed: Any = np.int64(0)
    made = synthesizer.synthesize(convert(CLEAN), profile, key="a.png", seed=seed)
    assert type(made) is np.ndarray
    np.testing.assert_array_equal(made, noisy)


@pytest.mark.parametrize("change", [{"seed": 1}, {"key": "b.png"}, {"variant": 1}])
def test_seed_key_and_variant_draw_new_noise(
    classical: Synthesizer, classical_profile: NoiseProfile, change: dict[str, int]
) -> None:
    clean = scene(128, 128)
    first = classical.synthesize(clean, classical_profile, key="a.png").astype(float) - clean
    other = classical.synthesize(clean, classical_profile, **{"key": "a.png", **change})  # type: ignore[arg-type]
    correlation = np.corrcoef(first.ravel(), (other.astype(float) - clean).ravel())[0, 1]
    assert abs(correlation) < 0.1


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (7, 5), (64, 64), (65, 257), (300, 1)])
def test_any_size(synthesizer: Synthesizer, profile: NoiseProfile, size: tuple[int, int]) -> None:
    clean = np.full((*size, 3), 128, np.uint8)
    noisy = synthesizer.synthesize(clean, profile)
    assert noisy.shape == clean.shape
    assert noisy.dtype == np.uint8


def test_the_order_of_bytes_changes_nothing(
    synthesizer: Synthesizer, profile: NoiseProfile
) -> None:
    clean = np.full((24, 32, len(profile.sigma)), 9000, np.uint16)
    turned = synthesizer.synthesize(clean.astype(clean.dtype.newbyteorder()), profile)
    np.testing.assert_array_equal(turned, synthesizer.synthesize(clean, profile))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_depths_have_the_same_noise(
    synthesizer: Synthesizer, profile: NoiseProfile, dtype: type
) -> None:
    clean = scene(96, 96)
    level = 1.0 if np.dtype(dtype).kind == "f" else float(np.iinfo(dtype).max)
    scaled = (clean / 255 * level).round() if level > 1 else clean / 255
    noisy = synthesizer.synthesize(scaled.astype(dtype), profile)
    eight_bits = synthesizer.synthesize(clean, profile)
    assert noisy.dtype == dtype
    assert np.abs(noisy / level - eight_bits / 255).max() < 1.01 / 255


def test_16_bits_use_their_depth(synthesizer: Synthesizer, profile: NoiseProfile) -> None:
    noisy = synthesizer.synthesize(np.full((64, 64, 3), 30000, np.uint16), profile)
    assert len(np.unique(noisy)) > 5000


def test_gray_and_two_dimensions(synthesizer: Synthesizer, gray_profile: NoiseProfile) -> None:
    clean = scene(80, 100, 1)
    noisy = synthesizer.synthesize(clean, gray_profile)
    flat = synthesizer.synthesize(clean[..., 0], gray_profile)
    assert noisy.shape == (80, 100, 1)
    np.testing.assert_array_equal(noisy[..., 0], flat)


@pytest.mark.parametrize(
    "wrong",
    [
        {"strength": -1.0},
        {"strength": np.nan},
        {"variant": -1},
        {"variant": 1.0},
        {"variant": True},
        {"seed": 5.0},
        {"seed": "5"},
        {"seed": None},
    ],
)
def test_what_no_version_has_is_refused(
    classical: Synthesizer, classical_profile: NoiseProfile, wrong: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match="give"):
        classical.synthesize(np.zeros((8, 8, 3), np.uint8), classical_profile, **wrong)


def test_strength_scales_the_noise(classical: Synthesizer, classical_profile: NoiseProfile) -> None:
    clean = np.full((128, 128, 3), 0.5, np.float32)
    one = classical.synthesize(clean, classical_profile) - clean
    half = classical.synthesize(clean, classical_profile, strength=0.5) - clean
    np.testing.assert_allclose(half, one / 2, atol=1e-6)


def test_12_bits_in_16_are_clipped_at_their_white_level(weights: Weights) -> None:
    clean = (scene(96, 96, 1).astype(np.uint16) * 16).clip(0, 4000)
    noise = np.random.default_rng(0).normal(0, 120, clean.shape)
    noisy = np.clip(np.rint(clean + noise), 0, 4095).astype(np.uint16)
    profile = create_profile([Reference("ref", noisy, clean)], weights)
    assert profile.white_level == 4095
    bright = np.full((64, 64, 1), 4090, np.uint16)
    assert Synthesizer(weights).synthesize(bright, profile).max() == 4095


@pytest.mark.parametrize(
    ("clean", "reason"),
    [
        (np.zeros((8, 8), np.uint8), "is gray, but profile"),
        (np.zeros((8, 8, 3), np.int32), "int32"),
        (np.full((8, 8, 3), np.nan, np.float32), "NaN"),
        (np.full((8, 8, 3), 2.5, np.float32), "outside"),
        (np.full((8, 8, 3), 256.0, np.float32), "outside"),
    ],
)
def test_unfit_cleans_are_refused(
    synthesizer: Synthesizer, profile: NoiseProfile, clean: Pixels, reason: str
) -> None:
    with pytest.raises(CleanError, match=reason):
        synthesizer.synthesize(clean, profile)


def test_a_profile_of_other_weights_is_refused(
    synthesizer: Synthesizer, profile: NoiseProfile
) -> None:
    with pytest.raises(ProfileError, match="other weights"):
        synthesizer.synthesize(CLEAN, replace(profile, weights_sha256="0" * 64))
