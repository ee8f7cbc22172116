"""What a profile's file may say: anything else is refused before it reaches the generator.

A profile comes from other people as often as from one's own camera, so every entry is taken for
whatever JSON and tensors can hold.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisegen.model import config
from noisegen.model.tensor_file import all_finite
from noisegen.noise.record import Recording
from noisegen.noise.statistics import LAGS
from noisegen.profiles.quality import ProfileQuality

KINDS = ("paired", "burst", "estimated", "blend", "drawn")
LARGEST_SAMPLE = {"uint8": 2**8 - 1, "uint16": 2**16 - 1, "uint32": 2**32 - 1, "float32": 1e30}
"""Sample types of references, each with its largest white level."""

LONGEST_NAME = 200
"""Characters of a profile's name."""

MOST_TOKENS, WIDEST_TOKEN = 128, 2048

_ANY, _SHARE, _LEVEL, _CORRELATION = (-100.0, 100.0), (0.0, 1.001), (1e-7, 100.0), (-2.0, 2.0)
"""Values of tensors: far beyond any camera's, far within what float32 can be squared in."""

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
    expected = _expected(tensors.get("sigma"), tensors.get("features"), tensors.get("tokens"))
    for name, (shape, _) in expected.items():
        found = tensors.get(name)
        if found is None or found.shape != shape or found.dtype != np.float32:
            raise ValueError(f"tensor {name} is missing or misshapen")
    if set(tensors) != set(expected):
        raise ValueError("it does not hold a profile's tensors")
    if not all_finite(tensors):
        raise ValueError("it holds NaN or infinite values")
    for name, (_, (low, high)) in expected.items():
        if tensors[name].min() < low or tensors[name].max() > high:
            raise ValueError(f"tensor {name} has values beyond [{low:g}, {high:g}]")
    for name in ("nodes", "marginal_at", "marginals", "colour_reach"):
        if (np.diff(tensors[name], axis=-1) < 0).any():
            raise ValueError(f"tensor {name} does not increase")


_Expected = dict[str, tuple[tuple[int, ...], tuple[float, float]]]
"""Shape, and smallest and largest value, of each tensor."""


def _expected(
    sigma: NDArray[Any] | None, features: NDArray[Any] | None, tokens: NDArray[Any] | None
) -> _Expected:
    channels = len(sigma) if sigma is not None and sigma.ndim == 1 else 0
    if channels not in (1, 3):
        raise ValueError("tensor sigma is missing or misshapen")
    count = features.shape[-1] if features is not None and features.ndim else 0
    if not config.BESIDE_MAPS <= count <= config.MOST_FEATURES + config.BESIDE_MAPS:
        raise ValueError("tensor features is missing or misshapen")
    prompt = tokens.shape if tokens is not None else ()
    if len(prompt) != 2 or not (0 < prompt[0] <= MOST_TOKENS and 0 < prompt[1] <= WIDEST_TOKEN):
        raise ValueError("tensor tokens is missing or misshapen")
    curve, lags = (channels, config.NODES + config.OUTSIDE), 2 * LAGS + 1
    marginals = (channels, config.MARGINALS)
    return {
        **dict.fromkeys(("nodes", "mean"), (curve, _ANY)),
        **dict.fromkeys(("level", "usual"), (curve, _LEVEL)),
        **dict.fromkeys(("coverage", "pixels"), (curve, _SHARE)),
        "activity": ((channels, config.ACTIVITY_NODES), (-20.0, 20.0)),
        "colour": ((channels, channels), (-1e4, 1e4)),
        "colour_reach": ((channels, channels, 2), _ANY),
        "features": ((channels, count), _ANY),
        "marginal_at": (marginals, _ANY),
        "marginals": ((*marginals, config.QUANTILE_NODES), (-1e6, 1e6)),
        "kernel": ((channels, channels, config.KERNEL, config.KERNEL), _ANY),
        "stripes": ((channels, 2, curve[1]), (0.0, 100.0)),
        "stripe_kernel": ((channels, 2, config.STRIPE_KERNEL), _CORRELATION),
        "stripe_shared": ((channels, 2), _SHARE),
        "sigma": ((channels,), _LEVEL),
        "autocorrelation": ((channels, lags, lags), _CORRELATION),
        "colour_correlation": ((channels, channels), _CORRELATION),
        "tokens": (prompt, (-1e4, 1e4)),
    }


def checked_entries(
    metadata: dict[str, Any], names: Sequence[str], channels: int
) -> dict[str, Any]:
    """The profile's fields of these names, which are all beside its tensors.

    Args:
        metadata: of its file.
        names: of the fields.
        channels: that its tensors are of.

    Raises:
        ValueError: one is missing or nonsense.
    """
    try:
        found = {name: metadata[name] for name in names}
    except KeyError as error:
        raise ValueError(f"it has no entry {error}") from None
    check_name(found["name"])
    _check(found["kind"] in KINDS, "kind")
    _check(found["dtype"] in tuple(LARGEST_SAMPLE), "dtype")
    _check(_is_number(found["white_level"], 0, LARGEST_SAMPLE[found["dtype"]]), "white_level")
    _check(found["white_level"] > 0, "white_level")
    _check(type(found["pixels"]) is int and 0 <= found["pixels"] < 2**63, "pixels")
    for name in ("white_level_given", "gray"):
        _check(type(found[name]) is bool, name)
    found["recording"] = _recording(found["recording"], channels)
    _check(not found["gray"] or channels == 1, "gray")
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


def _recording(value: object, channels: int) -> Recording:
    names = [field.name for field in fields(Recording)]
    entries = value if isinstance(value, dict) else {}
    _check(set(entries) == set(names), "recording")
    rows = [entries[name] for name in names]
    for row in rows:
        sound = isinstance(row, list) and len(row) == channels
        _check(sound and all(_is_number(entry, -1e30, 1e30) for entry in row), "recording")
    low, high, step, origin = (np.array(row, np.float64) for row in rows)
    _check(bool((low < high).all() and (step >= 0).all()), "recording")
    return Recording(low, high, step, origin)


def _is_number(value: object, low: float, high: float) -> bool:
    return type(value) in (int, float) and low <= value <= high  # type: ignore[operator]


def _check(sound: bool, name: str) -> None:
    if not sound:
        raise ValueError(f"it says nonsense of itself: {name}")
