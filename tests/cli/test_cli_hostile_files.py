"""Profiles and weights that somebody else made to do harm: refused, and nothing is written."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from noisegen.profiles.profile import NoiseProfile

Refused = Callable[..., None]


def _with_config(data: bytes, **entries: Any) -> bytes:
    """Weights whose denoiser is said to be another."""
    length = int.from_bytes(data[:8], "little")
    metadata = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["noisegen"])
    metadata["config"]["denoiser"].update(entries)
    changed: bytes = save(load(data), {"noisegen": json.dumps(metadata)})
    return changed


@pytest.mark.parametrize("name", ["../../../sly", "/tmp/sly", "sly\n\x1b[31m", ""])
def test_a_profile_s_name_leads_nowhere(
    refused: Refused, rgb_profile: Path, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "camera.safetensors"
    replace(NoiseProfile.load(rgb_profile), name=name).save(path)
    refused("--profile", path, code=1, words=("camera.safetensors", "name"))
    assert not list(tmp_path.parent.rglob("sly*"))


@pytest.mark.parametrize("kind", ["pickle", "cut", "nan", "white", "marginals", "prompt"])
def test_hostile_profiles(refused: Refused, rgb_profile: Path, tmp_path: Path, kind: str) -> None:
    profile = NoiseProfile.load(rgb_profile)
    measured = profile.measured
    falling = replace(measured, marginals=measured.marginals[..., ::-1])
    content = {
        "pickle": pickle.dumps({"sigma": 1}),
        "cut": profile.to_bytes()[:-100],
        "nan": replace(profile, tokens=profile.tokens * np.float32("nan")).to_bytes(),
        "white": replace(profile, white_level=-1.0).to_bytes(),
        "marginals": replace(profile, measured=falling).to_bytes(),
        "prompt": replace(profile, tokens=profile.tokens[:, :-1]).to_bytes(),
    }
    path = tmp_path / "camera.safetensors"
    path.write_bytes(content[kind])
    refused("--profile", path, code=1, words=("camera.safetensors",))
    refused("--blend", f"{path}:1,{rgb_profile}:1", code=1, words=("camera.safetensors",))


@pytest.mark.parametrize("kind", ["pickle", "cut", "huge", "endless"])
def test_hostile_weights(
    refused: Refused, rgb_profile: Path, weights_file: Path, tmp_path: Path, kind: str
) -> None:
    valid = weights_file.read_bytes()
    content = {
        "pickle": pickle.dumps({"sigma": 1}),
        "cut": valid[:-100],
        "huge": _with_config(valid, full_width=2048, full_dilations=[1] * 64),
        "endless": _with_config(valid, blind_width=10**12),
    }
    path = tmp_path / "w.safetensors"
    path.write_bytes(content[kind])
    refused("--profile", rgb_profile, "--weights", path, code=1, words=("w.safetensors",))
