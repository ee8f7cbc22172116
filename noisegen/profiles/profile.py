"""The noise profile: all that synthesis needs of the references, in one small file.

It holds the prompt, the measured statistics and where they came from; no picture.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save as serialise

from noisegen.errors import ProfileError
from noisegen.files import write_atomically
from noisegen.model.config import BESIDE_MAPS
from noisegen.model.tensor_file import METADATA_KEY, read_tensor_file
from noisegen.noise.arrays import Floats
from noisegen.noise.record import Recording
from noisegen.noise.statistics import NoiseStatistics
from noisegen.profiles.profile_check import check_tensors, checked_entries
from noisegen.profiles.quality import ProfileQuality

if TYPE_CHECKING:
    from noisegen.model.weights import Weights

FORMAT = 6
"""Version of the profile file that is written, and the only one that is read. Versions 2 and 3
described the noise at 16 even intensities, version 4 nowhere but where the references' pixels were,
with stripes of one strength over the range, version 5 without learned content: they cannot mean the
pixels that they meant."""

CONTENT = "noise profile"
LARGEST = 2**24
"""Bytes of a profile's file; the usual ones have 30 thousand."""

MEASURED = tuple(f.name for f in fields(NoiseStatistics))


@dataclass(frozen=True, eq=False)
class NoiseProfile:
    """A camera's noise at one setting.

    Attributes:
        name: for people and file names.
        kind: ``paired`` (the references came with their clean), ``burst`` (shots of one still
            scene, whose mean is the clean), ``estimated``, ``blend``, or ``drawn`` (a simulated
            camera).
        references: file names of the references; of camera raw, and how it was developed.
        pixels: of all references together.
        white_level: the count that is white in the camera's files, which counts as 1.
        dtype: of the references: ``uint8``, ``uint16`` or ``float32``.
        weights_sha256: hash of the weights that encoded the prompt.
        tokens: T×D float32, the prompt.
        measured: the measured model, completed where the references show nothing, in units of the
            white level.
        recording: how the references were clipped and rounded, in their own counts.
        repairs: what was done to imperfect references before they were measured, in words.
        warnings: what is doubtful about the references, in words.
        quality: how far its noise is from the references', where that was tried.
        white_level_given: the user said what is white; else it was found from the references.
        gray: the references are a gray camera's saved as RGB: one channel is measured, and channels
            that are alike in a clean stay alike.
        lowest: smallest value of references of floats, below 0 where a background was subtracted;
            else 0.
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
    recording: Recording
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    quality: ProfileQuality | None = None
    white_level_given: bool = False
    gray: bool = False
    lowest: float = 0.0

    @property
    def channels(self) -> int:
        """1 for gray pictures, 3 for RGB."""
        return 3 if self.gray else len(self.measured.sigma)

    @property
    def maps(self) -> int:
        """Maps of the content network that it holds numbers for."""
        return int(self.measured.features.shape[1]) - BESIDE_MAPS

    @property
    def follows_content(self) -> bool:
        """Whether the content network counts; else it does not run."""
        return bool(self.measured.features.any())

    @property
    def sigma(self) -> Floats:
        """C, overall standard deviation in units of the white level."""
        return self.measured.sigma

    @property
    def level_curve(self) -> Floats:
        """C×n, standard deviation at each of the measured nodes."""
        return self.measured.level

    @property
    def coverage(self) -> Floats:
        """C×n, share of the references' pixels at each of the measured nodes."""
        return self.measured.pixels

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
        metadata = json.dumps(self._metadata(), sort_keys=True, separators=(",", ":"))
        data: bytes = serialise(self._tensors(), {METADATA_KEY: metadata})
        return data

    def fault(self) -> str | None:
        """Why its file would be refused, as a clause; None where it would not."""
        try:
            check_tensors(self._tensors())
            checked_entries(self._metadata(), ENTRIES, len(self.measured.sigma))
        except ValueError as error:
            return str(error)
        return None

    def _tensors(self) -> dict[str, Floats]:
        tensors = {name: _contiguous(getattr(self.measured, name)) for name in MEASURED}
        return {**tensors, "tokens": _contiguous(self.tokens)}

    def _metadata(self) -> dict[str, Any]:
        """What the file holds beside tensors, as JSON has it."""
        return {
            "content": CONTENT,
            "format": FORMAT,
            **{name: getattr(self, name) for name in ENTRIES},
            "recording": {
                name: [float(value) for value in values]
                for name, values in vars(self.recording).items()
            },
            "references": list(self.references),
            "repairs": list(self.repairs),
            "warnings": list(self.warnings),
            "quality": asdict(self.quality) if self.quality else None,
        }

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
        if path.is_symlink() and not path.exists():
            raise ProfileError(f"{path}: a link that leads nowhere; name the profile itself")
        if path.is_dir():
            raise ProfileError(f"{path}: is a folder; name the profiles in it, each by its own")
        if not path.is_file():
            raise ProfileError(f"{path}: no such profile; make one with noisegen profile create")
        try:
            found = read_tensor_file(path, LARGEST)
        except (OSError, ValueError) as error:
            raise ProfileError(
                f"{path}: not a noise profile ({error}); make it again, or name one"
            ) from None
        return _checked(path, found.metadata, found.tensors)


ENTRIES = tuple(f.name for f in fields(NoiseProfile) if f.name not in ("tokens", "measured"))
"""What the file's metadata hold: all that is no tensor."""


def _contiguous(values: NDArray[np.floating[Any]]) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float32)


def _checked(path: Path, metadata: Any, tensors: dict[str, Floats]) -> NoiseProfile:  # noqa: ANN401
    if not isinstance(metadata, dict) or metadata.get("content") != CONTENT:
        raise ProfileError(f"{path}: a safetensors file, but not a noise profile; name another")
    if metadata.get("format") != FORMAT:
        version = repr(metadata.get("format"))[:20]
        raise ProfileError(
            f"{path}: profile of version {version}, this noisegen reads version {FORMAT}; make it "
            "again from its references with noisegen profile create"
        )
    try:
        check_tensors(tensors)
        entries = checked_entries(metadata, ENTRIES, len(tensors["sigma"]))
    except ValueError as error:
        raise ProfileError(f"{path}: {error}; make it again") from None
    measured = NoiseStatistics(**{name: tensors[name] for name in MEASURED})
    return NoiseProfile(**entries, tokens=tensors["tokens"], measured=measured)


def unfit_for_weights(profile: NoiseProfile, weights: Weights) -> str | None:
    """Why a profile cannot be used with weights, as a clause; None if it can."""
    if profile.weights_sha256 != weights.sha256:
        return (
            f"made with other weights than {weights.name}; make it again with noisegen profile "
            "create, or give its --weights"
        )
    encoder = weights.encoder
    if profile.tokens.shape != (encoder.tokens, encoder.token_width):
        return (
            f"its prompt of shape {profile.tokens.shape} does not come from {weights.name}; make "
            "it again with noisegen profile create"
        )
    return None
