"""``noisegen regenerate``: a dataset again, from its recipe and profiles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from noisegen.cli import options
from noisegen.cli.output import PARTLY, Output, user_errors
from noisegen.cli.run import described, say_levels, write
from noisegen.dataset.plan import EngineName, RunOptions


@user_errors
def regenerate(
    recipe: Annotated[
        Path, typer.Argument(help="A dataset's noisegen.json, with profiles/ beside it.")
    ],
    clean: Annotated[Path, typer.Option(help="The clean images that it was made of.")],
    out: Annotated[Path, typer.Option(help="Folder for the dataset; one begun there goes on.")],
    tolerance: Annotated[
        bool,
        typer.Option(
            "--tolerance",
            help="Accept what another machine or version may differ by: one step of 8 bits on one "
            "sample in a thousand. Needs the former noisy images beside the recipe, in any layout.",
        ),
    ] = False,
    weights: Annotated[
        str | None, typer.Option(help="The weights' file, where they are none of the shipped.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Images in hand at once.")] = None,
    engine: options.Engine = EngineName.THREADS,
    address: options.Address = None,
    device: options.Device = "auto",
    tile: Annotated[int, typer.Option(min=1, help="Side of what is prepared at once.")] = 1024,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Make a dataset again and compare it with its manifest, if that is beside the recipe."""
    from noisegen.dataset.regenerate import plan_again

    output = Output(json, quiet)
    run = RunOptions(engine, address, workers, device, tile)
    again = plan_again(recipe, clean, out, weights, run)
    say_levels(again.plan, output)
    written = write(again.plan, output)
    shown, data = described(again.plan, written)
    if again.manifest is None:
        output.note(f"{recipe.parent} has no metadata.jsonl, so there was nothing to compare with")
        output.result(shown, data)
    else:
        compared = again.compared(tolerance)
        for fault in compared.faults:
            output.warn(f"{out}/{fault}")
        words = f"{len(compared.faults)} differ" if compared.faults else "all equal"
        words += f" ({compared.within} within the tolerance)" if compared.within else ""
        faults = [{"file": fault.file, "reason": fault.reason} for fault in compared.faults]
        compared_data = {"compared": compared.pairs, "within": compared.within, "faults": faults}
        output.result(f"{shown}; {compared.pairs} pairs compared, {words}", data | compared_data)
        if compared.faults:
            raise typer.Exit(1)
    if written.skipped:
        raise typer.Exit(PARTLY)
