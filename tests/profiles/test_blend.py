"""Mixes of profiles: between their parts, monotone in the louder one, refused where unlike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fitted import create_profile
from hypothesis import given
from hypothesis import strategies as st
from pictures import Pixels, add_gaussian, scene

from noisegen.errors import ProfileError, UsageError
from noisegen.model.weights import Weights
from noisegen.noise.intensities import level_at
from noisegen.noise.spectrum import colouring_kernel, field_correlation
from noisegen.profiles.blend import blend, sweep
from noisegen.profiles.profile import NoiseProfile
from noisegen.references.check import Reference
from noisegen.synthesis.synthesizer import Synthesizer

CLEAN = scene(160, 160, seed=3)


def add_poisson(clean: Pixels, photons: float, blur: bool, seed: int) -> Pixels:
    """Photon noise; blurred, neighbours share it."""
    rng = np.random.default_rng(seed)
    noise = rng.poisson(clean / 255 * photons) / photons * 255 - clean
    if blur:
        noise = (noise + np.roll(noise, 1, 1)) / 2
    return np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)


def made(noisy: Pixels, weights: Weights, name: str) -> NoiseProfile:
    return create_profile([Reference(f"{name}.png", noisy, CLEAN)], weights, name=name)


@pytest.fixture(scope="module")
def quiet(classical_weights: Weights) -> NoiseProfile:
    return made(add_poisson(CLEAN, 400, False, 1), classical_weights, "iso800")


@pytest.fixture(scope="module")
def loud(classical_weights: Weights) -> NoiseProfile:
    return made(add_poisson(CLEAN, 40, True, 2), classical_weights, "iso6400")


def strength(profile: NoiseProfile, weights: Weights) -> float:
    picture = scene(96, 96, seed=8)
    fake = Synthesizer(weights).synthesize(picture, profile)
    return float((fake.astype(float) - picture).std())


def test_a_sweep_grows_from_one_setting_to_the_other(
    quiet: NoiseProfile, loud: NoiseProfile, classical_weights: Weights
) -> None:
    profiles = sweep(quiet, loud, 5)
    assert len({profile.name for profile in profiles}) == 5
    strengths = [strength(profile, classical_weights) for profile in profiles]
    assert strengths == sorted(strengths)
    ratios = np.diff(np.log(strengths))
    assert ratios.min() > 0.5 * ratios.mean()
    for end, original in ((profiles[0], quiet), (profiles[-1], loud)):
        assert end.measured == original.measured
        np.testing.assert_array_equal(end.tokens, original.tokens)


@given(share=st.floats(0.01, 0.99))
def test_everything_of_a_mix_lies_between(
    quiet: NoiseProfile, loud: NoiseProfile, share: float
) -> None:
    mixed = blend([quiet, loud], [1 - share, share], "mix")
    both = (quiet.measured, loud.measured)
    for name in ("level", "activity", "sigma", "autocorrelation", "colour_correlation"):
        value = getattr(mixed.measured, name)
        if name == "level":
            parts = np.stack([level_at(measured, mixed.measured.nodes) for measured in both])
        else:
            parts = np.stack([getattr(measured, name) for measured in both])
        assert (value >= parts.min(0) - 1e-5).all(), name
        assert (value <= parts.max(0) + 1e-5).all(), name
    assert (mixed.kind, mixed.references) == ("blend", ("iso800.png", "iso6400.png"))


def test_grain_is_mixed_by_power(
    quiet: NoiseProfile, loud: NoiseProfile, classical_weights: Weights
) -> None:
    """Of two equally loud noises, one of them blurred, a half of each has half the correlation."""
    even = replace(quiet.measured, sigma=loud.measured.sigma)
    mixed = blend([replace(quiet, measured=even), loud], [1, 1], "mix")
    neighbour = [
        field_correlation(profile.measured.kernel)[0, 1, 0, 0] for profile in (quiet, loud, mixed)
    ]
    assert abs(neighbour[0]) < 0.03
    assert neighbour[1] > 0.4
    assert neighbour[2] == pytest.approx(np.mean(neighbour[:2]), abs=0.03)


def test_a_kernel_and_its_correlations_are_two_forms_of_one_thing(loud: NoiseProfile) -> None:
    kernel = loud.measured.kernel
    again = colouring_kernel(field_correlation(kernel))
    np.testing.assert_allclose(again, kernel, atol=0.01)


def test_a_share_of_nothing_leaves_the_other(quiet: NoiseProfile, loud: NoiseProfile) -> None:
    assert blend([quiet, loud], [2, 0], quiet.name).to_bytes() == quiet.to_bytes()


def test_a_mix_is_saved_like_any_profile(
    quiet: NoiseProfile, loud: NoiseProfile, tmp_path: Path
) -> None:
    mixed = blend([quiet, loud], [1, 3], "mix")
    mixed.save(tmp_path / "mix.safetensors")
    assert NoiseProfile.load(tmp_path / "mix.safetensors").to_bytes() == mixed.to_bytes()


@pytest.mark.parametrize("shares", [[1.0], [1.0, -1.0], [0.0, 0.0], [1.0, float("nan")]])
def test_shares_that_mean_nothing_are_refused(
    quiet: NoiseProfile, loud: NoiseProfile, shares: list[float]
) -> None:
    with pytest.raises(UsageError, match="shares"):
        blend([quiet, loud], shares, "mix")


def test_unlike_profiles_are_refused(quiet: NoiseProfile, classical_weights: Weights) -> None:
    gray = CLEAN[..., :1]
    other = create_profile(
        [Reference("g.png", add_gaussian(gray, 9), gray)], classical_weights, name="gray"
    )
    with pytest.raises(ProfileError, match="gray: its channels is 1, that of iso800 is 3"):
        blend([quiet, other], [1, 1], "mix")


def test_a_sweep_needs_somewhere_to_go(quiet: NoiseProfile, loud: NoiseProfile) -> None:
    for low, high, steps in ((quiet, quiet, 3), (quiet, loud, 1)):
        with pytest.raises(ProfileError, match="a sweep needs"):
            sweep(low, high, steps)


def test_steps_of_long_names_keep_their_numbers(quiet: NoiseProfile, loud: NoiseProfile) -> None:
    low, high = replace(quiet, name="q" * 190), replace(loud, name="l" * 190)
    names = [profile.name for profile in sweep(low, high, 3)]
    assert [name[-3:] for name in names] == ["-01", "-02", "-03"]
