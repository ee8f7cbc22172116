"""``noisegen evaluate``: weights on validation splits, or any synthetic pairs against real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from noisegen.cli import options
from noisegen.cli.evaluate_folders import FolderOptions, evaluate_folders
from noisegen.cli.evaluate_splits import SplitOptions, evaluate_splits
from noisegen.cli.output import Output, user_errors
from noisegen.errors import UsageError


@user_errors
def evaluate(
    real: options.Real = None,
    synth: options.Synth = None,
    ref: options.Refs = None,
    ref_clean: options.RefCleans = None,
    profile: options.RefProfile = None,
    kld: options.Klds = None,
    csv: options.Csv = None,
    white_level: options.WhiteLevel = None,
    data: options.DataFolder = Path("../shared/data"),
    split: Annotated[
        list[str] | None,
        typer.Option(
            help="polyu-seen, polyu-unseen, polyu-seen-hard, w2s, gaussian, poisson, simulated, "
            "unseen-noise, nam25, s95, micro, instruments; repeatable."
        ),
    ] = None,
    crops: Annotated[
        int, typer.Option(min=1, help="Targets a PolyU scene; fewer for a quick look.")
    ] = 24,
    set_metrics: Annotated[
        bool,
        typer.Option(
            "--set-metrics",
            help="Also MMD, told apart and denoising gap: about a minute a row on one core.",
        ),
    ] = False,
    instrument: Annotated[
        list[str] | None,
        typer.Option(help="With --split instruments, only the one of this name; repeatable."),
    ] = None,
    lone: Annotated[
        bool,
        typer.Option(
            "--lone", help="One shot as the only reference, its clean withheld: it is estimated."
        ),
    ] = False,
    blind: Annotated[bool, typer.Option("--blind", hidden=True)] = False,
    weights: options.Weights = "base",
    device: options.Device = "auto",
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare generated with real noise; ``evaluate_help.py`` has the words for users."""
    output = Output(json, quiet)
    if real is not None or synth is not None:
        if split or lone or blind:
            raise UsageError("--split and --lone do not go with --real and --synth")
        folders = FolderOptions(
            real, synth, ref, ref_clean, profile, kld or [], csv, white_level, set_metrics,
            weights, device,
        )  # fmt: skip
        evaluate_folders(folders, output)
        return
    given = {
        "--ref": ref, "--ref-clean": ref_clean, "--profile": profile, "--kld": kld, "--csv": csv,
        "--white-level": white_level,
    }  # fmt: skip
    for option, value in given.items():
        if value:
            raise UsageError(f"{option} belongs to --real and --synth; name both folders")
    splits = SplitOptions(
        data, split or [], crops, set_metrics, lone or blind, weights, device,
        instrument or [],
    )  # fmt: skip
    evaluate_splits(splits, output)
