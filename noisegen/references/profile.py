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
from safetensors.numpy import save as serialise

from noisegen.errors import ProfileError
from noisegen.images import write_atomically
from noisegen.model.tensor_file import METADATA_KEY, read_tensor_file
from noisegen.references.profile_check import (
    CALIBRATED_PREFIX,
    ENTRIES,
    check_tensors,
    checked_entries,
)
from noisegen.references.quality import Quality
from noisegen.references.statistics import NoiseStatistics

Floats = NDArray[np.float32]

FORMAT = 3
"""Version of the profile file that is written."""

READABLE = (2, 3)
"""Versions that are read. An older one goes when it would mean other pixels, in a new minor
version of noisegen, and is then refused by name. Version 2 had no warnings, no quality, and nothing
calibrated or tuned."""

CONTENT = "noise profile"
LARGEST = 2**24
"""Bytes of a profile's file; the usual ones have 30 thousand."""

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
                tensors[CALIBRATED_PREFIX + name] = _contiguous(getattr(self.calibrated, name))
        metadata = {
            "content": CONTENT,
            "format": FORMAT,
            **{name: getattr(self, name) for name in ENTRIES},
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
            found = read_tensor_file(path, LARGEST)
        except (OSError, ValueError) as error:
            raise ProfileError(f"{path}: not a noise profile ({error}); make it again") from None
        return _checked(path, found.metadata, found.tensors)


def _contiguous(values: NDArray[np.floating[Any]]) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float32)


def _checked(path: Path, metadata: Any, tensors: dict[str, Floats]) -> NoiseProfile:  # noqa: ANN401
    if not isinstance(metadata, dict) or metadata.get("content") != CONTENT:
        raise ProfileError(f"{path}: a safetensors file, but not a noise profile; name another")
    if metadata.get("format") not in READABLE:
        version = repr(metadata.get("format"))[:20]
        raise ProfileError(
            f"{path}: profile of version {version}, this noisegen reads versions "
            f"{' and '.join(map(str, READABLE))}; make it again with noisegen profile create"
        )
    try:
        check_tensors(tensors, CALIBRATED)
        entries = checked_entries(metadata)
    except ValueError as error:
        raise ProfileError(f"{path}: {error}; make it again") from None
    measured = NoiseStatistics(**{name: tensors[name] for name in MEASURED})
    calibrated = None
    if CALIBRATED_PREFIX + CALIBRATED[0] in tensors:
        changed = {name: tensors[CALIBRATED_PREFIX + name] for name in CALIBRATED}
        calibrated = replace(measured, **changed)
    return NoiseProfile(
        **entries, tokens=tensors["tokens"], measured=measured, calibrated=calibrated
    )
