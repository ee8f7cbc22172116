"""What became of one item, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from noisegen.dataset.journal import Record
from noisegen.dataset.plan import Item, Skipped


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
        """How many were written."""
        return len(self.record.lines) if self.record else 0

    @property
    def pixels(self) -> int:
        """Of these pairs' noisy pictures."""
        lines = self.record.lines if self.record else ()
        return sum(line.width * line.height * line.planes for line in lines)
