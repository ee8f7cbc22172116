"""What is to be made: options, clean files, and the names of their outputs.

An option's annotation holds its help, and what the command line needs to know besides.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Annotated

from noisegen.dataset.option_types import settle
from noisegen.errors import UsageError, in_python
from noisegen.files import Container
from noisegen.synthesis.draws import crop_places

DEEPEST = 2**32 - 1
"""The largest value of a sample."""

STRONGEST = 1000.0
"""The largest factor on the noise: more would leave black and white alone."""

MOST_VARIANTS = 100_000
"""Noisy versions of one image: a run holds a list of them."""


class EngineName(str, Enum):
    """What makes a dataset's pairs."""

    THREADS = "threads"
    RAY = "ray"


class Layout(str, Enum):
    """How a dataset lies on the disk."""

    FOLDERS = "folders"
    WEBDATASET = "webdataset"
    LMDB = "lmdb"
    HF = "hf"


PACKED = (Layout.WEBDATASET, Layout.LMDB)
"""Layouts whose finished datasets hold archives instead of folders."""

WhiteLevel = Annotated[
    float | None,
    "The count that is white in the camera's files of more than 8 bits, as 4095 for 12 bits in 16; "
    "references and cleans of one type share it.",
]


@dataclass(frozen=True)
class DatasetOptions:
    """Everything beside weights, profiles and cleans that decides a dataset's files.

    Each option's annotation says what it is, here and in ``noisegen synth --help``. The strength is
    the lowest and the highest factor; a white level left out is the profile's or the type's.
    """

    seed: Annotated[int, "Decides every pixel of the noise."] = 0
    variants: Annotated[int, "Noisy versions of each image."] = 1
    strength: Annotated[
        tuple[float, float], "Factor on the noise; a range like 0.5:2 is drawn per image."
    ] = (1.0, 1.0)
    patch: Annotated[int | None, "Write crops of this side instead of whole images."] = None
    per_image: Annotated[int, "Crops of each image, with --patch."] = 1
    white_level: WhiteLevel = None
    layout: Annotated[
        Layout,
        "How the pairs lie on the disk: the files of webdataset and lmdb replace noisy/ and "
        "clean/; changes no pixel.",
    ] = Layout.FOLDERS
    compression: Annotated[int, "zlib's level in PNG and TIFF, 0 to 9; changes no pixel."] = 1

    @in_python()
    def __post_init__(self) -> None:
        settle(self, {})
        low, high = self.strength
        if self.patch is None and self.per_image != 1:
            raise UsageError("--per-image counts crops; add --patch")
        if not (0 < self.variants <= MOST_VARIANTS and self.per_image > 0):
            up = f"up to {MOST_VARIANTS} variants"
            raise UsageError(f"--variants and --per-image: give 1 or more, and {up}")
        if not 0 < low <= high <= STRONGEST:
            limits = f"above 0 and up to {STRONGEST:g}"
            raise UsageError(f"--strength {low:g}:{high:g}: give a factor {limits}, or low:high")
        if self.patch is not None and self.patch < 1:
            raise UsageError(f"--patch {self.patch}: give a side of 1 pixel or more")
        if self.white_level is not None and not 0 < self.white_level <= DEEPEST:
            raise UsageError(f"--white-level {self.white_level:g}: give a number up to {DEEPEST}")
        if not 0 <= self.compression <= 9:
            raise UsageError(f"--compression {self.compression}: give a level from 0 to 9")

    def numbered(self, file: CleanFile, crop: int, variant: int) -> PurePosixPath:
        """Relative path of one pair of a clean file: numbers stand where there may be several."""
        suffix = "" if self.patch is None else f"_p{crop}"
        suffix += "" if self.variants == 1 else f"_v{variant}"
        return file.output.with_name(f"{file.output.stem}{suffix}{file.output.suffix}")

    def crops_of(self, width: int, height: int) -> int:
        """How many crops a picture that is large enough gives: distinct ones, on the 8×8 grid."""
        if self.patch is None:
            return 1
        return min(self.per_image, crop_places(width, height, self.patch))


def parse_strength(text: str) -> tuple[float, float]:
    """``1.5`` or ``0.5:2`` → lowest and highest factor.

    Raises:
        UsageError: neither.
    """
    low, colon, high = text.partition(":")
    try:
        return float(low), float(high if colon else low)
    except ValueError:
        raise UsageError(f"--strength {text}: give a number, or two as 0.5:2") from None


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


@dataclass(frozen=True)
class Shard:
    """Part ``index`` (from 1) of ``count``; the whole is part 1 of 1."""

    index: int = 1
    count: int = 1

    @property
    def whole(self) -> bool:
        """Whether there are no other parts."""
        return self.count == 1

    @property
    def suffix(self) -> str:
        """What the part's own files are told by: nothing for the whole."""
        return "" if self.whole else f"-{self.index}-of-{self.count}"

    def holds(self, key: str) -> bool:
        """Whether a clean file's noisy versions belong to this part."""
        return self.index_of(key, self.count) == self.index

    @staticmethod
    def index_of(key: str, count: int) -> int:
        """Which of so many parts a clean file's noisy versions belong to: by a hash of its key."""
        digest = hashlib.sha256(f"noisegen shard\0{key}".encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "little") % count + 1


WHOLE = Shard()


def parse_shard(text: str) -> Shard:
    """``K/N`` → the shard.

    Raises:
        UsageError: not two numbers, or K is not from 1 to N.
    """
    matched = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    if not matched or not 1 <= int(matched[1]) <= int(matched[2]):
        raise UsageError(f"--shard {text}: give K/N with K from 1 to N, as 3/8")
    return Shard(int(matched[1]), int(matched[2]))


@dataclass(frozen=True)
class MachineOptions:
    """What makes a dataset's pairs; nothing here changes a pixel."""

    engine: Annotated[
        EngineName, "Threads of this process, or actors of a Ray cluster; changes no pixel."
    ] = EngineName.THREADS
    address: Annotated[
        str | None,
        "Head of the Ray cluster, or auto; --engine ray starts one here if left out.",
        {"metavar": "HOST:PORT"},
    ] = None
    workers: Annotated[
        int | None,
        "Images in hand at once, in each actor; as many as threads, and one more.",
        {"min": 1},
    ] = None
    device: Annotated[str, "auto, cpu, cuda or mps."] = "auto"
    tile: Annotated[
        int, "Tile side in pixels: memory against speed; never changes a pixel.", {"min": 1}
    ] = 1024

    @in_python()
    def __post_init__(self) -> None:
        settle(self, {Shard: parse_shard})
        if self.engine is EngineName.THREADS and self.address is not None:
            raise UsageError("--address names a Ray cluster; add --engine ray")


@dataclass(frozen=True)
class RunOptions(MachineOptions):
    """What a run makes a dataset with, and what it may take away of one that is there."""

    shard: Annotated[Shard, "Make part K of N; then noisegen merge OUT.", {"metavar": "K/N"}] = (
        WHOLE
    )
    overwrite: Annotated[bool, "Replace what is there."] = False
    prune: Annotated[bool, "Take away pairs whose clean images are gone or damaged."] = False

    @in_python()
    def __post_init__(self) -> None:
        super().__post_init__()
        if self.overwrite and not self.shard.whole:
            raise UsageError(
                "--overwrite with --shard would take other shards away; remove the folder"
            )
