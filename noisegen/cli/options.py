"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from noisegen.dataset.plan import EngineName

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors and warnings only.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Weights = Annotated[str, typer.Option(help="Shipped weights by name, or a .safetensors file.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
WhiteLevel = Annotated[
    float | None,
    typer.Option(
        help="The count that is white in the camera's files of more than 8 bits, as 4095 for 12 "
        "bits in 16. References and cleans of one type share it."
    ),
]
Refs = Annotated[
    list[str] | None,
    typer.Option(
        "--ref",
        help="Noisy shots of the camera: a file or stack, a folder or a quoted glob; repeatable.",
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
        help="Shots of one still scene, two or more in a folder or a stack, instead of --ref; "
        "repeatable.",
    ),
]
NoRepair = Annotated[
    bool,
    typer.Option(
        "--no-repair",
        help="Take pairs and bursts as they are: no shift, brightness or drift is undone.",
    ),
]
Real = Annotated[
    str | None,
    typer.Option(
        "--real",
        metavar="DIR",
        help="Real pairs: a folder with noisy/ and clean/ or metadata.jsonl, or NOISY:CLEAN.",
    ),
]
Synth = Annotated[
    str | None,
    typer.Option(
        "--synth",
        metavar="DIR",
        help="Synthetic pairs, the same way: instead of --split, compare them with --real.",
    ),
]
RefProfile = Annotated[
    list[Path] | None,
    typer.Option("--profile", help="A saved noise profile instead of --ref, for the baselines."),
]
Klds = Annotated[
    list[str] | None,
    typer.Option(
        "--kld",
        metavar="NAME",
        help="Also the KL divergence of another paper's code (see above); repeatable.",
    ),
]
Csv = Annotated[
    Path | None,
    typer.Option("--csv", help="Folder for scores.csv and intensity.csv, made if need be."),
]
DataFolder = Annotated[
    Path, typer.Option("--data", envvar="NOISEGEN_DATA", help="Folder of the real data.")
]
Engine = Annotated[
    EngineName,
    typer.Option(help="Threads of this process, or actors of a Ray cluster; changes no pixel."),
]
Address = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Head of the Ray cluster, or auto; --engine ray starts one here if left out.",
    ),
]
