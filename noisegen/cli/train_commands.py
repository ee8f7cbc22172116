"""Options of the commands that train; each docstring is its help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from noisegen.cli.options import DataFolder, Device, Overwrite, Seed, Threads

Bank = Annotated[Path, "Folder of the episode bank."]


@dataclass(frozen=True)
class Train:
    """Train weights from a bank, stage by stage; the same command again resumes.

    On several GPUs: torchrun --nproc-per-node N -m -- noisegen train …
    """

    run: Annotated[Path | None, "Folder of checkpoint, logs and weights."] = None
    bank: Bank = Path("bank")
    stages: Annotated[str | None, "Stages, in order, with their steps: sim:2600,base:2600."] = None
    threads: Threads = None
    seed: Seed = 0
    device: Device = "auto"
    dry_run: Annotated[bool, "Print the configuration."] = False


@dataclass(frozen=True)
class Prepare:
    """Pack real pairs and clean pictures into a bank; the same command again goes on.

    Real pairs are cleaned of drift; crops whose residual follows the clean's gradient are left
    out, and counted in BANK/report.json.
    """

    bank: Bank = Path("bank")
    data: Annotated[
        Path | None, "Folder of polyu/, w2s/ and clean/; without it only what is drawn."
    ] = None
    pairs: Annotated[
        Sequence[str], "NOISY:CLEAN, folders of your own 8-bit pairs; a subfolder a setting."
    ] = ()
    drawn: Annotated[
        float, "Factor on the number of simulated and textbook settings.", {"min": 0, "max": 1e4}
    ] = 1.0
    denoiser: Annotated[str, "Weights whose denoiser estimates cleans."] = "sim"
    processes: Annotated[int, "Processes that make shards.", {"min": 1}] = 1
    threads: Threads = None
    seed: Seed = 0


@dataclass(frozen=True)
class PackPictures:
    """Pack photographs and real pairs for the training of single networks."""

    data: Annotated[Path, "Folder of polyu/, w2s/ and clean/."]
    out: Annotated[Path, "File to write, under 50 MB."]
    without: Annotated[
        Sequence[str],
        "A brand that is left out, as the names of PolyU's scenes begin; repeatable.",
        {"metavar": "NAME"},
    ] = ()
    seed: Seed = 0
    overwrite: Overwrite = False


@dataclass(frozen=True, kw_only=True)
class OneNetwork:
    """Train one network, the others kept."""

    run: Annotated[Path, "Folder of checkpoint and weights."]
    start: Annotated[str, "Weights whose other networks are kept: base, sim or a file."]
    pack: Annotated[
        Path | None, "File of `train pack`; without it only what binds nobody is trained on."
    ] = None
    onward: Annotated[
        str | None, "Weights whose network of this kind the training begins with; anew without."
    ] = None
    steps: Annotated[int, "Steps of the whole training.", {"min": 1}] = 8000
    rate: Annotated[float, "Peak learning rate.", {"min": 1e-6}] = 1e-3
    minutes: Annotated[float, "Minutes after which the training ends.", {"min": 0.1}] = 600.0
    pictures: Annotated[int, "Procedural pictures.", {"min": 2}] = 240
    threads: Threads = None
    seed: Seed = 0
    device: Device = "auto"


@dataclass(frozen=True, kw_only=True)
class TrainDenoiser(OneNetwork):
    """Train the denoiser of references without a clean; the same command again resumes."""

    crops: Annotated[int, "Crops in a batch.", {"min": 2}] = 64


@dataclass(frozen=True, kw_only=True)
class TrainContent(OneNetwork):
    """Train the network of what noise follows in pictures; the same command again resumes."""

    cameras: Annotated[int, "Cameras in a batch.", {"min": 1}] = 16
    rate: Annotated[float, "Peak learning rate.", {"min": 1e-6}] = 2e-3


@dataclass(frozen=True)
class Ablation:
    """Train every row on one small budget and score it on the validation splits."""

    run: Annotated[Path, "Folder of the rows' runs and of the table."]
    bank: Bank = Path("bank")
    data: DataFolder = Path("../shared/data")
    rows: Annotated[str | None, "Only rows whose names hold one of these, comma-separated."] = None
    sizes: Annotated[bool, "Three sizes of the network instead."] = False
    steps: Annotated[int, "Steps of every row.", {"min": 2}] = 300
    crops: Annotated[int, "Targets a PolyU scene.", {"min": 1}] = 4
    threads: Threads = None
    seed: Seed = 0
    device: Device = "auto"


@dataclass(frozen=True)
class Prior:
    """Draw the cameras that profiles are completed by where references show nothing.

    A few minutes for every thousand cameras on one core; a few seconds on a GPU.
    """

    out: Annotated[Path, "File of drawn cameras to write."]
    cameras: Annotated[int, "Simulated colour cameras.", {"min": 100}] = 3200
    sensors: Annotated[int, "Gray sensors.", {"min": 100}] = 1500
    followed: Annotated[int, "Simulated cameras that are seen on content.", {"min": 32}] = 320
    processes: Annotated[int, "Processes that draw, one thread each.", {"min": 1}] = 1
    seed: Seed = 0
    device: Device = "auto"
    overwrite: Overwrite = False


@dataclass(frozen=True)
class ContactSheet:
    """Draw a sheet of simulated cameras."""

    out: Annotated[Path, "PNG to write."]
    clean: Annotated[Sequence[str], "Clean pictures, 256² or more."]
    columns: Annotated[int, "Cameras side by side.", {"min": 1}] = 4
    rows: Annotated[int, "Rows of cameras.", {"min": 1}] = 3
    seed: Seed = 0
    overwrite: Overwrite = False
