"""From references to a profile and its file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fitted import create_profile
from pictures import Pixels, add_gaussian, scene
from safetensors import safe_open
from safetensors.numpy import save_file

from noisegen import load_generator
from noisegen.errors import BadReferenceError, ProfileError
from noisegen.model.tensor_file import METADATA_KEY
from noisegen.model.weights import Weights
from noisegen.profiles.profile import CONTENT, FORMAT, NoiseProfile
from noisegen.profiles.quality import ProfileQuality
from noisegen.references.check import Reference

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


def test_one_of_several_may_have_no_clean() -> None:
    generator = load_generator(device="cpu")
    profile = generator.profile([NOISY, add_gaussian(CLEAN, 10, seed=1)], [CLEAN, None])
    assert (profile.kind, len(profile.references)) == ("estimated", 2)
    np.testing.assert_allclose(profile.sigma * 255, 10, rtol=0.1)


def test_without_a_clean_it_says_estimated(weights: Weights) -> None:
    profile = create_profile([Reference("a.png", add_gaussian(scene(256, 256), 10))], weights)
    assert profile.kind == "estimated"
    np.testing.assert_allclose(profile.sigma * 255, 10, rtol=0.15)


@pytest.mark.parametrize(
    ("noisy", "clean", "reason"),
    [
        (NOISY, CLEAN[:-1], "give the clean of this very picture"),
        (
            NOISY / np.float32(255),
            CLEAN,
            "float32 values, its clean uint8; save both as one",
        ),
        (CLEAN, CLEAN, "identical"),
        (NOISY.astype(np.uint16) * 257, CLEAN, "has 16 bits, its clean 8"),
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
    if kind in ("older", "newer"):
        metadata["format"] = 3 if kind == "older" else FORMAT + 1
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
        ("older", "profile of version 3, .*again from its references with noisegen profile create"),
        ("newer", f"profile of version {FORMAT + 1}"),
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


def test_all_that_was_found_out_survives_the_file(profile: NoiseProfile, tmp_path: Path) -> None:
    told = replace(
        profile,
        warnings=("a.png: dark",),
        quality=ProfileQuality(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.08, 0.9),
        white_level_given=True,
        lowest=-3.5,
    )
    told.save(tmp_path / "camera.safetensors")
    loaded = NoiseProfile.load(tmp_path / "camera.safetensors")
    for name in ("warnings", "quality", "white_level_given", "lowest"):
        assert getattr(loaded, name) == getattr(told, name)
    for name, values in vars(profile.measured).items():
        np.testing.assert_array_equal(getattr(loaded.measured, name), values)
    for name, ends in vars(profile.recording).items():
        np.testing.assert_array_equal(getattr(loaded.recording, name), ends)
    assert loaded.to_bytes() == told.to_bytes()
    assert len(told.to_bytes()) < 256 * 1024


@pytest.mark.parametrize("quality", [{"sigma": 1}, "good", {"sigma": "x"}, [1, 2, 3, 4]])
def test_a_nonsense_quality_is_refused(
    profile: NoiseProfile, tmp_path: Path, quality: object
) -> None:
    path = tmp_path / "camera.safetensors"
    profile.save(path)
    with safe_open(path, framework="np") as file:
        metadata = json.loads(file.metadata()[METADATA_KEY])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    save_file(tensors, path, {METADATA_KEY: json.dumps({**metadata, "quality": quality})})
    with pytest.raises(ProfileError, match="nonsense"):
        NoiseProfile.load(path)


def _moved_object() -> Reference:
    clean = scene(96, 96)
    noisy = clean.copy()
    noisy[40:60, 40:60] = np.minimum(clean[40:60, 40:60], 235) + 20
    return Reference("a.png", noisy, clean)


def _hot_pixels() -> Reference:
    clean = scene(96, 96)
    clean[..., 2] = 3
    noisy = np.random.default_rng(0).poisson(clean).clip(0, 255).astype(np.uint8)
    noisy[..., 2] = 3
    noisy[5, ::30, 2] = 40
    return Reference("a.png", noisy, clean)


@pytest.mark.parametrize("reference", [_moved_object(), _hot_pixels()])
def test_a_few_outliers_alone_make_no_profile_beyond_all_reason(
    reference: Reference, weights: Weights, tmp_path: Path
) -> None:
    create_profile([reference], weights).save(tmp_path / "a")
    NoiseProfile.load(tmp_path / "a")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_clean_in_the_unit_range_beside_counts_is_refused(
    dtype: type[np.generic], weights: Weights
) -> None:
    pure = CLEAN.astype(np.float32) / 255
    noisy = NOISY.astype(dtype) * (1 if dtype == np.uint8 else 40)
    with pytest.raises(BadReferenceError, match=r"a: holds counts, its clean floats in \[0, 1\]"):
        create_profile([Reference("a", noisy, pure)], weights)


def test_few_photons_are_counts_though_their_mean_is_small(weights: Weights) -> None:
    rate = np.linspace(0.1, 1, 96 * 96, dtype=np.float32).reshape(96, 96)
    counts = np.random.default_rng(0).poisson(rate).astype(np.uint16)
    create_profile([Reference("a", counts, rate)], weights)


def test_the_order_of_bytes_does_not_matter(weights: Weights) -> None:
    noisy, clean = (pixels.astype(np.uint16) * 100 for pixels in (NOISY, CLEAN))
    native = create_profile([Reference("a", noisy, clean)], weights)
    turned = Reference("a", noisy.astype(">u2"), clean.astype(">u2"))
    assert create_profile([turned], weights).sha256 == native.sha256


def test_a_clean_of_no_picture_is_refused(weights: Weights) -> None:
    with pytest.raises(BadReferenceError, match="a: its clean: shape"):
        create_profile([Reference("a", NOISY, CLEAN.ravel())], weights)
