"""Where everything goes that the command line says, and what a user's errors turn into."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import getdoc
from typing import Any, NoReturn, ParamSpec, Protocol, TypeVar

import typer
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from noisegen.errors import NoisegenError

PARTLY = 3
"""Exit code: done, but some inputs could not be used."""

INTERRUPTED = 130
"""Exit code: asked to stop."""

P = ParamSpec("P")
R = TypeVar("R")


class Output:
    """Results on stdout; messages and progress on stderr.

    Args:
        as_json: results as one JSON object.
        quiet: no results and no notes; warnings and errors stay.
    """

    def __init__(self, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json, self.quiet = as_json, quiet
        self._out = Console(highlight=False)
        self._err = Console(stderr=True, highlight=False)

    def result(self, shown: RenderableType, data: dict[str, Any]) -> None:
        """The command's result, for people or as JSON."""
        if self.as_json:
            # ASCII, so that a name that no terminal can show does not break the object.
            sys.stdout.write(json.dumps(data) + "\n")
        elif not self.quiet:
            if isinstance(shown, str):
                shown = "\n".join(one_line(line) for line in shown.split("\n"))
            self._out.print(shown, soft_wrap=isinstance(shown, str), markup=False)

    def note(self, message: str) -> None:
        """Something worth knowing; not with ``--quiet``."""
        if not self.quiet:
            self._err.print(one_line(message), markup=False, soft_wrap=True)

    def warn(self, message: str) -> None:
        """Something that went wrong with a part of the input."""
        self._err.print(f"warning: {one_line(message)}", markup=False, soft_wrap=True)

    @contextmanager
    def progress(self, total: int) -> Iterator[Advance]:
        """A bar on a terminal; yields ``advance(items, pixels, note)``."""
        shown = self._err.is_terminal and not self.quiet
        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False),
        )
        with Progress(*columns, console=self._err, disable=not shown, transient=True) as bar:
            task = bar.add_task("", total=total, pixels=0)

            def advance(items: int, pixels: int = 0, note: str = "") -> None:
                done = bar.tasks[0].fields["pixels"] + pixels
                bar.update(task, advance=items, pixels=done, description=one_line(note))

            yield advance


class Advance(Protocol):
    """Moves a progress bar."""

    def __call__(self, items: int, pixels: int = 0, note: str = "") -> None:
        """By items and pixels; shows a note at the end of the bar."""


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Megapixels a second since the start, where pixels are counted."""
        if not task.fields["pixels"]:
            return Text("")
        elapsed = task.elapsed or 0.0
        rate = task.fields["pixels"] / 1e6 / elapsed if elapsed else 0.0
        return Text(f"{rate:.2f} Mpx/s")


def one_line(text: str) -> str:
    """Text with control characters spelled out: a file's name may hold any, escapes included."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def user_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Turns a user's errors into one line on stderr and the right exit code."""

    @wraps(command)
    def handled(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except NoisegenError as error:
            _fail(str(error), error.exit_code)
        except MemoryError:
            _fail("out of memory: use smaller pictures or a smaller --tile", 1)
        except OSError as error:
            _fail(f"{error.filename or 'output'}: {error.strerror or error}", 1)

    handled.__doc__ = _flowing(getdoc(command) or "")
    return handled


def _flowing(text: str) -> str:
    """Paragraphs as a line each: Typer keeps a docstring's line breaks, whatever the terminal."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _fail(message: str, code: int) -> NoReturn:
    console = Console(stderr=True, highlight=False)
    lead = "" if code == INTERRUPTED else "error: "
    console.print(lead + one_line(message), markup=False, soft_wrap=True)
    raise typer.Exit(code)
