"""What the clean files declare of themselves, looked at before anything is written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from noisegen.dataset.layouts.lmdb import unfit_for_lmdb
from noisegen.dataset.plan import CleanFile, DatasetOptions, Layout, Skipped
from noisegen.errors import ImageError, NoisegenError
from noisegen.files import Header, VolumeHeader, open_image
from noisegen.profiles.profile import NoiseProfile
from noisegen.synthesis.channel_profiles import profiles_of_channels

LONGEST_NAME = 255
"""Bytes of a file's name that common file systems take."""

_KINDS = {1: "gray", 3: "RGB"}

Declared = Header | VolumeHeader
"""What a clean file says of itself."""


class UnusableError(NoisegenError):
    """Not one of the clean files can be used."""

    def __init__(self, skipped: Sequence[Skipped]) -> None:
        others = f"; nor can the other {len(skipped) - 1} be used" if len(skipped) > 1 else ""
        super().__init__(f"{skipped[0]}{others}")


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


def survey(
    files: Sequence[CleanFile], profiles: Sequence[NoiseProfile], options: DatasetOptions
) -> Survey:
    """Reads every header."""
    usable, headers, skipped = [], [], []
    for file in files:
        try:
            with open_image(file.path) as image:
                header = image.header
        except ImageError as error:
            skipped.append(Skipped(file.path, file.key, error.reason))
            continue
        reason = _unfit_name(file, options) or _unfit_picture(header, profiles, options)
        if reason is None:
            usable.append(file)
            headers.append(header)
        else:
            skipped.append(Skipped(file.path, file.key, reason))
    return Survey(tuple(usable), tuple(headers), tuple(skipped))


def _unfit_name(file: CleanFile, options: DatasetOptions) -> str | None:
    try:
        file.output.as_posix().encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8, so that no metadata can hold it; rename it"
    longest = file.numbered(
        None if options.patch is None else options.per_image - 1,
        None if options.variants == 1 else options.variants - 1,
    )
    if len(os.fsencode(longest.name)) > LONGEST_NAME:
        return f"its name is too long for {longest.name[-20:]}; shorten it"
    return None


def _unfit_picture(
    header: Declared, profiles: Sequence[NoiseProfile], options: DatasetOptions
) -> str | None:
    channels = header.plane_channels
    if isinstance(header, VolumeHeader):
        if options.layout is Layout.LMDB:
            return "is no picture of 8 bits that BasicSR and NAFNet can read; use another --layout"
        profiles = profiles_of_channels(profiles, header.channels) or profiles
    elif options.layout is Layout.LMDB and (unfit := unfit_for_lmdb(header)):
        return unfit
    if all(profile.channels != channels for profile in profiles):
        have, need = _KINDS[channels], _KINDS[profiles[0].channels]
        names = ", ".join(profile.name for profile in profiles)
        return (
            f"is {have}, but the noise of {names} is {need}; give {need} pictures, or a profile "
            f"from {have} references"
        )
    side = options.patch
    if side is not None and min(header.width, header.height) < side:
        size = f"{header.width}×{header.height}"
        return f"{size} is smaller than --patch {side}; leave it out or crop smaller"
    return None
