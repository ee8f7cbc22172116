"""A profile's file: whatever it holds, it is a profile or one refusal in one line."""

from __future__ import annotations

import json
import pickle
import struct
import warnings
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pictures
import pytest
from fitted import create_profile
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from noisegen.errors import ProfileError
from noisegen.model.weights import Weights
from noisegen.profiles.blend import blend
from noisegen.profiles.profile import NoiseProfile
from noisegen.profiles.profile_check import check_name, safe_name
from noisegen.profiles.quality import ProfileQuality
from noisegen.references.check import Reference
from noisegen.synthesis.levels import CleanError
from noisegen.synthesis.synthesizer import Synthesizer

Tensors = dict[str, np.ndarray[Any, Any]]
Change = Callable[[dict[str, Any], Tensors], None]

QUALITY = dict.fromkeys((field.name for field in fields(ProfileQuality)), 0.0)
RECORDING = {"low": [0.0] * 3, "high": [255.0] * 3, "step": [1.0] * 3, "origin": [0.0] * 3}


@pytest.fixture(scope="module")
def profile(weights: Weights) -> NoiseProfile:
    clean = pictures.scene(96, 96)
    reference = Reference("r.png", pictures.add_gaussian(clean, 8), clean)
    return create_profile([reference], weights, name="camera")


@pytest.fixture(scope="module")
def valid(profile: NoiseProfile) -> bytes:
    return profile.to_bytes()


def _metadata(data: bytes) -> dict[str, Any]:
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    metadata: dict[str, Any] = json.loads(header["__metadata__"]["noisegen"])
    return metadata


def _changed(data: bytes, change: Change) -> bytes:
    metadata, tensors = _metadata(data), load(data)
    change(metadata, tensors)
    contiguous = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    changed: bytes = save(contiguous, {"noisegen": json.dumps(metadata)})
    return changed


def _refused(tmp_path: Path, data: bytes, match: str | None = None) -> None:
    path = tmp_path / "camera.safetensors"
    path.write_bytes(data)
    with pytest.raises(ProfileError, match=match) as caught:
        NoiseProfile.load(path)
    assert "camera.safetensors" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 600


def _with_header(header: object, rest: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + rest


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(8),
        bytes(4096),
        pickle.dumps({"a": 1}),
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 10**8 + 1) + b"{}",
        _with_header(b"[" * 10**6),
        _with_header({"sigma": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}),
        _with_header({"sigma": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}, b"\0\0"),
        _with_header({"__metadata__": {"noisegen": "[" * 10**5}}),
        _with_header({"__metadata__": {"noisegen": "9" * 5000}}),
        _with_header({"__metadata__": {"noisegen": "not JSON"}}),
        _with_header({"__metadata__": {"noisegen": "[]"}}),
        _with_header({}),
    ],
    ids=lambda data: f"{len(data)}:{data[:24]!r}",
)
def test_files_that_are_no_profiles(data: bytes, tmp_path: Path) -> None:
    _refused(tmp_path, data)


def test_a_folder_and_nothing(tmp_path: Path) -> None:
    for path, words in ((tmp_path, "is a folder"), (tmp_path / "none", "no such profile")):
        with pytest.raises(ProfileError, match=words):
            NoiseProfile.load(path)


def test_a_file_too_large_to_be_a_profile(tmp_path: Path) -> None:
    with (tmp_path / "p.safetensors").open("wb") as file:
        file.truncate(2**34)
    with pytest.raises(ProfileError, match="more than"):
        NoiseProfile.load(tmp_path / "p.safetensors")


def _set(name: str, value: Any) -> Change:
    def change(metadata: dict[str, Any], _: Tensors) -> None:
        metadata[name] = value

    return change


def _tensor(name: str, value: Callable[[Any], Any]) -> Change:
    def change(_: dict[str, Any], tensors: Tensors) -> None:
        tensors[name] = value(tensors.get(name))

    return change


def _without(name: str) -> Change:
    def change(metadata: dict[str, Any], tensors: Tensors) -> None:
        (metadata if name in metadata else tensors).pop(name)

    return change


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "/etc/x",
        "a\\b",
        "a\nb",
        "a\x1b[31m",
        "a\0",
        "a\u202eb",
        "x" * 300,
        7,
        None,
    ],
)
def test_names_that_are_no_names(valid: bytes, tmp_path: Path, name: Any) -> None:
    _refused(tmp_path, _changed(valid, _set("name", name)), "is no plain name")


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("white_level", 0),
        ("white_level", -255.0),
        ("white_level", 256),
        ("white_level", float("nan")),
        ("white_level", float("inf")),
        ("white_level", 10**400),
        ("white_level", "255"),
        ("white_level", True),
        ("dtype", "complex64"),
        ("dtype", ["uint8"]),
        ("kind", "divined"),
        ("kind", {}),
        ("pixels", -1),
        ("pixels", 1.5),
        ("pixels", 10**400),
        ("weights_sha256", "../../x"),
        ("weights_sha256", "A" * 64),
        ("weights_sha256", None),
        ("references", "r.png"),
        ("references", [1]),
        ("repairs", {"a": 1}),
        ("warnings", None),
        ("warnings", [["deep"]]),
        ("quality", {"sigma": 1}),
        ("quality", QUALITY | {"sigma": 10**400}),
        ("quality", QUALITY | {"sigma": []}),
        ("quality", QUALITY | {"stripes": -1}),
        ("gray", 1),
        ("lowest", 1.0),
        ("recording", None),
        ("recording", RECORDING | {"step": [1.0, 1.0]}),
        ("recording", RECORDING | {"step": [-1.0] * 3}),
        ("recording", RECORDING | {"high": [0.0] * 3}),
        ("recording", RECORDING | {"origin": ["0"] * 3}),
        ("recording", {"low": [0.0] * 3, "high": [255.0] * 3}),
        ("recording", {name: values[:1] for name, values in RECORDING.items()}),
    ],
    ids=str,
)
def test_nonsense_entries(valid: bytes, tmp_path: Path, entry: str, value: Any) -> None:
    _refused(tmp_path, _changed(valid, _set(entry, value)), f"nonsense of itself: {entry}")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (_set("content", "weights"), "not a noise profile"),
        (_set("format", 99), "version 99"),
        (_set("format", ["\n" * 999]), "version"),
        (_without("name"), "no entry 'name'"),
        (_without("weights_sha256"), "no entry 'weights_sha256'"),
        (_without("level"), "level is missing"),
        (_without("tokens"), "tensors"),
        (_tensor("stranger", lambda _: np.zeros(3, np.float32)), "tensors"),
        (_tensor("calibrated.level", lambda _: np.ones((3, 16), np.float32)), "tensors"),
        (_tensor("sigma", lambda value: value[:2]), "sigma is missing or misshapen"),
        (_tensor("sigma", lambda _: np.ones((), np.float32)), "is missing or misshapen"),
        (_tensor("level", lambda value: value[:, :-1]), "level is missing or misshapen"),
        (_tensor("level", lambda value: value.astype(np.float64)), "level is missing or misshapen"),
        (_tensor("level", lambda value: value.astype(np.int32)), "level is missing or misshapen"),
        (_tensor("tokens", lambda value: value.ravel()), "tokens is missing or misshapen"),
        (_tensor("tokens", lambda value: value[:0]), "tokens is missing or misshapen"),
        (_tensor("tokens", lambda value: np.tile(value, (500, 1))), "tokens is missing"),
        (_tensor("mean", lambda value: value * np.float32("nan")), "NaN"),
        (_tensor("tokens", lambda value: value + np.float32("inf")), "NaN or infinite"),
        (_tensor("tokens", lambda value: value * np.float32(1e30)), "tokens has values beyond"),
        (_tensor("level", lambda value: -value), "level has values beyond"),
        (_tensor("level", lambda value: value * 0), "level has values beyond"),
        (_tensor("coverage", lambda value: value + 2), "coverage has values beyond"),
        (_tensor("nodes", lambda value: value[:, ::-1]), "nodes does not increase"),
        (_tensor("marginal_at", lambda value: value[:, ::-1]), "marginal_at does not increase"),
        (_tensor("marginals", lambda value: value[..., ::-1]), "marginals does not increase"),
        (_tensor("colour_reach", lambda value: value[..., ::-1]), "colour_reach does not increase"),
        (_tensor("activity", lambda value: value + 30), "activity has values beyond"),
        (_tensor("stripes", lambda value: value - 1), "stripes has values beyond"),
    ],
)
def test_other_than_a_profile(valid: bytes, tmp_path: Path, change: Change, match: str) -> None:
    _refused(tmp_path, _changed(valid, change), match)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)
FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def _loaded(tmp_path: Path, data: bytes) -> NoiseProfile | None:
    path = tmp_path / "camera.safetensors"
    path.write_bytes(data)
    try:
        return NoiseProfile.load(path)
    except ProfileError as error:
        assert len(str(error).splitlines()) == 1
        return None


def _works(profile: NoiseProfile, weights: Weights) -> None:
    """It is written again as it is, and its noise can be put on a picture."""
    check_name(profile.name)
    profile.to_bytes()
    sha256, tokens = weights.sha256, (weights.encoder.tokens, weights.encoder.token_width)
    assume(profile.weights_sha256 == sha256 and profile.tokens.shape == tokens)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            noisy = Synthesizer(weights).synthesize(pictures.scene(16, 16), profile)
        except CleanError:
            # Of another white level than these pictures': refused by name.
            assert profile.white_level != 255 or profile.channels != 3
            return
    assert noisy.shape == (16, 16, 3)


@FUZZ
@given(data=st.data())
def test_other_metadata(
    data: st.DataObject, valid: bytes, weights: Weights, tmp_path: Path
) -> None:
    entry = data.draw(st.sampled_from(sorted(_metadata(valid))))
    found = _loaded(tmp_path, _changed(valid, _set(entry, data.draw(JSON))))
    if found is not None:
        _works(found, weights)


@FUZZ
@given(data=st.data())
def test_other_values(data: st.DataObject, valid: bytes, weights: Weights, tmp_path: Path) -> None:
    name = data.draw(st.sampled_from(sorted(load(valid))))
    value = data.draw(st.floats(width=32))
    place = data.draw(st.floats(0, 1, exclude_max=True))

    def one_other(tensor: Any) -> Any:
        changed = tensor.copy()
        changed.flat[int(place * changed.size)] = value
        return changed

    found = _loaded(tmp_path, _changed(valid, _tensor(name, one_other)))
    if found is not None:
        _works(found, weights)


@FUZZ
@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255), in_header=st.booleans())
def test_one_other_byte(
    place: float, value: int, in_header: bool, valid: bytes, weights: Weights, tmp_path: Path
) -> None:
    end = 8 + int.from_bytes(valid[:8], "little") if in_header else len(valid)
    data = bytearray(valid)
    data[int(place * end)] = value
    found = _loaded(tmp_path, bytes(data))
    if found is not None:
        _works(found, weights)


@given(st.text())
def test_any_text_becomes_a_name(text: str) -> None:
    check_name(safe_name(text))
    assert safe_name(safe_name(text)) == safe_name(text)


def test_what_is_made_can_be_read(weights: Weights, profile: NoiseProfile, tmp_path: Path) -> None:
    clean = pictures.scene(96, 96)
    reference = Reference("line\nbreak.png", pictures.add_gaussian(clean, 8), clean)
    made = create_profile([reference], weights, name="scene/iso\n800")
    assert made.name == "scene_iso_800"
    mixed = blend([made, profile], [0.5, 0.5], "a/b")
    for one in (made, mixed):
        one.save(tmp_path / "p.safetensors")
        assert NoiseProfile.load(tmp_path / "p.safetensors").to_bytes() == one.to_bytes()
