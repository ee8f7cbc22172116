"""Long jobs: what they say while they run, and how they are stopped."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol, TypeVar

import torch
import typer

from noisegen.cli.output import Output
from noisegen.errors import UsageError

LOG_EVERY = 50
"""Steps between two lines of a training."""


class Step(Protocol):
    """A step of a training: how many are done, and its loss."""

    @property
    def step(self) -> int: ...  # noqa: D102

    @property
    def loss(self) -> float: ...  # noqa: D102


S = TypeVar("S", bound=Step)


def begin_job(threads: int | None, output: Output) -> None:
    """Sets the threads of the CPU, and shows what the library logs."""
    if threads is not None:
        torch.set_num_threads(threads)
    level = logging.WARNING if output.quiet else logging.INFO
    logging.basicConfig(level=level, format="%(message)s")


def follow(
    training: Iterable[S], steps: int, run: Path, output: Output, words: Callable[[S], str]
) -> float | None:
    """Runs a training to its end and says how it goes; returns the last loss, if a step was made.

    A job that is told to stop writes its checkpoint first, as on Ctrl-C.

    Args:
        training: its steps.
        steps: how many there are to be.
        run: folder of the checkpoint.
        output: where it is said.
        words: what is said of a step.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    last = None
    try:
        with output.progress(steps) as advance:
            for step in training:
                last = step.loss
                advance(1, note=words(step))
                if step.step % LOG_EVERY == 0:
                    output.note(f"step {step.step} of {steps}: {words(step)}")
    except KeyboardInterrupt:
        output.note(f"stopped; run the same command again to go on from {run}")
        raise typer.Exit(130) from None
    return last


def check_training_data(data: Path) -> None:
    """Refuses a folder that does not hold the training data.

    Raises:
        UsageError: it does not.
    """
    if not (data / "polyu").is_dir():
        raise UsageError(f"--data {data}: does not hold the training data (polyu/, w2s/, clean/)")
