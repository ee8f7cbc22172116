"""The recipe (``noisegen.json``): everything that decides a dataset's pixels."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch

import noisegen
from noisegen.model.weights import Weights
from noisegen.references.profile import NoiseProfile
from noisegen.synthesis.plan import SynthesisOptions

FORMAT = 1
"""Version of the recipe's layout."""


def profile_file(profile: NoiseProfile) -> str:
    """A profile's relative path in the dataset."""
    return f"profiles/{profile.name}.safetensors"


def named_apart(profiles: Sequence[NoiseProfile]) -> list[NoiseProfile]:
    """The profiles under names that are safe and distinct as file names."""
    taken: set[str] = set()
    named = []
    for profile in profiles:
        safe = re.sub(r"[^A-Za-z0-9_.-]+", "_", profile.name).lstrip(".")[:100] or "profile"
        name, number = safe, 2
        while name.casefold() in taken:
            name, number = f"{safe}-{number}", number + 1
        taken.add(name.casefold())
        named.append(replace(profile, name=name))
    return named


def recipe(
    options: SynthesisOptions, profiles: Sequence[NoiseProfile], weights: Weights, device: str
) -> dict[str, Any]:
    """The recipe as JSON values: no times, no paths of the machine."""
    return {
        "format": FORMAT,
        "options": {**asdict(options), "strength": list(options.strength)},
        "profiles": [
            {"name": p.name, "file": profile_file(p), "sha256": p.sha256} for p in profiles
        ],
        "weights": {"name": weights.name, "sha256": weights.sha256},
        "device": device,
        "versions": {
            "noisegen": noisegen.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    }


def to_bytes(values: dict[str, Any]) -> bytes:
    """Canonical JSON: equal recipes are equal bytes."""
    return (json.dumps(values, sort_keys=True, indent=2) + "\n").encode()
