"""The journal of a run that has not finished: what is done, so that another goes on from there."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, Literal

from noisegen.dataset.folder import Folder, writing
from noisegen.dataset.manifest import PairLine, json_lines, read_lines
from noisegen.dataset.plan import DatasetOptions, Item, ItemName, Skipped
from noisegen.errors import ManifestError
from noisegen.files import open_image


@dataclass(frozen=True, slots=True)
class Record:
    """One item that is made.

    Attributes:
        lines: of its pairs.
        source: size and time of change (ns) of its clean file when it was read; None where the
            dataset was complete already.
    """

    lines: tuple[PairLine, ...]
    source: tuple[int, int] | None = None

    @property
    def item(self) -> ItemName:
        """The noisy version that it is of."""
        return self.lines[0].item

    def holds(self, item: Item, options: DatasetOptions, pairs: Path) -> bool:
        """Whether the item need not be made again: its files are there, of a clean unchanged."""
        # A manifest may have lost lines; small pictures have fewer crops than are asked for.
        if len(self.lines) != options.per_image and len(self.lines) != _crops(item, options):
            return False
        for index, line in enumerate(self.lines):
            named = options.numbered(item.file, index, item.variant)
            if line.relative != named.as_posix():
                return False
            sizes = ((line.noisy_file_name, line.noisy_bytes),
                     (line.clean_file_name, line.clean_bytes))  # fmt: skip
            if any(_size(pairs / name) != size for name, size in sizes):
                return False
        return self.source is None or self.source == source_of(item.file.path)


def _crops(item: Item, options: DatasetOptions) -> int:
    with open_image(item.file.path) as image:
        return options.crops_of(image.header.width, image.header.height)


def source_of(path: Path) -> tuple[int, int] | None:
    """What tells a clean file's present state; None where it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


@contextmanager
def open_journal(folder: Folder) -> Iterator[Journal]:
    """The journal, to be added to.

    Raises:
        OutputError: it cannot be written.
    """
    with writing(folder.journal), folder.journal.open("ab") as file:
        yield Journal(file)


class Journal:
    """Adds a record at a time, whole or, where the run is killed meanwhile, cut short."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def add(self, record: Record) -> None:
        """Adds an item that is made, its files safely on the disk."""
        lines = [line.to_json() for line in record.lines]
        values = {"source": record.source, "lines": lines}
        self._file.writelines(json_lines([values]))
        self._file.flush()
        os.fsync(self._file.fileno())


def read_records(folder: Folder) -> dict[ItemName, Record]:
    """What the dataset holds so far: its manifest's items and the journal's.

    Raises:
        ManifestError: one of the two is damaged otherwise than by a kill.
    """
    records: dict[ItemName, Record] = {}
    if folder.metadata.exists():
        lines = sorted(read_lines(folder.metadata), key=lambda line: line.item)
        for item, parts in groupby(lines, key=lambda line: line.item):
            # What damage doubled is one pair all the same.
            records[item] = Record(tuple(dict.fromkeys(parts)))
    if folder.journal.exists():
        for record in _journal_records(folder.journal):
            records[record.item] = record
    return records


def _journal_records(path: Path) -> Iterator[Record]:
    with writing(path), path.open("r+b") as file:
        whole = 0
        for number, line in enumerate(file, 1):
            # Only the last one can lack its end.
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            yield _record(line, f"{path}:{number}")
        file.truncate(whole)


def _record(line: bytes, where: str) -> Record:
    try:
        values: Any = json.loads(line)
        lines = tuple(PairLine.from_json(value, where) for value in values["lines"])
        source = values["source"]
        if not lines or len({one.item for one in lines}) != 1:
            raise ValueError("not the lines of one item")
        return Record(lines, None if source is None else (int(source[0]), int(source[1])))
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError) as error:
        raise ManifestError(
            f"{where}: not what noisegen writes ({error}); replace the dataset with --overwrite"
        ) from error


def sorted_lines(records: Iterable[Record]) -> list[PairLine]:
    """Every pair's line, by key, variant and crop: the order in which a manifest is written."""
    ordered = sorted(records, key=lambda record: record.item)
    return [line for record in ordered for line in record.lines]


@dataclass
class Spent:
    """Seconds of an item, by what they were spent on."""

    reading: float = 0.0
    network: float = 0.0
    compressing: float = 0.0
    writing: float = 0.0

    @contextmanager
    def on(self, what: Literal["reading", "network", "compressing", "writing"]) -> Iterator[None]:
        """Adds the block's time."""
        start = time.perf_counter()
        try:
            yield
        finally:
            setattr(self, what, getattr(self, what) + time.perf_counter() - start)


@dataclass(frozen=True)
class Done:
    """One item's outcome.

    Attributes:
        item: that it is of.
        record: of its pairs; None where it was skipped.
        skipped: why it has none.
        kept: made by an earlier run.
        spent: seconds on it.
    """

    item: Item
    record: Record | None = None
    skipped: Skipped | None = None
    kept: bool = False
    spent: Spent = field(default_factory=Spent)

    @property
    def pairs(self) -> int:
        """Number of pairs that were written."""
        return len(self.record.lines) if self.record else 0

    @property
    def pixels(self) -> int:
        """Number of pixels of the pairs' noisy pictures."""
        lines = self.record.lines if self.record else ()
        return sum(line.width * line.height * line.planes for line in lines)
