"""At what levels the cleans of a dataset are taken: looked at before anything is made.

It decides nothing: each clean is taken as :mod:`.levels` has it, whatever lies beside it. This says
so in words, and says what looks wrong when the cleans are seen together.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from noisegen.dataset.plan import CleanFile
from noisegen.dataset.survey import Declared, Survey
from noisegen.errors import ImageError
from noisegen.files import VolumeHeader, open_volume, read_picture
from noisegen.profiles.profile import NoiseProfile
from noisegen.synthesis.channel_profiles import profiles_of_channels
from noisegen.synthesis.clean_rows import BAND_SAMPLES, ArrayRows, extent_of
from noisegen.synthesis.levels import CleanError, Extent, Levels, levels_for, likely_level

MOST = 32
"""Cleans that are looked at, spread evenly over all."""

DIM = 16
"""Floats that all stay below this part of their level are likely of another one."""


@dataclass(frozen=True)
class LevelsTaken:
    """What there is to say of the cleans' levels.

    Attributes:
        notes: the level of each type of more than 8 bits, by profile, and brighter cleans.
        doubts: levels that the cleans make unlikely.
    """

    notes: tuple[str, ...]
    doubts: tuple[str, ...]

    def warn(self) -> None:
        """Warns of the doubts where Python is the caller, in its words."""
        for doubt in self.doubts:
            words = doubt.replace("--white-level ", "white_level=")
            warnings.warn(words, stacklevel=4)


@dataclass(frozen=True)
class _Seen:
    """A clean as a profile takes it."""

    file: CleanFile
    dtype: np.dtype[np.generic]
    profile: NoiseProfile
    extent: Extent
    levels: Levels


def look_at_levels(
    surveyed: Survey, profiles: Sequence[NoiseProfile], white_level: float | None
) -> LevelsTaken:
    """Looks at some of the cleans of more than 8 bits; those that do not fit are passed over."""
    deep = [
        (file, header)
        for file, header in zip(surveyed.files, surveyed.headers, strict=True)
        if header.dtype != np.uint8
    ]
    count = min(MOST, len(deep))
    chosen = [deep[index * len(deep) // count] for index in range(count)]
    # Drawn cameras of one type take counts alike: one of them speaks for all.
    speaking = {(p.channels, p.dtype) if p.kind == "drawn" else p.name: p for p in profiles}
    groups: dict[tuple[str, str], list[_Seen]] = defaultdict(list)
    for file, header in chosen:
        for seen in _seen(file, header, list(speaking.values()), white_level):
            groups[seen.dtype.name, seen.profile.name].append(seen)
    notes = [note for group in groups.values() for note in _notes(group)]
    doubts = [_doubt(group, white_level) for group in groups.values()]
    return LevelsTaken(tuple(notes), tuple(doubt for doubt in doubts if doubt is not None))


def _seen(
    file: CleanFile,
    header: Declared,
    profiles: Sequence[NoiseProfile],
    white_level: float | None,
) -> Iterator[_Seen]:
    channels = header.channels if isinstance(header, VolumeHeader) else ()
    its = profiles_of_channels(profiles, channels)
    try:
        extent = _extent(file, header)
    except (ImageError, CleanError):
        return
    for profile in its or [one for one in profiles if one.channels == header.plane_channels]:
        try:
            levels = levels_for(header.dtype, extent, profile, white_level)
        except CleanError:
            continue
        yield _Seen(file, header.dtype, profile, extent, levels)


def _extent(file: CleanFile, header: Declared) -> Extent:
    """Of a picture, or of the first rows of some of a volume's planes: as much as is quick."""
    if not isinstance(header, VolumeHeader):
        return extent_of([ArrayRows(read_picture(file.path).pixels)])
    planes = len(header.planes)
    rows = max(1, min(header.height, BAND_SAMPLES // (header.width * header.plane_channels)))
    with open_volume(file.path) as volume:
        parts = [
            volume.plane(index).rows(0, rows) for index in sorted({0, planes // 2, planes - 1})
        ]
    return extent_of([ArrayRows(part) for part in parts])


def _notes(group: Sequence[_Seen]) -> Iterator[str]:
    dtype, profile = group[0].dtype.name, group[0].profile.name
    brighter = [seen for seen in group if seen.extent.highest > seen.levels.scale]
    plain = [seen for seen in group if seen not in brighter]
    for words, same in dict.fromkeys((seen.levels.words, seen.levels.same) for seen in plain):
        how = f"the counts are those of profile {profile}" if same else f"for {profile}'s white"
        yield f"white level of {dtype} cleans: {words}; {how}"
    if brighter:
        top = max(brighter, key=lambda seen: seen.extent.highest)
        yield (
            f"white level of {dtype} cleans, which go up to {top.extent.highest:g} "
            f"({top.file.key}): {top.levels.words}; "
            f"above {top.levels.scale:g}, which no reference passes, the noise is held; give "
            f"references as bright, or say what is white in them to noisegen profile create "
            f"(--white-level {top.levels.white:g})"
        )


def _doubt(group: Sequence[_Seen], white_level: float | None) -> str | None:
    """What makes the level of these cleans unlikely; a given one is the user's word."""
    first, highest = group[0], max(seen.extent.highest for seen in group)
    if white_level is not None or highest <= 0:
        return None
    taken = first.levels.scale
    seen = f"all {first.dtype.name} cleans looked at stay at or below {highest:g}"
    if first.dtype.kind == "f":
        # Floats that look as if they lay in [0, 1] while the references' do not.
        normalised = highest <= 1 < taken
        if highest * DIM > taken or (first.levels.same and not normalised):
            return None
        likely = likely_level(highest, all(one.extent.whole for one in group))
        likely = likely if likely < taken else highest
        way_out = f"say --white-level {likely:g}"
        if first.levels.same:
            way_out = f"multiply them by {taken / likely:g}, the counts of the references"
    else:
        likely = likely_level(highest, True)
        if first.levels.same or likely >= taken:
            return None
        seen += f", which looks like {int(likely).bit_length()} bits"
        way_out = f"say --white-level {likely:g}"
    return (
        f"{seen}, but white is taken at {taken:g}: if it is {likely:g} in them, the noise of "
        f"{first.profile.name} is up to {taken / likely:.0f} times too strong; then {way_out}"
    )
