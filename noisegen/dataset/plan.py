"""What is to be made: options, clean files, and the names of their outputs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath

from noisegen.errors import UsageError
from noisegen.files import Container

DEEPEST = 2**32 - 1
"""The largest value of a sample."""


STRONGEST = 1000.0
"""The largest factor on the noise: more would leave black and white alone."""


class Layout(str, Enum):
    """How a dataset lies on the disk."""

    FOLDERS = "folders"
    WEBDATASET = "webdataset"
    LMDB = "lmdb"
    HF = "hf"


@dataclass(frozen=True)
class SynthesisOptions:
    """Everything beside weights, profiles and cleans that decides a dataset's files.

    Attributes:
        seed: of every draw.
        variants: noisy versions of each image.
        strength: lowest and highest factor on the noise.
        patch: side of the crops, None for whole images.
        per_image: crops of an image.
        white_level: the count that is white in files of more than 8 bits, None for the profile's or
            the type's.
        layout: how the pairs lie on the disk; changes no pixel.
        compression: zlib's level in PNG and TIFF, 0 to 9; changes no pixel.
    """

    seed: int = 0
    variants: int = 1
    strength: tuple[float, float] = (1.0, 1.0)
    patch: int | None = None
    per_image: int = 1
    white_level: float | None = None
    layout: Layout = Layout.FOLDERS
    compression: int = 1

    def __post_init__(self) -> None:
        low, high = self.strength
        if self.variants < 1 or self.per_image < 1:
            raise UsageError("--variants and --per-image: give 1 or more")
        if not 0 < low <= high <= STRONGEST:
            limits = f"above 0 and up to {STRONGEST:g}"
            raise UsageError(f"--strength {low:g}:{high:g}: give a factor {limits}, or low:high")
        if self.patch is not None and self.patch < 1:
            raise UsageError(f"--patch {self.patch}: give a side of 1 pixel or more")
        if self.white_level is not None and not 0 < self.white_level <= DEEPEST:
            raise UsageError(f"--white-level {self.white_level:g}: give a number up to {DEEPEST}")
        if not 0 <= self.compression <= 9:
            raise UsageError(f"--compression {self.compression}: give a level from 0 to 9")


@dataclass(frozen=True, slots=True)
class CleanFile:
    """A clean picture to put noise on.

    Attributes:
        path: where it is.
        key: its relative path, with ``/``, in Unicode's NFC: what its noise is drawn from.
        output: relative path of its outputs, before the number of a variant or crop.
        container: the lossless format of its outputs.
    """

    path: Path
    key: str
    output: PurePosixPath
    container: Container

    def numbered(self, crop: int | None, variant: int | None) -> PurePosixPath:
        """Relative path of one pair."""
        suffix = ("" if crop is None else f"_p{crop}") + ("" if variant is None else f"_v{variant}")
        return self.output.with_name(f"{self.output.stem}{suffix}{self.output.suffix}")


@dataclass(frozen=True, slots=True)
class Item:
    """One noisy version of a clean file: what is made, or left out, as one."""

    file: CleanFile
    variant: int

    @property
    def name(self) -> ItemName:
        """What tells it from the dataset's other items."""
        return self.file.key, self.variant


ItemName = tuple[str, int]
"""A clean's key and the number of a noisy version; items are sorted by it."""


@dataclass(frozen=True)
class Skipped:
    """A clean file that was left out.

    Attributes:
        path: where it is.
        file: its relative path, as it is spelled on the disk.
        reason: what is wrong with it, and the way out.
    """

    path: Path
    file: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"
