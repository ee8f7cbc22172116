"""``noisegen merge``: the shards of a dataset become one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from noisegen.cli import options
from noisegen.cli.output import Output, user_errors


@user_errors
def merge(
    out: Annotated[
        Path, typer.Argument(help="The folder that every synth --shard K/N wrote into.")
    ],
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Join the manifests of synth --shard, once none is missing or there twice."""
    from noisegen.dataset.merge import merge_shards

    pairs = merge_shards(out)
    Output(json, quiet).result(f"{out}: {pairs} pairs", {"out": str(out), "pairs": pairs})
