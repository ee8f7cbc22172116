"""``noisegen synth``: references and clean images in, matched pairs out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from noisegen.cli import options
from noisegen.cli.engine import Address, EngineName, EngineOption, EngineOptions
from noisegen.cli.noise import NoiseOptions, find_noise
from noisegen.cli.output import PARTLY, Output, user_errors
from noisegen.cli.run import described, note_levels, write
from noisegen.dataset.plan import Layout, Skipped, SynthesisOptions
from noisegen.errors import UsageError

if TYPE_CHECKING:
    from noisegen.dataset.survey import Survey
    from noisegen.references.profile import NoiseProfile
    from noisegen.synthesis.synthesizer import Synthesizer


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
    ] = SynthesisOptions.compression,
    shard: Annotated[
        str, typer.Option(metavar="K/N", help="Make part K of N; then noisegen merge OUT.")
    ] = "1/1",
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Images in hand at once, in each actor; as many as threads, and one more."
        ),
    ] = None,
    engine: EngineOption = EngineName.THREADS,
    address: Address = None,
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
    from noisegen.dataset.cleans import find_cleans
    from noisegen.dataset.folder import Folder, check_inputs, check_output
    from noisegen.dataset.recipe import make_recipe, read_recipe
    from noisegen.dataset.run import Run, check_recipe
    from noisegen.dataset.shard import parse_shard
    from noisegen.dataset.survey import UnusableError, survey
    from noisegen.model.weights import load_weights

    output = Output(json, quiet)
    made_by = EngineOptions(engine, address, workers, device, tile)
    made_by.check()
    noise = find_noise(
        NoiseOptions(
            ref, ref_clean, ref_burst, no_repair, profile, blend, white_level
        ),
        output,
    )  # fmt: skip
    if patch is None and per_image != 1:
        raise UsageError("--per-image counts crops; add --patch")
    chosen = SynthesisOptions(
        seed, variants, parse_strength(strength), patch, per_image, white_level, layout, compression
    )
    folder = Folder(out, parse_shard(shard))
    if overwrite and not folder.shard.whole:
        raise UsageError("--overwrite with --shard would take other shards away; remove the folder")
    there = None
    if check_output(out) and not overwrite:
        there = (read_recipe(folder.recipe), out)
    cleans = find_cleans(clean, out)
    check_inputs(out, [file.path for file in cleans.files])
    if overwrite:
        check_inputs(out, noise.files)
    loaded = load_weights(weights)
    kind = made_by.device_kind()
    request = noise.request(loaded)
    profiles = noise.profiles(loaded, request, there, output)
    recipe = make_recipe(chosen, profiles, loaded, kind, request)
    if there:
        check_recipe(recipe, folder)
        _note_other_machine(recipe.other_machine(there[0]), output)
    surveyed = survey(cleans.files, profiles, chosen)
    skipped = [*cleans.skipped, *surveyed.skipped]
    if not surveyed.files:
        raise UnusableError(skipped)
    _note_passed_over(cleans.passed_over, output)
    levels = note_levels(surveyed, profiles, white_level, output)
    if dry_run:
        sample = made_by.sample(loaded)
        _report_plan(output, surveyed, skipped, profiles, sample, chosen, out, levels)
        return
    run = Run(recipe, profiles, surveyed.files, skipped, folder, overwrite, prune)
    written = write(output, run, made_by.engine(run, loaded, weights))
    shown, data = described(run, written)
    output.result(shown, data | levels)
    if written.skipped:
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


def _note_passed_over(others: dict[str, int], output: Output) -> None:
    if others:
        counts = ", ".join(f"{count} {ending or 'without'}" for ending, count in others.items())
        output.note(f"passed over files with endings that are no picture's here: {counts}")


def _note_other_machine(words: list[str], output: Output) -> None:
    if words:
        output.warn(
            f"the dataset was begun elsewhere ({'; '.join(words)}): a few pixels may differ by one "
            "step from those of one machine"
        )


def _report_plan(
    output: Output,
    surveyed: Survey,
    skipped: list[Skipped],
    profiles: list[NoiseProfile],
    synthesizer: Synthesizer,
    chosen: SynthesisOptions,
    out: Path,
    levels: dict[str, list[str]],
) -> None:
    from noisegen.dataset.cost import estimate

    plan = estimate(surveyed.headers, profiles, synthesizer, chosen)
    images = len(surveyed.files)
    for one in skipped:
        output.warn(f"would skip {one}")
    output.result(
        f"would write {plan.pairs} pairs of {images} images ({plan.pixels / 1e6:.1f} Mpx) to "
        f"{out}/: about {_minutes(plan.seconds)} and {plan.megabytes:.0f} MB",
        {
            "dry_run": True,
            "out": str(out),
            "images": images,
            "pairs": plan.pairs,
            "megapixels": plan.pixels / 1e6,
            "seconds": plan.seconds,
            "megabytes": plan.megabytes,
            "skipped": [str(one) for one in skipped],
            **levels,
        },
    )
    if skipped:
        raise typer.Exit(PARTLY)


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
