"""``noisegen synth``: references and clean images in, matched pairs out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from noisegen.cli import options
from noisegen.cli.noise import NoiseOptions, find_noise
from noisegen.cli.output import PARTLY, Output, user_errors
from noisegen.cli.run import described, level_words, say_what_is_planned, write
from noisegen.dataset.plan import (
    DatasetOptions,
    EngineName,
    Layout,
    RunOptions,
    Skipped,
    parse_shard,
)
from noisegen.errors import UsageError

if TYPE_CHECKING:
    from noisegen.dataset.make import Plan


@user_errors
def synth(
    clean: Annotated[Path, typer.Option(help="Clean image, or a folder of them.")],
    out: Annotated[Path, typer.Option(help="Folder for the dataset; one begun there goes on.")],
    ref: options.Refs = None,
    ref_clean: options.RefCleans = None,
    ref_burst: options.RefBursts = None,
    no_repair: options.NoRepair = False,
    profile: Annotated[
        list[Path] | None,
        typer.Option(help="Saved noise profile instead of --ref; repeatable."),
    ] = None,
    blend: Annotated[
        str | None,
        typer.Option(help="FILE:SHARE,FILE:SHARE,… of saved profiles: their mix instead of --ref."),
    ] = None,
    variants: Annotated[int, typer.Option(help="Noisy versions of each image.")] = 1,
    seed: Annotated[int, typer.Option(help="Decides every pixel of the noise.")] = 0,
    strength: Annotated[
        str, typer.Option(help="Factor on the noise; a range like 0.5:2 is drawn per image.")
    ] = "1.0",
    patch: Annotated[
        int | None, typer.Option(help="Write crops of this side instead of whole images.")
    ] = None,
    per_image: Annotated[int, typer.Option(help="Crops of each image, with --patch.")] = 1,
    white_level: options.WhiteLevel = None,
    layout: Annotated[
        Layout, typer.Option(help="How the pairs lie on the disk; changes no pixel.")
    ] = Layout.FOLDERS,
    compression: Annotated[
        int, typer.Option(help="zlib's level in PNG and TIFF, 0 to 9; changes no pixel.")
    ] = DatasetOptions.compression,
    shard: Annotated[
        str, typer.Option(metavar="K/N", help="Make part K of N; then noisegen merge OUT.")
    ] = "1/1",
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Images in hand at once, in each actor; as many as threads, and one more."
        ),
    ] = None,
    engine: options.Engine = EngineName.THREADS,
    address: options.Address = None,
    weights: options.Weights = "base",
    device: options.Device = "auto",
    tile: Annotated[
        int, typer.Option(min=1, help="Side of what is prepared at once; never changes a pixel.")
    ] = 1024,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")
    ] = False,
    overwrite: options.Overwrite = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Take away pairs whose clean images are gone.")
    ] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write noisy/clean pairs whose noise is that of the references' camera."""
    from noisegen.dataset.make import plan_dataset

    output = Output(json, quiet)
    run = RunOptions(
        engine, address, workers, device, tile, parse_shard(shard), overwrite, prune
    )  # fmt: skip
    wanted = NoiseOptions(
        ref, ref_clean, ref_burst, no_repair, profile, blend, white_level
    )  # fmt: skip
    noise = find_noise(wanted, output)
    chosen = DatasetOptions(
        seed, variants, parse_strength(strength), patch, per_image, white_level, layout, compression
    )
    plan = plan_dataset(clean, out, noise, weights, chosen, run)
    say_what_is_planned(plan, output)
    if dry_run:
        skipped = _report_cost(plan, output)
    else:
        written = write(plan, output)
        skipped = written.skipped
        shown, data = described(plan, written)
        output.result(shown, data | level_words(plan))
    if skipped:
        raise typer.Exit(PARTLY)


def parse_strength(text: str) -> tuple[float, float]:
    """``1.5`` or ``0.5:2`` → lowest and highest factor.

    Raises:
        UsageError: neither.
    """
    low, colon, high = text.partition(":")
    try:
        return float(low), float(high if colon else low)
    except ValueError:
        raise UsageError(f"--strength {text}: give a number, or two as 0.5:2") from None


def _report_cost(plan: Plan, output: Output) -> Sequence[Skipped]:
    """Says what the dataset would cost, and what would be left out."""
    cost, out = plan.cost(), plan.run.folder.root
    images = len(plan.surveyed.files)
    for one in plan.run.skipped:
        output.warn(f"would skip {one}")
    output.result(
        f"would write {cost.pairs} pairs of {images} images ({cost.pixels / 1e6:.1f} Mpx) to "
        f"{out}/: about {_minutes(cost.seconds)} and {cost.megabytes:.0f} MB",
        {
            "dry_run": True,
            "out": str(out),
            "images": images,
            "pairs": cost.pairs,
            "megapixels": cost.pixels / 1e6,
            "seconds": cost.seconds,
            "megabytes": cost.megabytes,
            "skipped": [str(one) for one in plan.run.skipped],
            **level_words(plan),
        },
    )
    return plan.run.skipped


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
