"""``noisegen export``: a dataset of folders, packed for a loader."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from noisegen.cli import options
from noisegen.cli.output import Output, user_errors
from noisegen.dataset.plan import Layout


@user_errors
def export(
    out: Annotated[Path, typer.Argument(help="The folder of a finished dataset.")],
    layout: Annotated[Layout, typer.Option(help="How its pairs are to lie on the disk.")],
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Pack a dataset in place, as synth --layout does; its folders go when that is done."""
    from noisegen.dataset.export import export_dataset

    pairs = export_dataset(out, layout)
    Output(json, quiet).result(
        f"{out}: {pairs} pairs as {layout.value}",
        {"out": str(out), "pairs": pairs, "layout": layout.value},
    )
