"""``noisegen train``: fills the episode bank, trains, resumes."""

from __future__ import annotations

import logging
import signal
from pathlib import Path
from typing import Annotated

import typer

from noisegen.cli import options
from noisegen.cli.output import Output, user_errors
from noisegen.errors import UsageError

LOG_EVERY = 50


@user_errors
def train(
    run: Annotated[Path, typer.Option(help="Folder of checkpoint, log and weights.")],
    data: options.DataFolder = Path("../shared/data"),
    bank: Annotated[
        Path | None, typer.Option(help="Folder of the episode bank; RUN/bank if left out.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps.")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads.")] = None,
    seed: Annotated[int, typer.Option(help="Of bank, initialisation, batches and fields.")] = 0,
    device: options.Device = "auto",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the configuration.")] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train weights; run the same command again to resume."""
    from dataclasses import asdict, replace
    from pprint import pformat

    import torch

    from noisegen.model.device import select_device
    from noisegen.training.loop import TrainingConfig
    from noisegen.training.loop import train as train_steps
    from noisegen.training.sources import fill_bank

    output = Output(json, quiet)
    config = TrainingConfig(seed=seed)
    config = replace(config, steps=steps or config.steps)
    if dry_run:
        output.result(pformat(asdict(config)), asdict(config))
        return
    if not (data / "polyu").is_dir():
        raise UsageError(f"--data {data}: does not hold the training data (polyu/, w2s/, clean/)")
    if threads is not None:
        torch.set_num_threads(threads)
    logging.basicConfig(level=logging.WARNING if quiet else logging.INFO, format="%(message)s")
    # A job that is told to stop writes its checkpoint first, as on Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = bank or run / "bank"
    fill_bank(data, folder, config.bank, seed)
    last = 0.0
    with output.progress(config.steps) as advance:
        for step, loss in train_steps(config, folder, run, select_device(device)):
            advance(1, 0)
            last = loss
            if step % LOG_EVERY == 0:
                output.note(f"step {step} of {config.steps}: loss {loss:.4f}")
    output.result(
        f"trained {config.steps} steps: {run / 'weights.safetensors'}",
        {"steps": config.steps, "loss": last, "weights": str(run / "weights.safetensors")},
    )
