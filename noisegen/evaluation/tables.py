"""Tables of words and numbers, and their Markdown and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Rows of words and numbers.

    Attributes:
        title: above it.
        headings: of the columns; the first names the rows.
        rows: as many cells each.
        note: below it.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Renders a table as Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def csv_bytes(lines: Iterable[Sequence[object]]) -> bytes:
    """Renders lines as CSV, as the file holds them."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode("utf-8", "surrogateescape")
