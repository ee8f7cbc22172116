"""The ``noisegen`` command. Commands import torch when they run, not before."""

from __future__ import annotations

import signal
import sys
from io import TextIOWrapper
from types import FrameType
from typing import Annotated, NoReturn

import typer

import noisegen
from noisegen.cli import commands as make
from noisegen.cli import score_commands as judge
from noisegen.cli import train_commands as train
from noisegen.cli.options import add_command

app = typer.Typer(
    name="noisegen",
    help="Give clean images the noise of your camera.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
profile_app = typer.Typer(help="Noise profiles: make one, look at one.", no_args_is_help=True)
train_app = typer.Typer(invoke_without_command=True)

add_command(app, "synth", make.Synth, "dataset:synth")
add_command(app, "merge", make.Merge, "dataset:merge")
add_command(app, "export", make.Export, "dataset:export")
add_command(app, "verify", make.Verify, "dataset:verify")
add_command(app, "regenerate", make.Regenerate, "dataset:regenerate")
add_command(app, "evaluate", judge.Evaluate, "evaluate:evaluate")
add_command(app, "probe", judge.Probe, "probe:probe")
add_command(app, "report", make.Report, "report:report")
add_command(app, "study", judge.Study, "study:study")
add_command(app, "benchmark", judge.Benchmark, "benchmark:benchmark")
add_command(profile_app, "create", make.Create, "profile:create")
add_command(profile_app, "draw", make.Draw, "profile:draw")
add_command(profile_app, "show", make.Show, "profile_show:show")
add_command(profile_app, "blend", make.Blend, "profile:blend")
add_command(profile_app, "sweep", make.Sweep, "profile:sweep")
add_command(train_app, "", train.Train, "train:train")
add_command(train_app, "pack", train.PackPictures, "train_network:pack")
add_command(train_app, "denoiser", train.TrainDenoiser, "train_network:denoiser")
add_command(train_app, "content", train.TrainContent, "train_network:content")
add_command(train_app, "prepare", train.Prepare, "train:prepare")
add_command(train_app, "ablation", train.Ablation, "train:ablation")
add_command(train_app, "prior", train.Prior, "train:prior")
add_command(train_app, "contact-sheet", train.ContactSheet, "train:contact_sheet")
app.add_typer(profile_app, name="profile")
app.add_typer(train_app, name="train")


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
    sys.stderr.write("interrupted: run the same command again\n")
    raise KeyboardInterrupt
