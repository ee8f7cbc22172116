"""A study's pictures from a user's own folders.

Pairs are taken like PolyU's: drift moves into the clean, crops whose residual follows the clean's
edges are left out. The references are taken as ``noisegen synth`` takes them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from noisegen.errors import ImageError, UsageError
from noisegen.evaluation.pair_files import PairFile, PairFolder
from noisegen.evaluation.pair_pictures import Kind, find_white_level, kind_of, read_pair
from noisegen.evaluation.protocol import CROP, PROTOCOL_SEED, Target, crop_places, registered_crops
from noisegen.evaluation.side_by_side import evenly
from noisegen.files import Pixels, read_picture
from noisegen.references.load import read_references
from noisegen.references.matching import Matches
from noisegen.research.study.pictures import Source, StudyData, blind_orders, in_turn, named_cleans
from noisegen.training.realdata import remove_drift

MOST_TRAINED = 512
"""Crops, of 256² where the pictures are that large, over all pictures."""

MOST_TESTED = 192
"""Crops of each test, over all its pictures."""

MOST_OF_ONE = 24
"""Crops of one picture."""

T = TypeVar("T")
Crop = TypeVar("Crop")

GRID = 16
"""Crops lie on it, and it is their smallest side: 8×8 blocks of 4:2:0 keep their place."""


@dataclass(frozen=True, eq=False)
class StudyFolders:
    """Folders and files of a user's pictures.

    Attributes:
        real: training pairs, if there are more than the references.
        tests: real pairs by the test's name, one or more tests.
        references: noisy shots with their cleans or None.
        new: those of a camera that ``real`` does not hold; may be empty.
        cleans: pictures for generated noise; empty for the cleans of ``real``.
    """

    real: PairFolder | None
    tests: Mapping[str, PairFolder]
    references: Matches
    new: Matches
    cleans: Sequence[Path]


def folders_study(
    folders: StudyFolders, least_side: int, white_level: float | None = None
) -> StudyData:
    """Reads the pictures and cuts them into crops.

    Args:
        folders: where they are.
        least_side: of a crop that the denoiser can be trained on.
        white_level: of 16-bit pictures; found from the test pairs if left out.

    Raises:
        UsageError: nothing to put noise on, a picture on both sides, or no pair that can be used.
    """
    _refuse_shared(folders)
    cutter = _Cutter.of(next(iter(folders.tests.values())), least_side, white_level)
    tests = {
        name: cutter.shots(folder.pairs, f"--test {name}={folder.where}", MOST_TESTED)
        for name, folder in folders.tests.items()
    }
    real: tuple[Target, ...] = ()
    if folders.real is not None:
        real = cutter.shots(folders.real.pairs, f"--real {folders.real.where}", MOST_TRAINED)
    under_real = named_cleans(real)
    others = cutter.cleans(folders.cleans) if folders.cleans else under_real
    if not others:
        raise UsageError("nothing to put noise on: name clean pictures (--clean) or pairs (--real)")
    sources = _source("references", folders.references)
    few = _few(folders.references, cutter)
    orders = in_turn(sources, under_real or others)
    return StudyData(
        real=real,
        references=orders,
        blind=blind_orders(orders),
        few=few,
        from_few=in_turn(sources, others) if few else (),
        extra=in_turn(_source("new", folders.new) if folders.new else sources, others),
        new_camera=bool(folders.new),
        tests=tests,
        white_level=cutter.white_level,
        left_out=tuple(cutter.left_out),
    )


def _source(name: str, matches: Matches) -> list[Source]:
    channels = read_references(matches)
    if len(channels) > 1:
        raise UsageError(
            f"{matches[0][0]}: has {len(channels)} channels ({', '.join(channels)}); save one as a "
            "file of its own"
        )
    (references,) = channels.values()
    return [Source(name, tuple(references))]


def _few(matches: Matches, cutter: _Cutter) -> tuple[Target, ...]:
    """The references with a clean, as training pairs."""
    given = [(noisy, clean) for noisy, clean in matches if clean is not None]
    pairs = [PairFile(noisy.stem, noisy.stem, noisy, clean) for noisy, clean in given]
    return cutter.shots(pairs, "--ref", MOST_TRAINED) if pairs else ()


def _refuse_shared(folders: StudyFolders) -> None:
    """Refuses to test on a picture that is learned from, whatever its file's name."""
    tested = {
        _content(path): name
        for name, folder in folders.tests.items()
        for pair in folder.pairs
        for path in (pair.noisy, pair.clean)
    }
    real = folders.real.pairs if folders.real is not None else ()
    learned = [path for pair in real for path in (pair.noisy, pair.clean)]
    learned += [path for pair in (*folders.references, *folders.new) for path in pair if path]
    for path in [*learned, *folders.cleans]:
        name = tested.get(_content(path))
        if name is not None:
            raise UsageError(
                f"{path}: is a picture of --test {name} too; what is learned from is no test, give "
                "pictures of other scenes"
            )


def _content(path: Path) -> str:
    """Hash of a file; of its name where it is no plain file, which its reader refuses."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else str(path)


class _Cutter:
    """Cutter of pictures of one kind into crops.

    Attributes:
        left_out: pictures that gave none, each with its reason.
    """

    def __init__(self, kind: Kind, white_level: float, least_side: int) -> None:
        self.kind, self.white_level, self.least_side = kind, white_level, least_side
        self.left_out: list[str] = []

    @classmethod
    def of(cls, first: PairFolder, least_side: int, white_level: float | None) -> _Cutter:
        """The cutter of pictures like a folder's."""
        kind = kind_of(first)
        if white_level is None or kind.dtype == "uint8":
            white_level = find_white_level(first.pairs, kind)
        return cls(kind, white_level, max(GRID, -(-least_side // GRID) * GRID))

    def shots(self, files: Sequence[PairFile], where: str, most: int) -> tuple[Target, ...]:
        """Registered crops of pairs.

        Raises:
            UsageError: there is none.
        """
        return tuple(self._cut(files, most, self._of_pair, f"{where}: no pair"))

    def cleans(self, paths: Sequence[Path]) -> list[tuple[str, Pixels]]:
        """Random crops of clean pictures, with their names.

        Raises:
            UsageError: there is none.
        """
        return self._cut(paths, MOST_TRAINED, self._of_clean, "--clean: no picture")

    def _cut(
        self, items: Sequence[T], most: int, cut: Callable[[T, int], Iterator[Crop]], none: str
    ) -> list[Crop]:
        """Crops of at most so many items, evenly chosen."""
        before = len(self.left_out)
        crops: list[Crop] = []
        for item in evenly(items, most):
            with self._unusable_noted():
                crops += cut(item, min(MOST_OF_ONE, max(1, most // len(items))))
        if not crops:
            raise UsageError(f"{none} can be used ({self.left_out[before]})")
        return crops

    @contextmanager
    def _unusable_noted(self) -> Iterator[None]:
        try:
            yield
        except ImageError as error:
            self.left_out.append(str(error))

    def _of_pair(self, file: PairFile, count: int) -> Iterator[Target]:
        pair = read_pair(file, self.kind, self.white_level)
        side = self._side(pair.clean, file.noisy)
        clean = remove_drift(pair.noisy, pair.clean, self.white_level)
        rng = np.random.default_rng([PROTOCOL_SEED, *file.name.encode()])
        places = registered_crops(pair.noisy, clean, (0, clean.shape[1]), rng, side)
        index = 0
        for index, place in zip(range(1, count + 1), places, strict=False):
            crops = pair.noisy[place].copy(), clean[place].copy()
            yield Target(
                f"{file.name}/{index:02d}", file.scene, *crops, white_level=self.white_level
            )
        if not index:
            raise ImageError(
                file.noisy,
                "its noise follows its clean's edges throughout; a pair must lie on each other to "
                "the pixel",
            )

    def _of_clean(self, path: Path, count: int) -> Iterator[tuple[str, Pixels]]:
        pixels = read_picture(path).pixels
        found = Kind(pixels.shape[2], pixels.dtype.name)
        if found != self.kind:
            raise ImageError(path, f"is {found}, where the tests are {self.kind}; convert it")
        if pixels.max() > self.white_level:
            raise ImageError(path, f"has values above {self.white_level:g}; scale it to that")
        side = self._side(pixels, path)
        rng = np.random.default_rng([PROTOCOL_SEED, *str(path.name).encode()])
        height, width, _ = pixels.shape
        for index, place in zip(
            range(count), crop_places(height, (0, width), rng, side), strict=False
        ):
            yield f"{path.stem}/{index:02d}", pixels[place].copy()

    def _side(self, pixels: Pixels, path: Path) -> int:
        """Side of the crops of a picture.

        Raises:
            ImageError: it is too small.
        """
        height, width = pixels.shape[:2]
        if min(height, width) < self.least_side:
            least = self.least_side
            raise ImageError(path, f"is {width}×{height}; a crop takes {least}×{least}")
        return int(min(CROP, height // GRID * GRID, width // GRID * GRID))
