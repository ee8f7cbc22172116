"""From references to a profile and its file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pictures import Pixels, add_gaussian, scene
from safetensors.numpy import save_file

from noisegen.errors import BadReferenceError, ProfileError
from noisegen.model.weights import Weights
from noisegen.references.create import Reference, create_profile
from noisegen.references.profile import CONTENT, FORMAT, METADATA_KEY, NoiseProfile

CLEAN = scene(96, 128)
NOISY = add_gaussian(CLEAN, 10)


@pytest.fixture(scope="module")
def profile(weights: Weights) -> NoiseProfile:
    return create_profile([Reference("a.png", NOISY, CLEAN)], weights, name="camera")


def test_what_a_profile_knows(profile: NoiseProfile, weights: Weights) -> None:
    assert (profile.kind, profile.channels, profile.dtype) == ("paired", 3, "uint8")
    assert profile.white_level == 255
    assert profile.references == ("a.png",)
    assert profile.pixels == 96 * 128
    assert profile.weights_sha256 == weights.sha256
    np.testing.assert_allclose(profile.sigma * 255, 10, rtol=0.06)


def test_the_file_is_small_and_the_same_each_time(
    profile: NoiseProfile, weights: Weights, tmp_path: Path
) -> None:
    again = create_profile([Reference("a.png", NOISY, CLEAN)], weights, name="camera")
    for name, made in (("one", profile), ("two", again)):
        made.save(tmp_path / name)
    data = (tmp_path / "one").read_bytes()
    assert data == (tmp_path / "two").read_bytes()
    assert len(data) < 256 * 1024
    loaded = NoiseProfile.load(tmp_path / "one")
    assert loaded.to_bytes() == data
    assert loaded.sha256 == profile.sha256


def test_several_references_of_several_sizes(weights: Weights) -> None:
    references = [
        Reference("a.png", NOISY, CLEAN),
        Reference("b.png", add_gaussian(scene(64, 32), 10), scene(64, 32)),
    ]
    profile = create_profile(references, weights)
    assert profile.pixels == 96 * 128 + 64 * 32


def test_without_a_clean_it_says_estimated(weights: Weights) -> None:
    profile = create_profile([Reference("a.png", add_gaussian(scene(256, 256), 10))], weights)
    assert profile.kind == "estimated"
    np.testing.assert_allclose(profile.sigma * 255, 10, rtol=0.15)


@pytest.mark.parametrize(
    ("noisy", "clean", "reason"),
    [
        (NOISY, CLEAN[:-1], "give the clean of this very picture"),
        (CLEAN, CLEAN, "identical"),
        (NOISY[:31], CLEAN[:31], "at least 32×32"),
        (np.zeros((64, 64, 3), np.uint8), None, "saturated"),
        (np.full((64, 64, 3), 128, np.uint8), None, "shows no noise"),
        (NOISY.astype(np.int32), None, "int32"),
        (NOISY[..., :2], None, "gray or RGB"),
    ],
)
def test_bad_references_are_named(
    weights: Weights, noisy: Pixels, clean: Pixels | None, reason: str
) -> None:
    with pytest.raises(BadReferenceError, match=reason) as caught:
        create_profile([Reference("shot.png", noisy, clean)], weights)
    assert "shot.png" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_references_must_be_alike(weights: Weights) -> None:
    references = [Reference("a.png", NOISY, CLEAN), Reference("b.png", NOISY[..., :1])]
    with pytest.raises(BadReferenceError, match=r"b\.png.*gray.*a\.png"):
        create_profile(references, weights)


def test_white_level_can_be_given_and_is_checked(weights: Weights) -> None:
    references = [Reference("a.png", NOISY.astype(np.uint16) * 4, CLEAN.astype(np.uint16) * 4)]
    assert create_profile(references, weights).white_level == 1023
    assert create_profile(references, weights, white_level=4095).white_level == 4095
    with pytest.raises(BadReferenceError, match="white level 100"):
        create_profile(references, weights, white_level=100)


def damaged(profile: NoiseProfile, path: Path, kind: str) -> None:
    metadata = {"content": CONTENT, "format": FORMAT, "name": "x"}
    tensors = {"sigma": profile.sigma}
    if kind == "version":
        metadata["format"] = FORMAT + 1
    if kind == "stranger":
        metadata = {}
    if kind == "nan":
        bad = replace(profile, tokens=np.full_like(profile.tokens, np.nan))
        path.write_bytes(bad.to_bytes())
    elif kind == "cut":
        path.write_bytes(profile.to_bytes()[:-10])
    elif kind == "pickle":
        path.write_bytes(b"\x80\x04\x95")
    else:
        save_file(tensors, path, {METADATA_KEY: json.dumps(metadata)})


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("version", f"profile of version {FORMAT + 1}"),
        ("stranger", "not a noise profile"),
        ("shapes", "missing or misshapen"),
        ("nan", "NaN"),
        ("cut", "not a noise profile"),
        ("pickle", "not a noise profile"),
    ],
)
def test_bad_profile_files_are_refused(
    profile: NoiseProfile, tmp_path: Path, kind: str, reason: str
) -> None:
    path = tmp_path / "camera.safetensors"
    damaged(profile, path, kind)
    with pytest.raises(ProfileError, match=reason) as caught:
        NoiseProfile.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
