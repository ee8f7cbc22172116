"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors and warnings only.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Weights = Annotated[str, typer.Option(help="Shipped weights by name, or a .safetensors file.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
WhiteLevel = Annotated[
    float | None,
    typer.Option(help="White level of 16-bit pictures, as 4095 where they hold 12 bits."),
]
Refs = Annotated[
    list[str] | None,
    typer.Option(
        "--ref", help="Noisy shot of the camera: a file, a folder or a quoted glob; repeatable."
    ),
]
RefCleans = Annotated[
    list[str] | None,
    typer.Option("--ref-clean", help="Clean of each --ref, matched by name; repeatable."),
]
RefBursts = Annotated[
    list[Path] | None,
    typer.Option(
        "--ref-burst",
        help="Folder of two or more shots of one still scene, instead of --ref; repeatable.",
    ),
]
NoRepair = Annotated[
    bool,
    typer.Option(
        "--no-repair",
        help="Take pairs and bursts as they are: no shift, brightness or drift is undone.",
    ),
]
DataFolder = Annotated[
    Path, typer.Option("--data", envvar="NOISEGEN_DATA", help="Folder of the real data.")
]
