"""Tables of words and numbers, their Markdown and CSV, and what stands for many pictures."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np


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


def mean_and_median(values: Iterable[float]) -> dict[str, float]:
    """Mean and median of the values that are numbers; NaN where none is."""
    finite = [value for value in values if math.isfinite(value)] or [math.nan]
    return {"mean": float(np.mean(finite)), "median": float(np.median(finite))}


def mean_in_words(figures: Mapping[str, float | None]) -> str:
    """Words for a mean and its median: ``0.0123 (0.0045)``."""
    return f"{in_words(figures['mean'])} ({in_words(figures['median'])})"


def in_words(figure: float | None) -> str:
    """A figure with four digits; a dash for what is no number."""
    return "–" if figure is None or math.isnan(figure) else f"{figure:.4f}"


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Renders a table as Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def csv_bytes(lines: Iterable[Sequence[object]]) -> bytes:
    """Renders lines as CSV, as the file holds them."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode("utf-8", "surrogateescape")
