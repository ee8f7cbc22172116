"""Weights files: reproducible, and refused in one line where they are not what they say."""

from __future__ import annotations

import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save
from small_network import TRAINED

from noisegen.errors import WeightsError
from noisegen.model.config import ModelConfig
from noisegen.model.weights import licence_of, load_weights, save_weights, untrained_model

Tensors = dict[str, np.ndarray[Any, Any]]
Change = Callable[[dict[str, Any], Tensors], None]
KEY = "generator.output.weight"


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("valid") / "w.safetensors"
    save_weights(path, untrained_model(TRAINED, seed=1), TRAINED, {"purpose": "tests"})
    return path.read_bytes()


def _metadata(data: bytes) -> dict[str, Any]:
    length = int.from_bytes(data[:8], "little")
    metadata: dict[str, Any] = json.loads(
        json.loads(data[8 : 8 + length])["__metadata__"]["noisegen"]
    )
    return metadata


def _changed(data: bytes, change: Change) -> bytes:
    metadata, tensors = _metadata(data), load(data)
    change(metadata, tensors)
    changed: bytes = save(tensors, {"noisegen": json.dumps(metadata)})
    return changed


def _refused(tmp_path: Path, data: bytes, match: str | None = None) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=match) as caught:
        load_weights(str(path))
    assert "w.safetensors" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 600


def _with_header(header: object, rest: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + rest


def test_round_trip(valid: bytes, tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(valid)
    loaded = load_weights(str(tmp_path / "w.safetensors"))
    assert loaded.config == TRAINED
    assert loaded.card == {"purpose": "tests"}
    expected = untrained_model(TRAINED, seed=1).state_dict()
    for name, value in loaded.model.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, expected[name].half().float())
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())
    save_weights(tmp_path / "again.safetensors", loaded.model, loaded.config, loaded.card)
    assert (tmp_path / "again.safetensors").read_bytes() == valid


def test_loading_leaves_torch_s_random_numbers_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    load_weights()
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 8,
        b"\0" * 4096,
        pickle.dumps({"a": 1}),
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 10**8 + 1) + b"{}",
        _with_header(b"[" * 10**6),
        _with_header(b'{"a":' * 10**5),
        _with_header({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}),
        _with_header({"a": {"dtype": "F32", "shape": [0, 2**62], "data_offsets": [0, 0]}}),
        _with_header({"a": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}, b"\0\0"),
        _with_header({"a": {"dtype": "F\n", "shape": [1], "data_offsets": [0, 2]}}, b"\0\0"),
        _with_header({"__metadata__": {"noisegen": "{" * 5}}),
        _with_header({"__metadata__": {"noisegen": "[" * 10**5}}),
        _with_header({"__metadata__": {"noisegen": "9" * 5000}}),
        _with_header({"__metadata__": {"noisegen": 7}}),
        _with_header({"__metadata__": {}}),
        _with_header({}),
    ],
    ids=lambda data: f"{len(data)}:{data[:24]!r}",
)
def test_files_that_are_no_weights(data: bytes, tmp_path: Path) -> None:
    _refused(tmp_path, data)


def test_a_checkpoint_of_torch_s_is_never_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return Path.touch, (tmp_path / "sprung",)  # type: ignore[return-value]

    torch.save({"trap": Trap()}, tmp_path / "checkpoint.pt")
    _refused(tmp_path, (tmp_path / "checkpoint.pt").read_bytes(), "not a weights file")
    assert not (tmp_path / "sprung").exists()


def test_cut_anywhere(valid: bytes, tmp_path: Path) -> None:
    for end in (1, 7, 8, 9, 1000, len(valid) // 2, len(valid) - 1):
        _refused(tmp_path, valid[:end], "not a weights file")
    _refused(tmp_path, valid + b"\0", "not a weights file")


def _set(*keys: Any, value: Any) -> Change:
    def change(metadata: dict[str, Any], _: Tensors) -> None:
        inner = metadata
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value

    return change


def _tensor(value: Callable[[Any], Any], key: str = KEY) -> Change:
    def change(_: dict[str, Any], tensors: Tensors) -> None:
        tensors[key] = value(tensors.get(key))

    return change


def _without(_: dict[str, Any], tensors: Tensors) -> None:
    del tensors[KEY]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (_set("content", value="noise profile"), "not noisegen weights"),
        (_set("format", value=4), "version 4"),
        (_set("format", value=[["deep\n" * 99]]), "version"),
        (_set("card", value=7), "no card"),
        (_set("config", value=None), "configuration"),
        (_set("config", "encoder", value=[]), "EncoderConfig"),
        (_set("config", "generator", "further", value=1), "GeneratorConfig"),
        (_set("config", "encoder", "width", value=2**40), "width is beyond"),
        (_set("config", "encoder", "width", value=-1), "width is beyond"),
        (_set("config", "encoder", "width", value=16.0), "width is beyond"),
        (_set("config", "encoder", "radius", value=31), "radius is beyond"),
        (_set("config", "generator", "heads", value=0), "heads is beyond"),
        (_set("config", "generator", "heads", value=7), "divided among its heads"),
        (_set("config", "generator", "attention", value=1), "attention is beyond"),
        (_set("config", "generator", "mixing", value=[True] * 10**5), "mixing is no list"),
        (_set("config", "generator", "mixing", value="abc"), "mixing is no list"),
        (_set("config", "generator", "decoder_blocks", value=64), "missing or too many"),
        (_set("config", "generator", "decoder_width", value=2048), "is not"),
        (_set("config", "denoiser", "spot", value=None), "spot is beyond"),
        (_set("config", "denoiser", "blind_dilations", value=[]), "no list"),
        (_set("config", "denoiser", "blind_dilations", value=[10**9]), "beyond"),
        (_without, "missing or too many"),
        (_tensor(lambda _: np.zeros(1, np.float16), "stranger"), "missing or too many"),
        (_tensor(lambda value: value[..., :1]), "is not"),
        (_tensor(lambda value: value.astype(np.float32)), "half precision"),
        (_tensor(lambda value: value.astype(np.int16)), "half precision"),
        (_tensor(lambda value: value * np.float16("nan")), "NaN"),
        (_tensor(lambda value: value + np.float16("inf")), "NaN or infinite"),
    ],
)
def test_other_than_a_network_of_ours(
    valid: bytes, tmp_path: Path, change: Change, match: str
) -> None:
    _refused(tmp_path, _changed(valid, change), match)


def test_a_small_file_makes_no_gigabytes(valid: bytes, tmp_path: Path) -> None:
    """A network of the largest sizes that a configuration may have would take 40 GB."""

    def change(metadata: dict[str, Any], _: Tensors) -> None:
        metadata["config"]["generator"].update(
            latent_width=2048, heads=1, mixing=[True] * 64, decoder_width=2048, decoder_blocks=64
        )

    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _refused(tmp_path, _changed(valid, change))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**19  # KiB


def test_a_file_too_large_to_be_weights(tmp_path: Path) -> None:
    with (tmp_path / "w.safetensors").open("wb") as file:
        file.truncate(2**30 + 1)
    with pytest.raises(WeightsError, match="more than"):
        load_weights(str(tmp_path / "w.safetensors"))


def test_a_configuration_may_leave_out_what_has_a_default() -> None:
    values = TRAINED.to_json()
    del values["denoiser"]["spot"]
    assert ModelConfig.from_json(json.loads(json.dumps(values))) == TRAINED


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.floats(0, 1), value=st.integers(0, 255), in_header=st.booleans())
def test_one_other_byte(
    valid: bytes, tmp_path: Path, place: float, value: int, in_header: bool
) -> None:
    """It is refused, or leaves a file that is weights still: never another error."""
    end = 8 + int.from_bytes(valid[:8], "little") if in_header else len(valid)
    data = bytearray(valid)
    data[min(int(place * end), end - 1)] = value
    path = tmp_path / "w.safetensors"
    path.write_bytes(data)
    try:
        loaded = load_weights(str(path))
    except WeightsError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert loaded.config == TRAINED


def test_each_of_the_shipped_weights_says_what_it_binds() -> None:
    base, sim = (licence_of(load_weights(name).sha256) for name in ("base", "sim"))
    assert base.startswith("non-commercial research use")
    assert sim.startswith("any use")
