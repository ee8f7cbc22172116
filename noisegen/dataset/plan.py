"""What is to be made: options, clean files, and the names of their outputs."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath

from noisegen.errors import UsageError
from noisegen.files import Container

DEEPEST = 2**32 - 1
"""The largest value of a sample."""


STRONGEST = 1000.0
"""The largest factor on the noise: more would leave black and white alone."""


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


@dataclass(frozen=True)
class DatasetOptions:
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
        if self.patch is None and self.per_image != 1:
            raise UsageError("--per-image counts crops; add --patch")
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


@dataclass(frozen=True)
class Shard:
    """Part ``index`` (from 1) of ``count``; the whole is part 1 of 1."""

    index: int = 1
    count: int = 1

    @property
    def whole(self) -> bool:
        """There are no other parts."""
        return self.count == 1

    @property
    def suffix(self) -> str:
        """What the part's own files are told by: nothing for the whole."""
        return "" if self.whole else f"-{self.index}-of-{self.count}"

    def holds(self, key: str) -> bool:
        """Whether a clean file's noisy versions belong to this part: by a hash of its key alone."""
        digest = hashlib.sha256(f"noisegen shard\0{key}".encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "little") % self.count == self.index - 1


WHOLE = Shard()


def parse_shard(text: str) -> Shard:
    """``K/N`` → the shard.

    Raises:
        UsageError: not two numbers, or K is not from 1 to N.
    """
    matched = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    shard = Shard(*map(int, matched.groups())) if matched else Shard(0, 0)
    if not 1 <= shard.index <= shard.count:
        raise UsageError(f"--shard {text}: give K/N with K from 1 to N, as 3/8")
    return shard


@dataclass(frozen=True)
class RunOptions:
    """What a dataset is made with; nothing here changes a pixel.

    Attributes:
        engine: threads of this process, or actors of a Ray cluster.
        address: of the Ray cluster's head, or ``auto``; None for a cluster of this machine.
        workers: pictures in hand at once, in each actor with Ray; as many as the network has
            threads, and one more, where not given.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        tile: side, in pixels, of what is prepared at once: memory against speed.
        shard: part of the dataset that is made.
        overwrite: take away a dataset that is there.
        prune: take away pairs whose clean pictures are gone.
    """

    engine: EngineName = EngineName.THREADS
    address: str | None = None
    workers: int | None = None
    device: str = "auto"
    tile: int = 1024
    shard: Shard = WHOLE
    overwrite: bool = False
    prune: bool = False

    def __post_init__(self) -> None:
        if self.engine is EngineName.THREADS and self.address is not None:
            raise UsageError("--address names a Ray cluster; add --engine ray")
        if self.overwrite and not self.shard.whole:
            raise UsageError(
                "--overwrite with --shard would take other shards away; remove the folder"
            )
