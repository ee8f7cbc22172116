"""Options of the commands that make or show datasets and profiles; each docstring is its help."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from noisegen.cli.options import Overwrite, ShownClean, Weights
from noisegen.dataset.noise_options import NoiseOptions, ReferenceOptions
from noisegen.dataset.plan import DatasetOptions, Layout, MachineOptions, RunOptions, WhiteLevel

Named = Annotated[str | None, "Its name; the file's stem if left out."]


@dataclass(frozen=True, kw_only=True)
class Synth:
    """Write noisy/clean pairs whose noise is that of the references' camera."""

    clean: Annotated[Path, "Clean image, a folder of them, or a quoted pattern."]
    out: Annotated[Path, "Folder for the dataset; one begun there goes on."]
    noise: NoiseOptions
    dataset: DatasetOptions
    run: RunOptions
    weights: Weights = "base"
    dry_run: Annotated[bool, "Say what would be done; write nothing."] = False


@dataclass(frozen=True)
class Merge:
    """Join the manifests of synth --shard, once none is missing or there twice."""

    out: Annotated[Path, typer.Argument(help="The folder that every synth --shard K/N wrote into.")]


@dataclass(frozen=True)
class Export:
    """Pack a dataset in place, as synth --layout does; its folders go when that is done."""

    out: Annotated[Path, typer.Argument(help="The folder of a finished dataset.")]
    layout: Annotated[
        Layout,
        "How its pairs are to lie on the disk: the files of webdataset and lmdb replace noisy/ and "
        "clean/.",
    ]


@dataclass(frozen=True)
class Verify:
    """Check every pair against the manifest: missing, altered or extra files exit with 1."""

    out: Annotated[Path, typer.Argument(help="A dataset's folder.")]
    fast: Annotated[bool, "By the files' sizes; else by the hash of the pixels."] = False
    workers: Annotated[int, "Pictures read at once.", {"min": 1}] = 2


@dataclass(frozen=True, kw_only=True)
class Regenerate:
    """Make a dataset again and compare it with its manifest, if that is beside the recipe."""

    recipe: Annotated[
        Path, typer.Argument(help="A dataset's noisegen.json, with profiles/ beside it.")
    ]
    clean: Annotated[Path, "The clean images that it was made of."]
    out: Annotated[Path, "Folder for the dataset; one begun there goes on."]
    weights: Annotated[str | None, "The weights' file, where they are none of the shipped."] = None
    machine: MachineOptions


@dataclass(frozen=True, kw_only=True)
class Create:
    """Make a noise profile from noisy shots of one camera and setting.

    Files of several channels make a profile each: OUT-CHANNEL.safetensors. References of several
    settings are warned of, or with --split make a profile each: OUT-1.safetensors and so on.
    """

    out: Annotated[Path, "The profile, a .safetensors file."]
    references: ReferenceOptions
    split: Annotated[
        bool,
        "A profile for each group of references that belong together, if they are of several "
        "settings: OUT-1, OUT-2 and so on, by their first reference.",
    ] = False
    name: Named = None
    white_level: WhiteLevel = None
    weights: Weights = "base"
    overwrite: Overwrite = False


@dataclass(frozen=True, kw_only=True)
class Draw:
    """Make the noise profile of a simulated camera, drawn by kind and ISO: no reference is needed.

    The same kind, ISO and seed draw the same camera; a profile's last bits are the machine's.
    """

    kind: Annotated[str, "phone, compact, dslr, mirrorless, microscope or industrial."]
    iso: Annotated[float, "Of its pictures; of the last two kinds, 100 times the gain."]
    out: Annotated[Path, "The profile, a .safetensors file; with --count a folder for them."]
    seed: Annotated[int, "Decides the camera.", {"min": 0}] = 0
    count: Annotated[int, "Cameras, of this seed and those after it.", {"min": 1}] = 1
    gray: Annotated[bool, "For gray pictures; else as is usual for the kind."] = False
    weights: Weights = "base"
    overwrite: Overwrite = False


@dataclass(frozen=True)
class Show:
    """Print what a noise profile knows, and plot it."""

    file: Annotated[Path, typer.Argument(help="A noise profile.")]
    plot: Annotated[Path | None, "A PNG: generated noise beside what was measured."] = None
    ref: Annotated[Path | None, "With --plot: a reference to show, best one of its own."] = None
    ref_clean: ShownClean = None
    weights: Weights = "base"
    overwrite: Overwrite = False


@dataclass(frozen=True)
class Blend:
    """Mix noise profiles: a camera between them, by variance, grain and marginal."""

    mix: Annotated[str, typer.Argument(help="FILE:SHARE,FILE:SHARE,… of noise profiles.")]
    out: Annotated[Path, "The mix, a .safetensors file."]
    name: Named = None
    overwrite: Overwrite = False


@dataclass(frozen=True)
class Sweep:
    """Make profiles from one setting of a camera to another, their σ in equal ratios."""

    low: Annotated[Path, typer.Argument(help="Profile of one setting, as of a low ISO.")]
    high: Annotated[Path, typer.Argument(help="Profile of another, as of a high ISO.")]
    out: Annotated[Path, "Folder for the profiles."]
    steps: Annotated[int, "Profiles, both ends included.", {"min": 2}] = 5
    overwrite: Overwrite = False


@dataclass(frozen=True)
class Report:
    """Show a dataset or a profile on one page: crops, curves, scores, recipe, skipped files.

    The page is one file that loads nothing and opens anywhere. Charts of a dataset are of up to 24
    pairs a profile and of 24 real ones.
    """

    what: Annotated[Path, typer.Argument(help="A dataset's folder, or a noise profile.")]
    out: Annotated[Path, "The page, an .html file."]
    real: Annotated[
        str | None,
        "Of a dataset: real pairs to stand beside and to be scored against, a folder with noisy/ "
        "and clean/ or metadata.jsonl, or NOISY:CLEAN.",
        {"metavar": "DIR"},
    ] = None
    ref: Annotated[Path | None, "Of a profile: a reference to show, best one of its own."] = None
    ref_clean: ShownClean = None
    plots: Annotated[Path | None, "Folder for the charts as PNG too, made if need be."] = None
    weights: Weights = "base"
    overwrite: Overwrite = False
