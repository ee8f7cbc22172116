"""``noisegen profile show``: what a noise profile knows, in words."""

from __future__ import annotations

import sys
import textwrap
from dataclasses import asdict
from typing import Any

from noisegen.cli.commands import Show
from noisegen.cli.output import Output, check_file
from noisegen.cli.profile_words import quality_words, sigmas
from noisegen.errors import UsageError
from noisegen.model.weights import find_weights, licence_of
from noisegen.noise.intensities import EVEN, level_at, shown_at
from noisegen.profiles.profile import NoiseProfile
from noisegen.synthesis.levels import profile_words

CHART_WIDTH = 40
"""Characters of the longest bar: a line stays below 80 columns."""

CLEAN = {
    "paired": "the references came with their clean",
    "burst": "shots of one still scene, their mean is the clean",
    "estimated": "the clean was ESTIMATED from the noisy references",
    "blend": "a mix of other profiles",
    "drawn": "no reference, a simulated camera",
}
"""Where a profile's clean is from, by its kind."""


def show(asked: Show, output: Output) -> None:
    """Prints a profile, and draws it where that is asked for."""
    profile = NoiseProfile.load(asked.file)
    find_weights(asked.weights)
    values = summary(profile)
    if asked.plot is not None:
        # It draws: matplotlib is slow to import.
        from noisegen.cli.profile_plot import write_plot

        check_file(asked.plot, asked.overwrite, "--plot")
        write_plot(asked, asked.plot)
        values["plot"] = str(asked.plot)
    elif asked.ref is not None or asked.ref_clean is not None:
        raise UsageError("--ref and --ref-clean belong to --plot; name a PNG for it")
    output.result("\n".join(_lines(profile)), values)
    if asked.plot is not None:
        output.note(f"wrote {asked.plot}")


def summary(profile: NoiseProfile) -> dict[str, Any]:
    """What a profile knows, as JSON values."""
    middle = profile.autocorrelation.shape[-1] // 2
    near = slice(middle + 1, middle + 5)
    as_they_are = ("kind", "follows_content", "pixels", "channels", "gray", "dtype", "white_level",
                   "white_level_given", "name", "weights_sha256", "sha256")  # fmt: skip
    rounded = {
        "sigma": profile.sigma,
        "nodes": profile.measured.nodes,
        "level_curve": profile.level_curve,
        "coverage": profile.coverage,
        "correlation_across": profile.autocorrelation[:, middle, near],
        "correlation_down": profile.autocorrelation[:, near, middle],
        "colour_correlation": profile.colour_correlation,
    }
    return {
        **{name: getattr(profile, name) for name in as_they_are},
        **{name: list(getattr(profile, name)) for name in ("references", "repairs", "warnings")},
        "licence": licence_of(profile.weights_sha256),
        "quality": asdict(profile.quality) if profile.quality else None,
        "overall": profile.quality.overall if profile.quality else None,
        **{name: values.astype(float).round(7).tolist() for name, values in rounded.items()},
    }


def _lines(profile: NoiseProfile) -> list[str]:
    of_white = " / ".join(f"{sigma * profile.white_level:.4g}" for sigma in profile.sigma)
    other_unit = f" ({of_white} of {profile.white_level:g})" if profile.white_level != 255 else ""
    kind = "gray saved as RGB" if profile.gray else "RGB" if profile.channels == 3 else "gray"
    network = "on: noise that was left out is likelier with it"
    network = network if profile.follows_content else "off"
    tried = ["not tried on references"]
    if profile.quality is not None:
        first, *rest = quality_words(profile.quality)
        tried = [f"{profile.quality.overall}: {first}", *rest]
    references, more = profile.references, len(profile.references) - 1
    return [
        f"{profile.name}: {len(references)} reference(s), "
        f"{profile.pixels / 1e6:.2f} Mpx, {kind} {profile.dtype}",
        *(f"  references   {name}{f', and {more} more' * bool(more)}" for name in references[:1]),
        f"  kind         {profile.kind}: {CLEAN.get(profile.kind, '')}",
        f"  white level  {profile_words(profile)}",
        f"  σ            {sigmas(profile)} of 255{other_unit}",
        *(f"  repaired     {repair}" for repair in profile.repairs),
        *(f"  warning      {warning}" for warning in profile.warnings),
        *(f"  {'' if i else 'quality':13}{text}" for i, text in enumerate(tried)),
        f"  network      {network}",
        *_wrapped(f"  licence      pictures: {licence_of(profile.weights_sha256)}"),
        "",
        *_chart(profile),
        "",
        *_correlation_lines(profile),
    ]


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, 80, subsequent_indent=" " * 15, break_long_words=False)


def _chart(profile: NoiseProfile) -> list[str]:
    """σ at even intensities: a bar each, averaged over channels; what no channel shows is pale."""
    level = 255 * level_at(profile.measured, EVEN).mean(0)
    seen = shown_at(profile.measured, EVEN).max(axis=0, initial=False)
    highest = max(float(level.max()), 1e-6)
    full, pale = _bars()
    lines = [f"  intensity  σ, both of 255 ({pale} not shown by the references: held)"]
    for intensity, sigma, shown in zip(EVEN, level, seen, strict=True):
        bar = (full if shown else pale) * round(CHART_WIDTH * float(sigma) / highest)
        lines.append(f"  {255 * intensity:9.0f}  {sigma:6.2f} {bar}")
    return lines


def _bars() -> tuple[str, str]:
    """What bars are drawn with, as far as the terminal can show it."""
    try:
        "█░".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return "#", "."
    return "█", "░"


def _correlation_lines(profile: NoiseProfile) -> list[str]:
    values = summary(profile)
    names = ("R", "G", "B") if profile.channels == 3 else ("gray",)
    lines = ["  correlation at a distance of 1, 2, 3, 4 px"]
    for way in ("across", "down"):
        for name, row in zip(names, values[f"correlation_{way}"], strict=True):
            lines.append(f"  {way:7}{name:5}" + "".join(f"{value:8.3f}" for value in row))
    if len(names) == 3:
        matrix = values["colour_correlation"]
        pairs = ((0, 1), (0, 2), (1, 2))
        shown = "   ".join(f"{names[a]}–{names[b]} {matrix[a][b]:.3f}" for a, b in pairs)
        lines.append(f"  colour correlation   {shown}")
    return lines
