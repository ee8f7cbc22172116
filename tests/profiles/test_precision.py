"""A lone shot's clean estimated in bfloat16: nearly the same profile, which says so."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import add_gaussian, scene

from noisegen import load_generator
from noisegen.api import NoiseGenerator
from noisegen.errors import UsageError
from noisegen.profiles.profile import NoiseProfile

CLEAN = scene(192, 256)
NOISY = add_gaussian(CLEAN, 4)
SAID = "estimated its clean in bfloat16"


@pytest.fixture(scope="module")
def generator() -> NoiseGenerator:
    return load_generator("base")


@pytest.fixture(scope="module")
def coarse(generator: NoiseGenerator) -> NoiseProfile:
    return generator.profile(NOISY, precision="bf16")


def test_it_is_nearly_the_same_noise_and_says_so(
    generator: NoiseGenerator, coarse: NoiseProfile
) -> None:
    fine = generator.profile(NOISY)
    assert coarse.repairs == (f"reference 0: {SAID}",)
    assert fine.repairs == ()
    assert not np.array_equal(coarse.measured.level, fine.measured.level)
    np.testing.assert_allclose(coarse.sigma, fine.sigma, rtol=5e-3)
    shown = fine.measured.coverage > 0.5
    apart = np.log(coarse.measured.level / fine.measured.level)[shown]
    assert np.sqrt((apart**2).mean()) < 0.01
    np.testing.assert_allclose(coarse.autocorrelation, fine.autocorrelation, atol=0.02)


def test_it_is_the_same_every_time(generator: NoiseGenerator, coarse: NoiseProfile) -> None:
    assert generator.profile(NOISY, precision="bf16").sha256 == coarse.sha256
    assert SAID not in str(generator.profile(NOISY).repairs), "it does not stay for the next one"


def test_where_no_clean_is_estimated_it_is_refused(generator: NoiseGenerator) -> None:
    with pytest.raises(UsageError, match="precision bf16: only the clean of a lone shot"):
        generator.profile(NOISY, CLEAN, precision="bf16")
    with pytest.raises(UsageError, match="choose of float32, bf16"):
        generator.profile(NOISY, precision="float16")
