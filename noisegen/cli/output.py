"""Where everything goes that the command line says, and what a user's errors turn into."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from noisegen.errors import NoisegenError, OutputError, UsageError

PARTLY = 3
"""Exit code: done, but some inputs could not be used."""

INTERRUPTED = 130
"""Exit code: asked to stop."""

FILE_COLUMNS = 120
"""Width of what goes to a file or pipe: that of the widest table."""

LEAST_COLUMNS = 80
"""Width that every table fits into."""

Advance = Callable[..., None]
"""Moves a progress bar by items and, if given, pixels; shows a note at its end."""


class Output:
    """Results on stdout; messages and progress on stderr.

    Args:
        as_json: results as one JSON object.
        quiet: no results and no notes; warnings and errors stay.
    """

    def __init__(self, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json, self.quiet = as_json, quiet
        self._out = Console(highlight=False, emoji=False)
        # Narrower, tables would lose columns without a word; so lines are broken.
        self._out.width = max(self._out.width, LEAST_COLUMNS)
        if not self._out.is_terminal and "COLUMNS" not in os.environ:
            # Rich takes a file or pipe to be 80 columns wide and cuts the tables' numbers.
            self._out.width = FILE_COLUMNS
        self._err = Console(stderr=True, highlight=False, emoji=False)

    def result(self, shown: RenderableType, data: dict[str, Any]) -> None:
        """Prints the command's result, for people or as JSON."""
        if self.as_json:
            # ASCII, so that a name that no terminal can show does not break the object.
            sys.stdout.write(json.dumps(data) + "\n")
        elif not self.quiet:
            if isinstance(shown, str):
                shown = "\n".join(one_line(line) for line in shown.split("\n"))
            self._out.print(shown, soft_wrap=isinstance(shown, str), markup=False)

    def note(self, message: str) -> None:
        """Says something worth knowing; not with ``--quiet``."""
        if not self.quiet:
            self._err.print(one_line(message), markup=False, soft_wrap=True)

    def warn(self, message: str) -> None:
        """Warns of what went wrong with a part of the input."""
        self._err.print(f"warning: {one_line(message)}", markup=False, soft_wrap=True)

    def end(self, skipped: Sequence[object], lead: str = "skipped") -> None:
        """Ends a command: warns of inputs that could not be used; if there are any, exits with 3.

        Args:
            skipped: each with its reason.
            lead: what was done with them.
        """
        for reason in skipped:
            self.warn(f"{lead} {reason}")
        if skipped:
            raise typer.Exit(PARTLY)

    @contextmanager
    def progress(self, total: int) -> Iterator[Advance]:
        """A bar on a terminal; yields ``advance(items, pixels, note)``."""
        shown = self._err.is_terminal and not self.quiet
        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False),
        )
        pixels = 0
        with Progress(*columns, console=self._err, disable=not shown, transient=True) as bar:
            task = bar.add_task("", total=total, rate="")

            def advance(items: int, more: int = 0, note: str = "") -> None:
                nonlocal pixels
                pixels += more
                rate = f"{pixels / 1e6 / (bar.tasks[0].elapsed or 1):.2f} Mpx/s" if pixels else ""
                bar.update(task, advance=items, rate=rate, description=one_line(note))

            yield advance

    def follow(self, total: int, steps: Iterable[int]) -> None:
        """Takes steps to their end behind a bar; each gives the pixels that it was of."""
        with self.progress(total) as advance:
            for pixels in steps:
                advance(1, pixels)


def one_line(text: str) -> str:
    """Text with control characters spelled out: a file's name may hold any, escapes included."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


@contextmanager
def user_errors() -> Iterator[None]:
    """Turns a user's errors into one line on stderr and the right exit code."""
    try:
        yield
    except NoisegenError as error:
        message, code = error.typed or str(error), error.exit_code
    except MemoryError:
        message, code = "out of memory: use smaller pictures or a smaller --tile", 1
    except OSError as error:
        message, code = f"{error.filename or 'output'}: {error.strerror or error}", 1
    else:
        return
    lead = "" if code == INTERRUPTED else "error: "
    console = Console(stderr=True, highlight=False, emoji=False)
    console.print(lead + one_line(message), markup=False, soft_wrap=True)
    raise typer.Exit(code)


def check_file(out: Path, overwrite: bool, option: str = "--out") -> None:
    """Refuses, before any work is done, a file that cannot or must not be written.

    Raises:
        OutputError: it is there, or no file can be written there.
    """
    if out.is_dir():
        raise OutputError(f"{out}: is a folder; name a file for {option}")
    if out.exists() and not overwrite:
        raise OutputError(f"{out}: is there already; name another file, or add --overwrite")
    if not out.parent.is_dir():
        raise OutputError(f"{out}: its folder is not there; make it first")


def check_png(out: Path, option: str) -> None:
    """Refuses a name that does not end as a PNG's does.

    Raises:
        UsageError: it is of another kind.
    """
    if out.suffix.lower() != ".png":
        raise UsageError(f"{option} {out}: a plot is a PNG; end its name in .png")


def check_page(out: Path, overwrite: bool) -> None:
    """Refuses an output that is no page, or is there already, before anything is read.

    Raises:
        UsageError: its name does not end as a page's.
        OutputError: it is there, or no file can be written there.
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--out {out}: a report is a page; end its name in .html")
    check_file(out, overwrite)
