"""Long jobs: what they say while they run, and how they are stopped."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from noisegen.cli.output import Output

LOG_EVERY = 50
"""Steps between two lines of a training."""


@contextmanager
def stoppable(output: Output, run: Path) -> Iterator[None]:
    """A job that is told to stop writes its checkpoint first, as on Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        output.note(f"stopped; run the same command again to go on from {run}")
        raise typer.Exit(130) from None


def log_to_stderr(quiet: bool) -> None:
    """Shows what the library logs."""
    logging.basicConfig(level=logging.WARNING if quiet else logging.INFO, format="%(message)s")
