"""``--ref``, ``--ref-clean``, ``--ref-burst`` and ``--profile`` → references and noise profiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from noisegen.cli.output import Output
from noisegen.errors import UsageError

if TYPE_CHECKING:
    from noisegen.profiles.profile import NoiseProfile
    from noisegen.profiles.quality import ProfileQuality
    from noisegen.references.check import Burst, Reference
    from noisegen.references.discover import BurstFiles, Matches


def match_references(refs: Sequence[str], ref_cleans: Sequence[str], output: Output) -> Matches:
    """Files of the references; says so where their cleans had no name to be matched by."""
    from noisegen.references.discover import find_references, matched_by_order

    if not refs:
        raise UsageError("no noisy shots given; add --ref or --ref-burst")
    matches = find_references(refs, ref_cleans)
    if matched_by_order(matches):
        shown = ", ".join(f"{noisy.name} with {clean and clean.name}" for noisy, clean in matches)
        output.note(f"no names match, so references and cleans were matched in order: {shown}")
    return matches


def gather_references(
    refs: Sequence[str] | None,
    ref_cleans: Sequence[str] | None,
    bursts: Sequence[Path] | None,
    output: Output,
) -> Gathered:
    """Files of ``--ref`` and ``--ref-clean``, or of ``--ref-burst``; nothing is read yet.

    Raises:
        UsageError: none, both kinds, or what cannot be found or matched.
    """
    from noisegen.references.discover import find_bursts

    if not bursts:
        return Gathered(match_references(refs or [], ref_cleans or [], output), [])
    if refs or ref_cleans:
        raise UsageError("--ref-burst beside --ref: a burst is its own clean; give one of them")
    return Gathered([], find_bursts(bursts))


@dataclass(frozen=True)
class Gathered:
    """Files of references, found but not read; of one kind.

    Attributes:
        matches: noisy shots, each with its clean or None.
        bursts: the shots of each folder, or a stack of them.
    """

    matches: Matches
    bursts: list[BurstFiles]

    @property
    def files(self) -> list[Path]:
        """All of them."""
        shots = [path for pair in self.matches for path in pair if path is not None]
        return [*shots, *(path for burst in self.bursts for path in burst.files)]

    @property
    def name(self) -> str:
        """Of the first: a shot's stem, or a burst's folder or stack."""
        return self.bursts[0].name if self.bursts else self.matches[0][0].stem

    def read(self) -> dict[str, list[Reference]] | dict[str, list[Burst]]:
        """The pictures of each channel by its name; a single channel has none.

        Raises:
            ImageError: one of them cannot be read.
            BadReferenceError: they have different channels.
        """
        from noisegen.references.load import read_bursts, read_references

        return read_bursts(self.bursts) if self.bursts else read_references(self.matches)


def note_white_level(profile: NoiseProfile, output: Output) -> None:
    """Says what white level the references are taken at, where it could be another."""
    from noisegen.synthesis.levels import profile_words

    if profile.dtype != "uint8" or profile.white_level_given:
        override = "" if profile.white_level_given else "; --white-level overrides it"
        output.note(f"white level of the references: {profile_words(profile)}{override}")


def note_how_made(profile: NoiseProfile, output: Output) -> None:
    """Says what was done to imperfect references, what is doubtful, and how good the profile is."""
    note_repairs(profile, output)
    warn_of_doubts(profile, output)
    if profile.quality is None:
        return
    against = " their estimated clean" if profile.kind == "estimated" else ""
    output.note(
        f"tried on its references{against and ',' + against}: {profile.quality.overall} "
        f"({'; '.join(described(profile.quality))})"
    )


def described(quality: ProfileQuality) -> list[str]:
    """A profile's distances from its references in plain words, one a line."""
    shown = (
        ("sigma", f"σ off by {100 * quality.sigma:.1f} %"),
        ("level", f"σ against intensity by {100 * (2**quality.level - 1):.0f} %"),
        ("kld", f"histogram's KL divergence {quality.kld:.4f}"),
        ("correlation", f"correlation by {quality.correlation:.3f}"),
        ("stripes", f"stripes by {100 * quality.stripes:.0f} %"),
        ("estimated", f"{100 * quality.estimated:.0f} % of its power estimated"),
    )
    lines = [f"{text}: {quality.word(name)}" for name, text in shown if getattr(quality, name)]
    low, high = quality.darkest, quality.brightest
    rests = f"{100 * quality.pixels:.0f} % of the pixels, {100 * low:.0f} to {100 * high:.0f} %"
    return [*lines, f"rests on {rests} of white"]


def note_repairs(profile: NoiseProfile, output: Output) -> None:
    """Says what was done to imperfect references."""
    for repair in profile.repairs:
        output.note(f"repaired {repair}")


def warn_of_doubts(profile: NoiseProfile, output: Output) -> None:
    """Says what is doubtful about the references."""
    for warning in profile.warnings:
        output.warn(warning)


def one_reference(ref: Path, ref_clean: Path | None) -> Reference:
    """The first picture of a file of one channel.

    Raises:
        UsageError: the file has several.
        ImageError: it cannot be read.
    """
    from noisegen.references.load import read_references

    channels = read_references([(ref, ref_clean)])
    if len(channels) > 1:
        raise UsageError(
            f"{ref}: has {len(channels)} channels ({', '.join(channels)}); give a file of the "
            "profile's channel alone"
        )
    (references,) = channels.values()
    return references[0]
