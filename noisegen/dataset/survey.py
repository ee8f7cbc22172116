"""Which clean pictures can be used, and what is drawn for each: in datasets and while training."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from noisegen.dataset.layouts.lmdb import unfit_for_lmdb
from noisegen.dataset.plan import CleanFile, DatasetOptions, Layout, Skipped
from noisegen.errors import ImageError, ManifestError
from noisegen.files import Header, VolumeHeader, gathered, open_image
from noisegen.files.safe_path import safe_relative
from noisegen.profiles.profile import NoiseProfile
from noisegen.synthesis import draws
from noisegen.synthesis.channel_profiles import profiles_of_channels
from noisegen.synthesis.synthesizer import Version

Declared = Header | VolumeHeader
"""What a clean file says of itself."""

LONGEST_NAME = 255
"""Bytes of a file's name that common file systems take."""

_KINDS = {1: "gray", 3: "RGB"}


@dataclass(frozen=True)
class Survey:
    """Clean files that can be used, as far as their headers tell.

    Attributes:
        files: these.
        headers: of each of them.
        skipped: the others.
    """

    files: tuple[CleanFile, ...]
    headers: tuple[Declared, ...]
    skipped: tuple[Skipped, ...]

    @property
    def remarks(self) -> tuple[str, ...]:
        """What there is to tell of the files beside their pixels."""
        return gathered(
            "clean",
            [
                (file.key, header.remarks)
                for file, header in zip(self.files, self.headers, strict=True)
                if isinstance(header, Header)
            ],
        )


def read_headers(
    files: Iterable[CleanFile], unfit: Callable[[CleanFile, Declared], str | None]
) -> Survey:
    """Reads every header; ``unfit`` says why a file cannot be used, or None."""
    usable, headers, skipped = [], [], []
    for file in files:
        try:
            with open_image(file.path) as image:
                header = image.header
            reason = unfit(file, header)
        except ImageError as error:
            reason = error.reason
        if reason is None:
            usable.append(file)
            headers.append(header)
        else:
            skipped.append(Skipped(file.path, file.key, reason))
    return Survey(tuple(usable), tuple(headers), tuple(skipped))


def survey(
    files: Sequence[CleanFile], profiles: Sequence[NoiseProfile], options: DatasetOptions
) -> Survey:
    """Finds the files that a dataset can be made of."""

    def unfit(file: CleanFile, header: Declared) -> str | None:
        return _unfit_name(file, options) or _unfit_picture(header, profiles, options)

    return read_headers(files, unfit)


def _unfit_name(file: CleanFile, options: DatasetOptions) -> str | None:
    try:
        file.output.as_posix().encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8, so that no metadata can hold it; rename it"
    try:
        safe_relative(file.output.as_posix(), "clean")
    except ManifestError:
        return "its name has a drive or a leading back slash on other systems; rename it"
    longest = options.numbered(file, options.per_image - 1, options.variants - 1)
    if len(os.fsencode(longest.name)) > LONGEST_NAME:
        return f"its name is too long for {longest.name[-20:]}; shorten it"
    return None


def _unfit_picture(
    header: Declared, profiles: Sequence[NoiseProfile], options: DatasetOptions
) -> str | None:
    if isinstance(header, VolumeHeader):
        if options.layout is Layout.LMDB:
            return "is no picture of 8 bits that BasicSR and NAFNet can read; use another --layout"
        profiles = profiles_of_channels(profiles, header.channels) or profiles
    elif options.layout is Layout.LMDB and (unfit := unfit_for_lmdb(header)):
        return unfit
    small = too_small(header.width, header.height, options.patch)
    return without_profile(header.plane_channels, profiles) or (
        small and small.replace("patch=", "--patch ")
    )


def first_of(skipped: Sequence[Skipped]) -> str:
    """What is told where not one clean picture can be used."""
    others = f"; nor can the other {len(skipped) - 1} be used" if len(skipped) > 1 else ""
    return f"{skipped[0]}{others}"


def without_profile(channels: int, profiles: Sequence[NoiseProfile]) -> str | None:
    """Why a picture of so many channels has no profile; None if it has one."""
    if any(profile.channels == channels for profile in profiles):
        return None
    have, need = (_KINDS.get(c, f"of {c} channels") for c in (channels, profiles[0].channels))
    more = f" and {len(profiles) - 3} more" if len(profiles) > 3 else ""
    names = ", ".join(profile.name for profile in profiles[:3]) + more
    way_out = f"a profile whose references are {have}"
    if all(profile.kind == "drawn" for profile in profiles):
        way_out = f"cameras drawn for {have} ones, in another folder"
    return f"is {have}, but the noise of {names} is {need}; give {need} pictures, or {way_out}"


def too_small(width: int, height: int, side: int | None) -> str | None:
    """Why a picture has no crop of a side; None if it has one, or none is asked for."""
    if side is None or min(width, height) >= side:
        return None
    return f"{width}×{height} is smaller than patch={side}; leave it out or crop smaller"


def drawn(
    profiles: Sequence[NoiseProfile], channels: int, options: DatasetOptions, key: str, variant: int
) -> tuple[NoiseProfile, Version]:
    """Whose noise a picture of so many channels gets, and what that noise is drawn from.

    A camera that was drawn for this picture alone is its own; else one of all that fit.
    """
    fitting = [profile for profile in profiles if profile.channels == channels]
    tag = draws.tag(options.seed, key, variant)
    own = [profile for profile in fitting if profile.name.endswith(tag)]
    profile = (own or fitting)[draws.choice(len(own or fitting), options.seed, key, variant)]
    strength = draws.strength(*options.strength, options.seed, key, variant)
    return profile, Version(options.seed, key, variant, strength)
