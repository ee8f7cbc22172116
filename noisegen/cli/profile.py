"""``noisegen profile create`` and ``noisegen profile show``."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from noisegen.cli import options
from noisegen.cli.out_files import check_file
from noisegen.cli.output import PARTLY, Output, one_line, user_errors
from noisegen.cli.references import (
    described,
    gather_references,
    note_how_made,
    note_white_level,
)
from noisegen.errors import BadReferenceError, UsageError

if TYPE_CHECKING:
    from rich.console import Group

    from noisegen.profiles.profile import NoiseProfile

app = typer.Typer(help="Noise profiles: make one, look at one.", no_args_is_help=True)

CHART_WIDTH = 40
"""Of the longest bar: a line stays below 80 columns."""


@app.command("create")
@user_errors
def create(
    out: Annotated[Path, typer.Option(help="The profile, a .safetensors file.")],
    ref: options.Refs = None,
    ref_clean: options.RefCleans = None,
    ref_burst: options.RefBursts = None,
    no_repair: options.NoRepair = False,
    split: Annotated[
        bool,
        typer.Option(
            "--split",
            help="A profile for each group of references that belong together, if they are of "
            "several settings: OUT-1, OUT-2 and so on, by their first reference.",
        ),
    ] = False,
    name: Annotated[str | None, typer.Option(help="Its name; the file's stem if left out.")] = None,
    white_level: options.WhiteLevel = None,
    weights: options.Weights = "base",
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Make a noise profile from noisy shots of one camera and setting.

    Files of several channels make a profile each: OUT-CHANNEL.safetensors. References of several
    settings are warned of, or with --split make a profile each: OUT-1.safetensors and so on.
    """
    from noisegen.model.weights import load_weights
    from noisegen.profiles.fit import fit_profiles
    from noisegen.references.check import find_white_level

    output = Output(json, quiet)
    check_file(out, overwrite)
    gathered = gather_references(ref, ref_clean, ref_burst, output)
    channels = gathered.read()
    files = {channel: _file_of(out, channel) for channel in channels}
    most = max(len(references) for references in channels.values()) if split else 1
    possible = [(each, *_numbered(each, most)) for each in files.values()]
    for file in chain.from_iterable(possible):
        check_file(file, overwrite)
        if any(path.resolve() == file.resolve() for path in gathered.files):
            raise UsageError(f"--out {file}: is a reference; name another file")
    loaded = load_weights(weights)
    if white_level is None:
        # Channels of one camera have one white level, however dim some of them are.
        level = find_white_level([r for each in channels.values() for r in each])
    else:
        level = white_level
    profiles, unusable = {}, []
    for channel, references in channels.items():
        whole_name = "-".join(filter(None, (name or out.stem, channel)))
        try:
            groups = fit_profiles(
                references,
                loaded,
                name=whole_name,
                white_level=level,
                repair=not no_repair,
                split=split,
            )
        except BadReferenceError as error:
            unusable.append(error)
            continue
        if split and len(groups) == 1:
            output.note(f"{whole_name}: its references belong together, so they make one profile")
        its_files = _numbered(files[channel], len(groups)) or [files[channel]]
        for file, profile in zip(its_files, groups, strict=True):
            note_how_made(profile, output)
            profiles[file] = replace(profile, white_level_given=white_level is not None)
    if not profiles:
        raise unusable[0]
    note_white_level(next(iter(profiles.values())), output)
    for file, profile in profiles.items():
        profile.save(file)
    for reason in unusable:
        output.warn(f"no profile of a channel: {reason}")
    written = [{"out": str(file), **_summary(profile)} for file, profile in profiles.items()]
    output.result(
        "\n".join(_written(file, profile) for file, profile in profiles.items()),
        written[0] if len(channels) == 1 and not split else {"profiles": written},
    )
    if unusable:
        raise typer.Exit(PARTLY)


def _file_of(out: Path, channel: str) -> Path:
    """The file of a channel's profile: the one named, unless there are several."""
    return out.with_name(f"{out.stem}-{channel}{out.suffix}") if channel else out


def _numbered(file: Path, groups: int) -> list[Path]:
    """The files of a channel's groups; none for a single one, which has the file itself."""
    if groups == 1:
        return []
    return [file.with_name(f"{file.stem}-{number + 1}{file.suffix}") for number in range(groups)]


def _written(file: Path, profile: NoiseProfile) -> str:
    count = len(profile.references)
    what = "shot" if profile.kind == "burst" else "reference"
    return (
        f"wrote {file}: {profile.kind}, {count} {what}{'s' if count > 1 else ''}, "
        f"σ {sigmas(profile)} of 255"
    )


@app.command("show")
@user_errors
def show(
    file: Annotated[Path, typer.Argument(help="A noise profile.")],
    plot: Annotated[
        Path | None, typer.Option(help="A PNG: generated noise beside what was measured.")
    ] = None,
    ref: Annotated[
        Path | None, typer.Option(help="With --plot: a reference to show, best one of its own.")
    ] = None,
    ref_clean: Annotated[Path | None, typer.Option(help="Its clean; else estimated.")] = None,
    weights: options.Weights = "base",
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Print what a noise profile knows, and plot it."""
    from noisegen.cli.profile_plot import write_plot
    from noisegen.profiles.profile import NoiseProfile

    output = Output(json, quiet)
    profile = NoiseProfile.load(file)
    summary = _summary(profile)
    if plot is not None:
        check_file(plot, overwrite, "--plot")
        write_plot(plot, file, ref, ref_clean, weights)
        summary["plot"] = str(plot)
    elif ref is not None or ref_clean is not None:
        raise UsageError("--ref belongs to --plot; name a PNG for it")
    output.result(_description(profile), summary)
    if plot is not None:
        output.note(f"wrote {plot}")


def sigmas(profile: NoiseProfile) -> str:
    """A channel each, in steps of 8 bits."""
    return " / ".join(f"{255 * sigma:.2f}" for sigma in profile.sigma)


def _summary(profile: NoiseProfile) -> dict[str, Any]:
    middle = profile.autocorrelation.shape[-1] // 2
    across = profile.autocorrelation[:, middle, middle + 1 : middle + 5]
    down = profile.autocorrelation[:, middle + 1 : middle + 5, middle]
    return {
        "name": profile.name,
        "kind": profile.kind,
        "references": list(profile.references),
        "repairs": list(profile.repairs),
        "warnings": list(profile.warnings),
        "quality": asdict(profile.quality) if profile.quality else None,
        "overall": profile.quality.overall if profile.quality else None,
        "follows_content": profile.follows_content,
        "pixels": profile.pixels,
        "channels": profile.channels,
        "gray": profile.gray,
        "dtype": profile.dtype,
        "white_level": profile.white_level,
        "white_level_given": profile.white_level_given,
        "sigma": _rounded(profile.sigma),
        "nodes": _rounded(profile.measured.nodes),
        "level_curve": _rounded(profile.level_curve),
        "coverage": _rounded(profile.coverage),
        "correlation_across": _rounded(across),
        "correlation_down": _rounded(down),
        "colour_correlation": _rounded(profile.colour_correlation),
        "weights_sha256": profile.weights_sha256,
        "sha256": profile.sha256,
    }


def _rounded(values: Any) -> Any:  # noqa: ANN401
    return values.astype(float).round(7).tolist()


def _description(profile: NoiseProfile) -> Group:
    from rich.console import Group

    from noisegen.synthesis.levels import profile_words

    summary = _summary(profile)
    clean = {
        "paired": "the references came with their clean",
        "burst": "shots of one still scene, their mean is the clean",
        "estimated": "the clean was ESTIMATED from the noisy references",
        "blend": "a mix of other profiles",
    }
    of_white = " / ".join(f"{sigma * profile.white_level:.4g}" for sigma in profile.sigma)
    other_unit = f" ({of_white} of {profile.white_level:g})" if profile.white_level != 255 else ""
    kind = "gray saved as RGB" if profile.gray else "RGB" if profile.channels == 3 else "gray"
    lines = [
        f"{one_line(profile.name)}: {len(profile.references)} reference(s), "
        f"{profile.pixels / 1e6:.2f} Mpx, {kind} {profile.dtype}",
        f"  kind         {profile.kind}: {clean.get(profile.kind, '')}",
        f"  white level  {profile_words(profile)}",
        f"  σ            {sigmas(profile)} of 255{other_unit}",
        *(f"  repaired     {one_line(repair)}" for repair in profile.repairs),
        *(f"  warning      {one_line(warning)}" for warning in profile.warnings),
        *_quality_lines(profile),
        *_network_lines(profile),
        "",
        *_chart(profile),
        "",
        *_correlation_lines(summary),
    ]
    return Group(*lines)


def _quality_lines(profile: NoiseProfile) -> list[str]:
    """How well its noise came out as the references' when it was tried."""
    if profile.quality is None:
        return ["  quality      not tried on references"]
    first, *rest = described(profile.quality)
    lines = [f"  quality      {profile.quality.overall}: {first}"]
    lines += [f"               {text}" for text in rest]
    return lines


def _network_lines(profile: NoiseProfile) -> list[str]:
    """Whether the content network runs."""
    found = "on: noise that was left out is likelier with it" if profile.follows_content else "off"
    return [f"  network      {found}"]


def _chart(profile: NoiseProfile) -> list[str]:
    """σ at even intensities: a bar each, averaged over channels; what no channel shows is pale."""
    from noisegen.noise.intensities import EVEN, level_at, shown_at

    level = 255 * level_at(profile.measured, EVEN).mean(0)
    seen = shown_at(profile.measured, EVEN).max(axis=0, initial=False)
    highest = max(float(level.max()), 1e-6)
    lines = ["  intensity  σ, both of 255 (░ not shown by the references: held)"]
    for intensity, sigma, shown in zip(EVEN, level, seen, strict=True):
        bar = ("█" if shown else "░") * round(CHART_WIDTH * float(sigma) / highest)
        lines.append(f"  {255 * intensity:9.0f}  {sigma:6.2f} {bar}")
    return lines


def _correlation_lines(summary: dict[str, Any]) -> list[str]:
    names = ("R", "G", "B") if len(summary["sigma"]) == 3 else ("gray",)
    lines = ["  correlation at a distance of 1, 2, 3, 4 px"]
    for way in ("across", "down"):
        for name, values in zip(names, summary[f"correlation_{way}"], strict=True):
            lines.append(f"  {way:7}{name:5}" + "".join(f"{value:8.3f}" for value in values))
    if len(names) == 3:
        matrix = summary["colour_correlation"]
        pairs = ((0, 1), (0, 2), (1, 2))
        shown = "   ".join(f"{names[a]}–{names[b]} {matrix[a][b]:.3f}" for a, b in pairs)
        lines.append(f"  colour correlation   {shown}")
    return lines
