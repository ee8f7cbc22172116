"""``noisegen verify``: is a dataset what its manifest says?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from noisegen.cli import options
from noisegen.cli.output import Output, user_errors

if TYPE_CHECKING:
    from noisegen.dataset.verify import Fault


@user_errors
def verify(
    out: Annotated[Path, typer.Argument(help="A dataset's folder.")],
    fast: Annotated[
        bool, typer.Option("--fast", help="By the files' sizes; else by the hash of the pixels.")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, help="Pictures read at once.")] = 2,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Check every pair against the manifest: missing, altered or extra files exit with 1."""
    from noisegen.dataset.verify import read_manifest
    from noisegen.dataset.verify import verify as check

    output = Output(json, quiet)
    _, lines = read_manifest(out)
    faults: list[Fault] = []
    with output.progress(len(lines)) as advance:
        for checked in check(out, fast, workers):
            faults += checked.faults
            advance(1 if checked.pixels else 0, checked.pixels)
    for fault in faults:
        output.warn(f"{out}/{fault}")
    how = "by size" if fast else "by pixels"
    count = f"{len(faults)} fault{'s' if len(faults) > 1 else ''}"
    words = count if faults else "all as the manifest says"
    data = {
        "out": str(out),
        "pairs": len(lines),
        "faults": [{"file": fault.file, "reason": fault.reason} for fault in faults],
    }
    output.result(f"{out}: {len(lines)} pairs checked {how}, {words}", data)
    if faults:
        raise typer.Exit(1)
