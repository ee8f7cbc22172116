"""The ``noisegen`` command. Commands import torch when they run, not before."""

from __future__ import annotations

import signal
import sys
from io import TextIOWrapper
from types import FrameType
from typing import Annotated, NoReturn

import typer

import noisegen
from noisegen.cli import (
    benchmark,
    blend,
    evaluate,
    evaluate_help,
    export,
    merge,
    probe,
    profile,
    regenerate,
    report,
    study,
    study_help,
    synth,
    train,
    verify,
)

app = typer.Typer(
    name="noisegen",
    help="Give clean images the noise of your camera.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)
app.command("synth")(synth.synth)
app.command("merge")(merge.merge)
app.command("export")(export.export)
app.command("verify")(verify.verify)
app.command("regenerate")(regenerate.regenerate)
profile.app.command("blend")(blend.blend)
profile.app.command("sweep")(blend.sweep)
app.add_typer(profile.app, name="profile")
app.command("evaluate", help=evaluate_help.HELP)(evaluate.evaluate)
app.command("probe")(probe.probe)
app.command("report")(report.report)
app.command("study", help=study_help.HELP)(study.study)
app.add_typer(train.app, name="train")
app.command("benchmark")(benchmark.benchmark)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"noisegen {noisegen.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Give clean images the noise of your camera."""


def main() -> None:
    """Entry point."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets a stand-in, not a traceback.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    # A scheduler's request to stop is a user's Ctrl-C.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    app()


def _interrupt(_: int, __: FrameType | None) -> NoReturn:
    sys.stderr.write("interrupted: run the same command again to go on\n")
    raise KeyboardInterrupt
