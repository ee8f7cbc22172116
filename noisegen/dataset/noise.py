"""Whose noise a dataset has: profiles, their files, or what they are yet to be made of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path

import noisegen
from noisegen.dataset.noise_options import NoiseOptions
from noisegen.dataset.plan import CleanFile, DatasetOptions
from noisegen.dataset.survey import read_headers
from noisegen.errors import UsageError
from noisegen.model.config import Precision
from noisegen.model.weights import Weights
from noisegen.profiles.blend import blend
from noisegen.profiles.drawn import Draw, draw_profiles, parse_draws
from noisegen.profiles.profile import NoiseProfile
from noisegen.profiles.sources import (
    Profiles,
    each_of,
    find_reference_files,
    fitting_profiles,
    parse_mix,
    refuse_both,
)
from noisegen.synthesis import draws

MOST_CAMERAS = 2000
"""Cameras that are drawn for one dataset: its recipe names each."""

_LONELY = "--per-camera belongs to --draw; leave it out, or draw cameras"


@dataclass(frozen=True)
class NoiseSource:
    """Whose noise a dataset has: found, but neither read nor measured yet.

    Attributes:
        make: gives the profiles, which belong to the weights, for clean files.
        files: that they are made of, which no overwrite may take away.
        request: of the weights, a hash of all that decides the profiles; None where they are
            given. A dataset that was begun by the same request lends its profiles to the run that
            goes on with it.
        notes: what there is to say of the files, of how they were found, or of what takes long.
        drawn: what cameras are drawn from, as the recipe tells it.
    """

    make: Callable[[Weights, Sequence[CleanFile]], Sequence[NoiseProfile]]
    files: Sequence[Path] = ()
    request: Callable[[Weights], str | None] = lambda weights: None
    notes: Sequence[str] = ()
    drawn: str | None = None


def given_profiles(profiles: Profiles) -> NoiseSource:
    """The source that profiles, or files of them, are."""
    several = each_of(profiles)
    files = [Path(one) for one in several if not isinstance(one, NoiseProfile)]
    return NoiseSource(lambda weights, _: fitting_profiles(several, weights), files)


def profiles_or_cameras(
    profiles: Profiles | None, draw: str | None, per_camera: int, dataset: DatasetOptions
) -> NoiseSource:
    """The source that is given, of the two that a call from Python names.

    Raises:
        UsageError: both or none are, or there is nothing to draw.
    """
    refuse_both(profiles, draw)
    if draw is not None:
        return drawn_cameras(draw, per_camera, dataset)
    if per_camera != 1:
        raise UsageError(_LONELY)
    return given_profiles(() if profiles is None else profiles)


def find_noise(wanted: NoiseOptions, dataset: DatasetOptions | None = None) -> NoiseSource:
    """The source that options name: references, saved profiles, a mix of them, or a draw.

    Args:
        wanted: the options.
        dataset: what is made: white level of the references, seed and variants of a draw.

    Raises:
        UsageError: none, several kinds, or files that are not there.
    """
    references = bool(wanted.ref or wanted.ref_burst)
    others = wanted.blend is not None, wanted.draw is not None
    if references + bool(wanted.profile) + sum(others) != 1:
        raise UsageError(
            "give one of --ref (noisy shots; --ref-burst for a burst), --profile (a saved noise "
            "profile), --blend (a mix of them) and --draw (cameras by kind and ISO, as "
            "phone:800-6400)"
        )
    if wanted.per_camera != 1 and wanted.draw is None:
        raise UsageError(_LONELY)
    chosen = {
        "--ref-clean": wanted.ref_clean,
        "--no-repair": wanted.no_repair,
        "--precision": wanted.precision is not Precision.FLOAT32,
    }
    for option, value in chosen.items():
        if value and not references:
            raise UsageError(f"{option} belongs to --ref; a profile already holds its noise")
    if wanted.profile:
        return given_profiles(wanted.profile)
    if wanted.blend is not None:
        return _mixed(wanted.blend)
    dataset = dataset or DatasetOptions()
    if wanted.draw is not None:
        return drawn_cameras(wanted.draw, wanted.per_camera, dataset)
    found = find_reference_files(wanted.ref, wanted.ref_clean, wanted.ref_burst)
    how = not wanted.no_repair, dataset.white_level
    return NoiseSource(
        lambda weights, _: [found.profile(weights.at(wanted.precision), *how)],
        found.files,
        lambda weights: found.request(weights.at(wanted.precision), *how),
        found.notes,
    )


def _mixed(text: str) -> NoiseSource:
    files, shares = parse_mix(text)
    # Their ratio alone counts: equal mixes have one name, so that a run goes on by either.
    whole = sum(shares) or 1.0
    parts_of = zip(files, shares, strict=True)
    name = "+".join(f"{file.stem}-{share / whole:.3g}" for file, share in parts_of)
    parts = given_profiles(files)
    return NoiseSource(lambda weights, _: [blend(parts.make(weights, ()), shares, name)], files)


def drawn_cameras(text: str, per_camera: int, dataset: DatasetOptions) -> NoiseSource:
    """The source that draws cameras, as many as the clean pictures need.

    Raises:
        UsageError: it names no kinds of cameras, or no pictures to each.
    """
    if not isinstance(per_camera, Integral) or per_camera < 1:
        raise UsageError(f"--per-camera {per_camera!r}: give 1 picture or more")
    kinds = parse_draws(text)
    words = f"{','.join(map(str, kinds))}; a camera for {per_camera} of the pictures"

    def request(weights: Weights) -> str:
        decides = (noisegen.__version__, weights.sha256, words, dataset.seed)
        return hashlib.sha256(repr(decides).encode()).hexdigest()

    def make(weights: Weights, files: Sequence[CleanFile]) -> list[NoiseProfile]:
        return _for_files(files, kinds, per_camera, dataset, weights)

    note = (
        f"drawing a camera for every {f'{per_camera} pictures' if per_camera > 1 else 'picture'}, "
        "where that is not done yet: about 3 s each on a core; a larger --per-camera takes less"
    )
    return NoiseSource(make, request=request, notes=(note,), drawn=words)


def _for_files(
    files: Sequence[CleanFile],
    kinds: Sequence[Draw],
    per_camera: int,
    dataset: DatasetOptions,
    weights: Weights,
) -> list[NoiseProfile]:
    """Cameras for gray and for RGB pictures, by the number of each.

    With one picture to a camera, the camera's name says which: it stays so when pictures are added.
    """
    found = read_headers(files, lambda _, __: None)
    headers = found.headers
    tags: dict[bool, list[str]] = {}
    for file, header in zip(found.files, headers, strict=True):
        of_each = tags.setdefault(header.plane_channels == 1, [])
        of_each += [draws.tag(dataset.seed, file.key, v) for v in range(dataset.variants)]
    cameras = {gray: -(-len(of_each) // per_camera) for gray, of_each in sorted(tags.items())}
    total = sum(cameras.values())
    if total > MOST_CAMERAS:
        enough = -(-total * per_camera // MOST_CAMERAS)
        raise UsageError(
            f"--draw: {total} cameras for {len(headers)} pictures are more than {MOST_CAMERAS}; "
            f"say --per-camera {enough} or more"
        )
    drawn = {
        gray: draw_profiles(kinds, count, dataset.seed, weights, gray)
        for gray, count in cameras.items()
    }
    if per_camera > 1:
        return [profile for made in drawn.values() for profile in made]
    return [
        replace(profile, name=f"{profile.name}-{tag}")
        for gray, made in drawn.items()
        for profile, tag in zip(made, tags[gray], strict=True)
    ]
