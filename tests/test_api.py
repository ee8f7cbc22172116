"""``load_generator`` and what it loads: what is no argument is refused in a line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pictures
import pytest
import torch

from noisegen.api import NoiseGenerator, load_generator
from noisegen.errors import NoisegenError
from noisegen.model.weights import find_weights
from noisegen.profiles.profile import NoiseProfile

CLEAN = pictures.scene(64, 96, seed=1)

ASKED: Any = load_generator
"""As it may be called where no types are checked."""


@pytest.fixture(scope="module")
def generator() -> NoiseGenerator:
    return load_generator()


@pytest.fixture(scope="module")
def profile(generator: NoiseGenerator) -> NoiseProfile:
    clean = pictures.scene(128, 128, seed=0)
    return generator.profile(pictures.add_gaussian(clean, 9), clean)


def test_weights_are_named_by_text_or_path() -> None:
    assert load_generator(find_weights("sim")).weights.name == "noisegen-sim"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda g, p: ASKED(None), "give a name or the path"),
        (lambda g, p: ASKED(tile=1.5), "give 1 or more"),
        (lambda g, p: g.profile(None), "a noisy picture is None"),
        (lambda g, p: g.profile(CLEAN, name=None), "give text"),
        (lambda g, p: g.synthesize(CLEAN, "camera.safetensors"), "give a NoiseProfile"),
        (lambda g, p: g.synthesize(CLEAN, p, strength=(0.5, 2)), "give one number"),
        (lambda g, p: g.synthesize(CLEAN / 255, p, white_level="1"), "give a positive number"),
        (lambda g, p: g.synthesize(CLEAN.transpose(2, 0, 1), p), "has 96 channels"),
        (lambda g, p: g.synthesize(CLEAN.astype(np.int32), p), "int16 or float"),
    ],
)
def test_what_is_no_argument_is_refused(
    generator: NoiseGenerator,
    profile: NoiseProfile,
    call: Callable[[Any, Any], object],
    words: str,
) -> None:
    with pytest.raises(NoisegenError, match=words):
        call(generator, profile)


def test_profiles_can_be_compared_and_kept_in_sets(profile: NoiseProfile, tmp_path: Path) -> None:
    profile.save(tmp_path / "camera.safetensors")
    again = NoiseProfile.load(tmp_path / "camera.safetensors")
    assert len({profile, profile}) == 1
    assert again.sha256 == profile.sha256


def test_torch_s_default_type_changes_nothing(profile: NoiseProfile) -> None:
    floats = (CLEAN / np.float32(255)).astype(np.float32)
    before = [load_generator().synthesize(clean, profile) for clean in (CLEAN, floats)]
    torch.set_default_dtype(torch.float64)
    try:
        generator = load_generator()
        after = [generator.synthesize(clean, profile) for clean in (CLEAN, floats)]
    finally:
        torch.set_default_dtype(torch.float32)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
