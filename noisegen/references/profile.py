"""The noise profile: all that synthesis needs of the references, in one small file.

It holds the prompt, the measured statistics and where they came from; no picture.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialise

from noisegen.errors import ProfileError
from noisegen.images import write_atomically
from noisegen.model.config import ACTIVITY_NODES, BINS, KERNEL, QUANTILE_NODES
from noisegen.references.quality import Quality
from noisegen.references.statistics import LAGS, NoiseStatistics

Floats = NDArray[np.float32]

FORMAT = 3
"""Version of the profile file that is written."""

READABLE = (2, 3)
"""Versions that are read. An older one goes when it would mean other pixels, in a new minor
version of noisegen, and is then refused by name. Version 2 had no warnings, no quality, and nothing
calibrated or tuned."""

METADATA_KEY = "noisegen"
CONTENT = "noise profile"
MEASURED = tuple(f.name for f in fields(NoiseStatistics))
SEEN = 1e-4
"""Share of the references' pixels above which an intensity counts as shown."""

CALIBRATED = ("kernel", "quantiles", "mean", "level", "surface")
"""The measured statistics that calibration may change, and that a profile then holds twice."""


@dataclass(frozen=True)
class NoiseProfile:
    """A camera's noise at one setting.

    Attributes:
        name: for people and file names.
        kind: ``paired`` (the references came with their clean), ``burst`` (shots of one still
            scene, whose mean is the clean) or ``estimated``.
        references: file names of the references.
        pixels: of all references together.
        white_level: of the references: the value that counts as 1.
        dtype: of the references: ``uint8``, ``uint16`` or ``float32``.
        weights_sha256: hash of the weights that encoded the prompt.
        tokens: T×D float32, the prompt.
        measured: the classical model, in units of the white level.
        repairs: what was done to imperfect references before they were measured, in words.
        warnings: what is doubtful about the references, in words.
        quality: how far its noise is from the references', where that was tried.
        calibrated: the classical model as the generator needs it to come out as measured; only
            ``CALIBRATED`` may differ from ``measured``. None where nothing was changed.
        trust: in [0, 1], share of the network's change to the classical noise that counts; less
            than 1 where that came closer to the references.
        tuned: gradient steps that the prompt was tuned by.
    """

    name: str
    kind: str
    references: tuple[str, ...]
    pixels: int
    white_level: float
    dtype: str
    weights_sha256: str
    tokens: Floats
    measured: NoiseStatistics
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    quality: Quality | None = None
    calibrated: NoiseStatistics | None = None
    trust: float = 1.0
    tuned: int = 0

    @property
    def applied(self) -> NoiseStatistics:
        """What the generator is given: calibrated where that was done."""
        return self.measured if self.calibrated is None else self.calibrated

    @property
    def channels(self) -> int:
        """1 for a gray camera, 3 for RGB."""
        return len(self.measured.sigma)

    @property
    def sigma(self) -> Floats:
        """C, overall standard deviation in units of the white level."""
        return self.measured.sigma

    @property
    def level_curve(self) -> Floats:
        """C×16, standard deviation against intensity."""
        return self.measured.level

    @property
    def mean_curve(self) -> Floats:
        """C×16, mean of the residual against intensity."""
        return self.measured.mean

    @property
    def coverage(self) -> Floats:
        """C×16, share of the references' pixels at each intensity."""
        return self.measured.pixels_per_bin

    @property
    def autocorrelation(self) -> Floats:
        """C×13×13, lag 0 at [6, 6]."""
        return self.measured.autocorrelation

    @property
    def colour_correlation(self) -> Floats:
        """C×C."""
        return self.measured.colour_correlation

    @property
    def sha256(self) -> str:
        """Hash of the file's content; equal profiles have equal hashes."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def to_bytes(self) -> bytes:
        """The file's content: the same bytes for the same profile."""
        tensors = {name: _contiguous(getattr(self.measured, name)) for name in MEASURED}
        tensors["tokens"] = _contiguous(self.tokens)
        if self.calibrated is not None:
            for name in CALIBRATED:
                tensors[_calibrated(name)] = _contiguous(getattr(self.calibrated, name))
        metadata = {
            "content": CONTENT,
            "format": FORMAT,
            **{name: getattr(self, name) for name in _DESCRIBED},
            "warnings": self.warnings,
            "quality": asdict(self.quality) if self.quality else None,
            "trust": self.trust,
            "tuned": self.tuned,
        }
        canonical = json.dumps(metadata, sort_keys=True, separators=(",", ":"))
        data: bytes = serialise(tensors, {METADATA_KEY: canonical})
        return data

    def save(self, path: str | Path) -> None:
        """Writes the profile, whole or not at all.

        Raises:
            OutputError: the path cannot be written.
        """
        write_atomically(Path(path), self.to_bytes())

    @classmethod
    def load(cls, path: str | Path) -> NoiseProfile:
        """Reads and checks a profile.

        Raises:
            ProfileError: missing, damaged, or of another version.
        """
        path = Path(path)
        if not path.is_file():
            raise ProfileError(f"{path}: no such profile; make one with noisegen profile create")
        try:
            with safe_open(path, framework="np") as file:
                metadata = json.loads((file.metadata() or {}).get(METADATA_KEY, "null"))
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, ValueError) as error:
            raise ProfileError(f"{path}: not a noise profile ({error}); make it again") from None
        return _checked(path, metadata, tensors)


_DESCRIBED = (
    "name",
    "kind",
    "references",
    "pixels",
    "white_level",
    "dtype",
    "weights_sha256",
    "repairs",
)


def _contiguous(values: NDArray[np.floating[Any]]) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float32)


def _checked(path: Path, metadata: Any, tensors: dict[str, Floats]) -> NoiseProfile:  # noqa: ANN401
    if not isinstance(metadata, dict) or metadata.get("content") != CONTENT:
        raise ProfileError(f"{path}: a safetensors file, but not a noise profile")
    if metadata.get("format") not in READABLE:
        raise ProfileError(
            f"{path}: profile of version {metadata.get('format')}, this noisegen reads versions "
            f"{' and '.join(map(str, READABLE))}; make it again with noisegen profile create"
        )
    sigma = tensors.get("sigma")
    channels = len(sigma) if sigma is not None and sigma.ndim == 1 else 0
    expected = _shapes(channels)
    if _calibrated(CALIBRATED[0]) in tensors:
        expected |= {_calibrated(name): expected[name] for name in CALIBRATED}
    for name, shape in expected.items():
        found = tensors.get(name)
        if found is None or found.shape != shape or found.dtype != np.float32:
            raise ProfileError(f"{path}: tensor {name} is missing or misshapen; make it again")
    known = {*expected, "tokens"}
    if channels not in (1, 3) or set(tensors) != known or tensors["tokens"].ndim != 2:
        raise ProfileError(f"{path}: does not hold a profile's tensors; make it again")
    if not all(np.isfinite(values).all() for values in tensors.values()):
        raise ProfileError(f"{path}: holds NaN or infinite values; make it again")
    try:
        described = {name: metadata[name] for name in _DESCRIBED}
    except KeyError as error:
        raise ProfileError(f"{path}: has no entry {error}; make it again") from None
    described["references"] = tuple(described["references"])
    described["repairs"] = tuple(described["repairs"])
    try:
        found = metadata.get("quality")
        quality = None if found is None else Quality.from_json(found)
        tuned = int(metadata.get("tuned", 0))
        trust = float(metadata.get("trust", 1.0))
        if not 0 <= trust <= 1:
            raise ValueError("a trust beyond [0, 1]")
        warnings = tuple(map(str, metadata.get("warnings", ())))
    except (TypeError, ValueError) as error:
        raise ProfileError(f"{path}: says nonsense of itself ({error}); make it again") from None
    measured = NoiseStatistics(**{name: tensors[name] for name in MEASURED})
    calibrated = None
    if _calibrated(CALIBRATED[0]) in tensors:
        calibrated = replace(measured, **{name: tensors[_calibrated(name)] for name in CALIBRATED})
    return NoiseProfile(
        **described,
        tokens=tensors["tokens"],
        measured=measured,
        warnings=warnings,
        quality=quality,
        calibrated=calibrated,
        trust=trust,
        tuned=tuned,
    )


def _calibrated(name: str) -> str:
    return f"calibrated.{name}"


def _shapes(channels: int) -> dict[str, tuple[int, ...]]:
    curve, lags = (channels, BINS), 2 * LAGS + 1
    return {
        "kernel": (channels, channels, KERNEL, KERNEL),
        "quantiles": (channels, QUANTILE_NODES),
        "mean": curve,
        "level": curve,
        "coverage": curve,
        "surface": (channels, ACTIVITY_NODES, BINS),
        "pixels_per_bin": curve,
        "sigma": (channels,),
        "autocorrelation": (channels, lags, lags),
        "colour_correlation": (channels, channels),
    }
