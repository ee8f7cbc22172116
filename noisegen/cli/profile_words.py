"""What commands say of noise profiles."""

from __future__ import annotations

from noisegen.cli.output import Output
from noisegen.profiles.profile import NoiseProfile
from noisegen.profiles.quality import ProfileQuality
from noisegen.synthesis.levels import profile_words


def sigmas(profile: NoiseProfile) -> str:
    """σ of each channel in steps of 8 bits."""
    return " / ".join(f"{255 * sigma:.2f}" for sigma in profile.sigma)


def note_white_level(profile: NoiseProfile, output: Output) -> None:
    """Says what white level the references are taken at, where it could be another."""
    if profile.dtype != "uint8" or profile.white_level_given:
        override = "" if profile.white_level_given else "; --white-level overrides it"
        output.note(f"white level of the references: {profile_words(profile)}{override}")


def note_how_made(profile: NoiseProfile, output: Output) -> None:
    """Says what was done to imperfect references, what is doubtful, and how good the profile is."""
    for repair in profile.repairs:
        output.note(f"repaired {repair}")
    for warning in profile.warnings:
        output.warn(warning)
    if profile.quality is not None:
        against = ", their estimated clean" if profile.kind == "estimated" else ""
        words = "; ".join(quality_words(profile.quality))
        output.note(f"tried on its references{against}: {profile.quality.overall} ({words})")


def note_measured(profile: NoiseProfile, output: Output) -> None:
    """Says all there is to say of a profile that was made of references on the way."""
    note_white_level(profile, output)
    note_how_made(profile, output)
    if profile.kind == "estimated":
        output.note("the references came without their clean: it was estimated")


def quality_words(quality: ProfileQuality) -> list[str]:
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
