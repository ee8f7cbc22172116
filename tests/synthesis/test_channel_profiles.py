"""Which profile serves which channel of a volume."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fitted import create_profile
from pictures import add_gaussian, scene

from noisegen.errors import UsageError
from noisegen.model.weights import Weights
from noisegen.profiles.profile import NoiseProfile
from noisegen.references.check import Reference
from noisegen.synthesis.channel_profiles import profiles_of_channels


@pytest.fixture(scope="module")
def gray(weights: Weights) -> NoiseProfile:
    clean = scene(128, 160, 1, seed=5)
    return create_profile([Reference("ref", add_gaussian(clean, 12), clean)], weights)


def names(profiles: tuple[NoiseProfile, ...] | None) -> list[str] | None:
    return None if profiles is None else [profile.name for profile in profiles]


@pytest.mark.parametrize(
    ("given", "channels", "expected"),
    [
        (["p-GFP", "p-DAPI"], ["DAPI", "GFP"], ["p-DAPI", "p-GFP"]),
        (["p-GFP", "p-DAPI", "p-Cy5"], ["DAPI", "GFP"], ["p-DAPI", "p-GFP"]),
        # Not every channel has a name's profile: the order decides, if the number fits.
        (["p-GFP", "q"], ["DAPI", "GFP"], ["p-GFP", "q"]),
        (["p-GFP", "q", "r"], ["DAPI", "GFP"], None),
        (["p"], ["DAPI", "GFP"], None),
        (["p", "q"], [""], None),
        (["p-DAPI"], ["DAPI"], None),
    ],
)
def test_by_name_then_by_order(
    given: list[str], channels: list[str], expected: list[str] | None, gray: NoiseProfile
) -> None:
    profiles = [replace(gray, name=name) for name in given]
    assert names(profiles_of_channels(profiles, channels)) == expected


def test_colour_profiles_do_not_count(weights: Weights, gray: NoiseProfile) -> None:
    clean = scene(128, 160, seed=5)
    colour = create_profile([Reference("ref", add_gaussian(clean, 12), clean)], weights)
    assert profiles_of_channels([replace(colour, name="a-c0"), gray], ["c0", "c1"]) is None


def test_two_profiles_of_one_channel_are_refused(gray: NoiseProfile) -> None:
    profiles = [replace(gray, name=name) for name in ("a-DAPI", "b-DAPI", "a-GFP")]
    with pytest.raises(UsageError, match=r"a-DAPI and b-DAPI.*DAPI"):
        profiles_of_channels(profiles, ["DAPI", "GFP"])
