"""``noisegen synth``: references and clean images in, matched pairs out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from noisegen.cli import options
from noisegen.cli.blend import parse_mix
from noisegen.cli.output import PARTLY, Output, user_errors
from noisegen.cli.references import (
    Gathered,
    gather_references,
    load_profiles,
    note_how_made,
    note_white_level,
)
from noisegen.errors import UsageError

if TYPE_CHECKING:
    from noisegen.model.weights import Weights
    from noisegen.references.profile import NoiseProfile
    from noisegen.synthesis.plan import SynthesisOptions
    from noisegen.synthesis.survey import Survey
    from noisegen.synthesis.synthesizer import Synthesizer


@user_errors
def synth(
    clean: Annotated[Path, typer.Option(help="Clean image, or a folder of them.")],
    out: Annotated[Path, typer.Option(help="Folder for the dataset.")],
    ref: options.Refs = None,
    ref_clean: options.RefCleans = None,
    ref_burst: options.RefBursts = None,
    no_repair: options.NoRepair = False,
    tune: options.Tune = 0,
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
    weights: options.Weights = "base",
    device: options.Device = "auto",
    tile: Annotated[
        int, typer.Option(min=1, help="Side of what is prepared at once; never changes a pixel.")
    ] = 1024,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")
    ] = False,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write noisy/clean pairs whose noise is that of the references' camera."""
    from noisegen.model.device import select_device
    from noisegen.model.weights import load_weights
    from noisegen.references.blend import blend as mixed
    from noisegen.synthesis.folder import check_inputs, check_output
    from noisegen.synthesis.plan import SynthesisOptions, find_cleans
    from noisegen.synthesis.recipe import named_apart
    from noisegen.synthesis.survey import survey
    from noisegen.synthesis.synthesizer import Synthesizer

    output = Output(json, quiet)
    extras = {"--ref-clean": ref_clean, "--no-repair": no_repair, "--tune": tune}
    _refuse_contradictions(bool(ref or ref_burst), extras, profile, blend)
    mix = parse_mix(blend) if blend is not None else None
    if patch is None and per_image != 1:
        raise UsageError("--per-image counts crops; add --patch")
    factors = parse_strength(strength)
    chosen = SynthesisOptions(seed, variants, factors, patch, per_image, white_level)
    check_output(out, overwrite)
    files = find_cleans(clean, out)
    saved = mix.files if mix else profile
    gathered = None if saved else gather_references(ref, ref_clean, ref_burst, output)
    shots = gathered.files if gathered else []
    check_inputs(out, [*(file.path for file in files), *shots, *(saved or [])])
    synthesizer = Synthesizer(load_weights(weights), select_device(device), tile)
    if gathered:
        made = _made_profile(
            gathered, synthesizer.weights, white_level, not no_repair, tune, output
        )
        profiles = named_apart([made])
    else:
        loaded = load_profiles(saved or [], synthesizer.weights)
        profiles = named_apart([mixed(loaded, mix.shares, mix.name)] if mix else loaded)
    surveyed = survey(files, profiles, chosen)
    _note_passed_over(clean, out, output)
    if dry_run:
        _report_plan(output, surveyed, profiles, synthesizer, chosen, out)
        return
    _run(output, surveyed, profiles, synthesizer, chosen, out)


def _refuse_contradictions(
    references: bool, extras: dict[str, Any], profile: Sequence[Path] | None, mix: str | None
) -> None:
    if references + bool(profile) + (mix is not None) != 1:
        raise UsageError(
            "give one of --ref (noisy shots), --ref-burst (a burst), --profile (a saved noise "
            "profile) and --blend (a mix of them)"
        )
    given = [option for option, value in extras.items() if value]
    if given and not references:
        raise UsageError(f"{given[0]} belongs to --ref; a profile already holds its noise")


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


def _made_profile(
    gathered: Gathered,
    weights: Weights,
    white_level: float | None,
    repair: bool,
    tune_seconds: float,
    output: Output,
) -> NoiseProfile:
    """The profile of references."""
    from noisegen.fitting.groups import fitted_groups
    from noisegen.references.burst import Burst

    channels = gathered.read()
    if len(channels) > 1:
        raise UsageError(
            f"{gathered.files[0]}: has {len(channels)} channels ({', '.join(channels)}); make a "
            "profile of each with noisegen profile create, then name one with --profile"
        )
    (references,) = channels.values()
    first = references[0]
    pixels = first.shots[0] if isinstance(first, Burst) else first.noisy
    (fitted,) = fitted_groups(
        references,
        weights,
        name=gathered.name,
        white_level=white_level if pixels.dtype.itemsize > 1 else None,
        repair=repair,
        tune_seconds=tune_seconds,
    )
    made = fitted.profile
    if white_level is None:
        note_white_level(made.dtype, made.white_level, output)
    note_how_made(fitted, tune_seconds, output)
    if made.kind == "estimated":
        output.note("the references came without their clean: it was estimated")
    return made


def _note_passed_over(clean: Path, out: Path, output: Output) -> None:
    from noisegen.synthesis.plan import passed_over

    others = passed_over(clean, out) if clean.is_dir() else {}
    if others:
        counts = ", ".join(f"{count} {ending or 'without'}" for ending, count in others.items())
        output.note(f"passed over files with endings that are no picture's here: {counts}")


def _report_plan(
    output: Output,
    surveyed: Survey,
    profiles: Sequence[NoiseProfile],
    synthesizer: Synthesizer,
    chosen: SynthesisOptions,
    out: Path,
) -> None:
    from noisegen.synthesis.estimate import estimate

    plan = estimate(surveyed.headers, profiles, synthesizer, chosen)
    images = len(surveyed.files)
    for reason in surveyed.skipped:
        output.warn(f"would skip {reason}")
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
            "skipped": list(surveyed.skipped),
        },
    )
    if surveyed.skipped:
        raise typer.Exit(PARTLY)


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _run(
    output: Output,
    surveyed: Survey,
    profiles: Sequence[NoiseProfile],
    synthesizer: Synthesizer,
    chosen: SynthesisOptions,
    out: Path,
) -> None:
    from noisegen.synthesis.dataset import write_dataset

    pairs, pixels = 0, 0
    skipped = list(surveyed.skipped)
    files = surveyed.files
    with output.progress(len(files) * chosen.variants) as advance:
        for done in write_dataset(files, profiles, synthesizer, chosen, out):
            pairs, pixels = pairs + done.pairs, pixels + done.pixels
            advance(1 if done.skipped is None else chosen.variants, done.pixels)
            # Each variant of a file may fail for the one reason.
            if done.skipped is not None and done.skipped not in skipped:
                skipped.append(done.skipped)
    for reason in skipped:
        output.warn(f"skipped {reason}")
    data: dict[str, Any] = {
        "out": str(out),
        "pairs": pairs,
        "megapixels": pixels / 1e6,
        "profiles": [profile.name for profile in profiles],
        "warnings": [warning for profile in profiles for warning in profile.warnings],
        "skipped": skipped,
    }
    left = f", skipped {len(skipped)} images" if skipped else ""
    output.result(f"wrote {pairs} pairs ({pixels / 1e6:.1f} Mpx) to {out}/{left}", data)
    if skipped:
        raise typer.Exit(PARTLY)
