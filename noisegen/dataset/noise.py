"""Whose noise a dataset has: profiles, their files, or what they are yet to be made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from noisegen.dataset.plan import NoiseOptions
from noisegen.errors import UsageError
from noisegen.model.weights import Weights
from noisegen.profiles.blend import blend
from noisegen.profiles.profile import NoiseProfile
from noisegen.profiles.sources import (
    Profiles,
    each_of,
    find_reference_files,
    fitting_profiles,
    parse_mix,
)


@dataclass(frozen=True)
class NoiseSource:
    """Whose noise a dataset has: found, but neither read nor measured yet.

    Attributes:
        make: gives the profiles, which belong to the weights.
        files: that they are made of, which no overwrite may take away.
        request: of the weights, a hash of all that decides the profiles; None where they are
            given. A dataset that was begun by the same request lends its profiles to the run that
            goes on with it.
        note: what there is to say of how the files were found.
    """

    make: Callable[[Weights], Sequence[NoiseProfile]]
    files: Sequence[Path] = ()
    request: Callable[[Weights], str | None] = lambda weights: None
    note: str | None = None


def given_profiles(profiles: Profiles) -> NoiseSource:
    """The source that profiles, or files of them, are."""
    several = each_of(profiles)
    files = [Path(one) for one in several if not isinstance(one, NoiseProfile)]
    return NoiseSource(lambda weights: fitting_profiles(several, weights), files)


def find_noise(wanted: NoiseOptions, white_level: float | None = None) -> NoiseSource:
    """The source that options name: references, saved profiles, or a mix of them.

    Args:
        wanted: the options.
        white_level: of the references.

    Raises:
        UsageError: none, several kinds, or files that are not there.
    """
    references = bool(wanted.ref or wanted.ref_burst)
    if references + bool(wanted.profile) + (wanted.blend is not None) != 1:
        raise UsageError(
            "give one of --ref (noisy shots), --ref-burst (a burst), --profile (a saved noise "
            "profile) and --blend (a mix of them)"
        )
    for option, value in (("--ref-clean", wanted.ref_clean), ("--no-repair", wanted.no_repair)):
        if value and not references:
            raise UsageError(f"{option} belongs to --ref; a profile already holds its noise")
    if wanted.profile:
        return given_profiles(wanted.profile)
    if wanted.blend is not None:
        return _mixed(wanted.blend)
    found = find_reference_files(wanted.ref, wanted.ref_clean, wanted.ref_burst)
    how = not wanted.no_repair, white_level
    return NoiseSource(
        lambda weights: [found.profile(weights, *how)],
        found.files,
        lambda weights: found.request(weights, *how),
        found.note,
    )


def _mixed(text: str) -> NoiseSource:
    files, shares = parse_mix(text)
    name = "+".join(f"{file.stem}-{share:g}" for file, share in zip(files, shares, strict=True))
    parts = given_profiles(files)
    return NoiseSource(lambda weights: [blend(parts.make(weights), shares, name)], files)
