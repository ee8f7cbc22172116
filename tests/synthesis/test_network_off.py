"""A profile whose network does not count is drawn from without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pictures import add_gaussian, scene

import noisegen
from noisegen.model.generator import Generator

CLEAN = scene(96, 128)


@pytest.fixture(scope="module")
def generator() -> noisegen.NoiseGenerator:
    return noisegen.load_generator(device="cpu")


@pytest.fixture(scope="module")
def profile(generator: noisegen.NoiseGenerator) -> noisegen.NoiseProfile:
    return generator.profile(add_gaussian(CLEAN, 12), CLEAN)


class AskedError(Exception):
    """The network was run."""


def refuse(*_: Any, **__: Any) -> Any:
    raise AskedError


@pytest.fixture
def forbid(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def act() -> None:
        monkeypatch.setattr(Generator, "forward", refuse)

    return act


def test_the_network_is_off_unless_it_was_found_to_help(profile: noisegen.NoiseProfile) -> None:
    assert profile.trust == 0


def test_a_profile_without_it_never_runs_it(
    generator: noisegen.NoiseGenerator,
    profile: noisegen.NoiseProfile,
    forbid: Callable[[], None],
) -> None:
    before = generator.synthesize(CLEAN, profile, key="t")
    forbid()
    np.testing.assert_array_equal(generator.synthesize(CLEAN, profile, key="t"), before)
    assert (before.astype(np.float64) - CLEAN).std() == pytest.approx(12, rel=0.1)


def test_making_a_profile_never_runs_it(
    generator: noisegen.NoiseGenerator, forbid: Callable[[], None]
) -> None:
    forbid()
    assert generator.profile(add_gaussian(CLEAN, 12), CLEAN).quality is not None


def test_a_profile_that_counts_on_it_runs_it(
    generator: noisegen.NoiseGenerator,
    profile: noisegen.NoiseProfile,
    forbid: Callable[[], None],
) -> None:
    """Else the tests above could not fail."""
    forbid()
    with pytest.raises(AskedError):
        generator.synthesize(CLEAN, replace(profile, trust=1.0), key="t")
