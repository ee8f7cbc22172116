"""The options of ``synth`` that say whose noise it is → noise profiles."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import noisegen
from noisegen.cli.mix import parse_mix
from noisegen.cli.output import Output
from noisegen.cli.references import (
    Gathered,
    gather_references,
    note_how_made,
    note_white_level,
)
from noisegen.errors import UsageError

if TYPE_CHECKING:
    from noisegen.dataset.noise import NoiseSource
    from noisegen.model.weights import Weights
    from noisegen.profiles.profile import NoiseProfile


@dataclass(frozen=True)
class NoiseOptions:
    """What was asked for, as the options have it."""

    ref: Sequence[str] | None
    ref_clean: Sequence[str] | None
    ref_burst: Sequence[Path] | None
    no_repair: bool
    profile: Sequence[Path] | None
    blend: str | None
    white_level: float | None


def find_noise(wanted: NoiseOptions, output: Output) -> NoiseSource:
    """Finds the files of one kind of noise; they are not read yet.

    Raises:
        UsageError: none, several kinds, or files that are not there.
    """
    from noisegen.dataset.noise import NoiseSource, given_profiles

    references = bool(wanted.ref or wanted.ref_burst)
    if references + bool(wanted.profile) + (wanted.blend is not None) != 1:
        raise UsageError(
            "give one of --ref (noisy shots), --ref-burst (a burst), --profile (a saved noise "
            "profile) and --blend (a mix of them)"
        )
    extras: dict[str, Any] = {
        "--ref-clean": wanted.ref_clean,
        "--no-repair": wanted.no_repair,
    }
    given = [option for option, value in extras.items() if value]
    if given and not references:
        raise UsageError(f"{given[0]} belongs to --ref; a profile already holds its noise")
    if references:
        gathered = gather_references(wanted.ref, wanted.ref_clean, wanted.ref_burst, output)
        return NoiseSource(
            lambda weights: [_made(gathered, wanted, weights, output)],
            gathered.files,
            lambda weights: _request(gathered, wanted, weights),
        )
    return given_profiles(wanted.profile) if wanted.profile else _mixed(wanted.blend or "")


def _mixed(text: str) -> NoiseSource:
    """The mix of saved profiles that an option names."""
    from noisegen.dataset.noise import NoiseSource, given_profiles
    from noisegen.profiles.blend import blend

    mix = parse_mix(text)
    parts = given_profiles(mix.files)
    return NoiseSource(
        lambda weights: [blend(parts.make(weights), mix.shares, mix.name)], parts.files
    )


def _request(gathered: Gathered, wanted: NoiseOptions, weights: Weights) -> str:
    """Hash of the references and of how they are to be measured."""
    chosen = (not wanted.no_repair, wanted.white_level)
    digest = hashlib.sha256(f"{noisegen.__version__} {weights.sha256} {chosen}".encode())
    # A pipe would never end; its reader refuses it by name.
    for path in filter(Path.is_file, gathered.files):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _made(
    gathered: Gathered, wanted: NoiseOptions, weights: Weights, output: Output
) -> NoiseProfile:
    """The profile of references."""
    from noisegen.profiles.fit import fit_profiles
    from noisegen.references.check import Burst, find_white_level

    channels = gathered.read()
    if len(channels) > 1:
        raise UsageError(
            f"{gathered.files[0]}: has {len(channels)} channels ({', '.join(channels)}); make a "
            "profile of each with noisegen profile create, then name them with --profile"
        )
    (references,) = channels.values()
    first = references[0]
    pixels = first.shots[0] if isinstance(first, Burst) else first.noisy
    # Of references of 8 bits, or of floats in [0, 1], it says what is white in the cleans.
    in_counts = pixels.dtype.itemsize > 1 and (
        pixels.dtype.kind != "f" or find_white_level(references) > 1
    )
    (made,) = fit_profiles(
        references,
        weights,
        name=gathered.name,
        white_level=wanted.white_level if in_counts else None,
        repair=not wanted.no_repair,
    )
    note_white_level(made, output)
    note_how_made(made, output)
    if made.kind == "estimated":
        output.note("the references came without their clean: it was estimated")
    return made
