"""What a profile's file may say: anything else is refused before it reaches the generator.

A profile comes from other people as often as from one's own camera, so every entry is taken for
whatever JSON and tensors can hold.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisegen.model.config import (
    ACTIVITY_NODES,
    BESIDE_MAPS,
    KERNEL,
    MARGINALS,
    MOST_FEATURES,
    NODES,
    OUTSIDE,
    QUANTILE_NODES,
    STRIPE_KERNEL,
)
from noisegen.model.tensor_file import all_finite
from noisegen.noise.record import Recording
from noisegen.noise.statistics import LAGS
from noisegen.profiles.quality import ProfileQuality

KINDS = ("paired", "burst", "estimated", "blend")
LARGEST_SAMPLE = {"uint8": 2**8 - 1, "uint16": 2**16 - 1, "uint32": 2**32 - 1, "float32": 1e30}
"""Sample types of references, each with its largest white level."""

LONGEST_NAME = 200
"""Characters of a profile's name."""

MOST_TOKENS, WIDEST_TOKEN = 128, 2048

_ANY, _SHARE, _LOG = (-100.0, 100.0), (0.0, 1.001), (-20.0, 20.0)
RANGES = {
    "nodes": _ANY,
    "mean": _ANY,
    "level": (1e-7, 100.0),
    "usual": (1e-7, 100.0),
    "coverage": _SHARE,
    "pixels": _SHARE,
    "activity": _LOG,
    "colour": (-1e4, 1e4),
    "colour_reach": _ANY,
    "features": _ANY,
    "marginal_at": _ANY,
    "marginals": (-1e6, 1e6),
    "kernel": _ANY,
    "stripes": (0.0, 100.0),
    "stripe_kernel": (-2.0, 2.0),
    "stripe_shared": _SHARE,
    "sigma": (1e-7, 100.0),
    "autocorrelation": (-2.0, 2.0),
    "colour_correlation": (-2.0, 2.0),
    "tokens": (-1e4, 1e4),
}
"""Values of each tensor: far beyond any camera's, far within what float32 can be squared in."""

ENTRIES = (
    "name",
    "kind",
    "references",
    "pixels",
    "white_level",
    "dtype",
    "weights_sha256",
    "repairs",
    "warnings",
    "quality",
    "white_level_given",
    "lowest",
    "gray",
    "recording",
)
"""Of the metadata."""

_HASH = re.compile(r"[0-9a-f]{64}")
_UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode's categories of what has no place in a name: control, format, surrogates, line breaks."""


def safe_name(name: str) -> str:
    """A name that :func:`check_name` takes, as like the given one as can be."""
    kept = "".join("_" if _is_unsafe(character) else character for character in name)
    return "profile" if kept in _NO_NAMES else kept[:LONGEST_NAME]


def check_name(name: object) -> None:
    """Refuses what is no plain name.

    Raises:
        ValueError: parts of a path, control characters, nothing at all or too much.
    """
    if not isinstance(name, str) or name != safe_name(name):
        raise ValueError(f"its name {str(name)[:40]!a} is no plain name")


_NO_NAMES = ("", ".", "..")


def _is_unsafe(character: str) -> bool:
    return character in "/\\" or unicodedata.category(character) in _UNSAFE


def check_tensors(tensors: dict[str, NDArray[Any]]) -> None:
    """Refuses other tensors than a profile's.

    Raises:
        ValueError: one is missing, misshapen, of another type or beyond all reason.
    """
    expected = _shapes(tensors.get("sigma"), tensors.get("features"))
    for name, shape in expected.items():
        found = tensors.get(name)
        if found is None or found.shape != shape or found.dtype != np.float32:
            raise ValueError(f"tensor {name} is missing or misshapen")
    tokens = tensors.get("tokens")
    if tokens is None or set(tensors) != {*expected, "tokens"} or tokens.dtype != np.float32:
        raise ValueError("it does not hold a profile's tensors")
    if tokens.ndim != 2 or not (
        0 < tokens.shape[0] <= MOST_TOKENS and 0 < tokens.shape[1] <= WIDEST_TOKEN
    ):
        raise ValueError("tensor tokens is missing or misshapen")
    if not all_finite(tensors):
        raise ValueError("it holds NaN or infinite values")
    for name, values in tensors.items():
        low, high = RANGES[name]
        if values.min() < low or values.max() > high:
            raise ValueError(f"tensor {name} has values beyond [{low:g}, {high:g}]")
    for name in ("nodes", "marginal_at", "marginals", "colour_reach"):
        if (np.diff(tensors[name], axis=-1) < 0).any():
            raise ValueError(f"tensor {name} does not increase")


def _shapes(
    sigma: NDArray[Any] | None, features: NDArray[Any] | None
) -> dict[str, tuple[int, ...]]:
    channels = len(sigma) if sigma is not None and sigma.ndim == 1 else 0
    if channels not in (1, 3):
        raise ValueError("tensor sigma is missing or misshapen")
    count = features.shape[-1] if features is not None and features.ndim else 0
    if not BESIDE_MAPS <= count <= MOST_FEATURES + BESIDE_MAPS:
        raise ValueError("tensor features is missing or misshapen")
    curve, lags = (channels, NODES + OUTSIDE), 2 * LAGS + 1
    return {
        **dict.fromkeys(("nodes", "mean", "level", "usual", "coverage", "pixels"), curve),
        "activity": (channels, ACTIVITY_NODES),
        "colour": (channels, channels),
        "colour_reach": (channels, channels, 2),
        "features": (channels, count),
        "marginal_at": (channels, MARGINALS),
        "marginals": (channels, MARGINALS, QUANTILE_NODES),
        "kernel": (channels, channels, KERNEL, KERNEL),
        "stripes": (channels, 2, NODES + OUTSIDE),
        "stripe_kernel": (channels, 2, STRIPE_KERNEL),
        "stripe_shared": (channels, 2),
        "sigma": (channels,),
        "autocorrelation": (channels, lags, lags),
        "colour_correlation": (channels, channels),
    }


def checked_entries(metadata: dict[str, Any]) -> dict[str, Any]:
    """The profile's fields beside its tensors.

    Raises:
        ValueError: one is missing or nonsense.
    """
    try:
        found = {name: metadata[name] for name in ENTRIES}
    except KeyError as error:
        raise ValueError(f"it has no entry {error}") from None
    check_name(found["name"])
    _check(found["kind"] in KINDS, "kind")
    _check(found["dtype"] in tuple(LARGEST_SAMPLE), "dtype")
    _check(_is_number(found["white_level"], 0, LARGEST_SAMPLE[found["dtype"]]), "white_level")
    _check(found["white_level"] > 0, "white_level")
    _check(type(found["pixels"]) is int and 0 <= found["pixels"] < 2**63, "pixels")
    _check(type(found["white_level_given"]) is bool, "white_level_given")
    _check(type(found["gray"]) is bool, "gray")
    found["recording"] = _recording(found["recording"])
    _check(_is_number(found["lowest"], -1e30, 0), "lowest")
    weights = found["weights_sha256"]
    _check(isinstance(weights, str) and _HASH.fullmatch(weights) is not None, "weights_sha256")
    for name in ("references", "repairs", "warnings"):
        entries = found[name]
        _check(isinstance(entries, list) and all(isinstance(e, str) for e in entries), name)
        found[name] = tuple(entries)
    quality = found["quality"]
    try:
        found["quality"] = None if quality is None else ProfileQuality.from_json(quality)
    except (TypeError, ValueError, OverflowError):
        _check(False, "quality")
    return found


def _recording(value: object) -> Recording:
    names = [field.name for field in fields(Recording)]
    entries = value if isinstance(value, dict) else {}
    _check(set(entries) == set(names), "recording")
    rows = [entries[name] for name in names]
    for row in rows:
        sound = isinstance(row, list) and len(row) in (1, 3) and len(row) == len(rows[0])
        _check(sound and all(_is_number(entry, -1e30, 1e30) for entry in row), "recording")
    low, high, step, origin = (np.array(row, np.float64) for row in rows)
    _check(bool((low < high).all() and (step >= 0).all()), "recording")
    return Recording(low, high, step, origin)


def _is_number(value: object, low: float, high: float) -> bool:
    return type(value) in (int, float) and low <= value <= high  # type: ignore[operator]


def _check(sound: bool, name: str) -> None:
    if not sound:
        raise ValueError(f"it says nonsense of itself: {name}")
