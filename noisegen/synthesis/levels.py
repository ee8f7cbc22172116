"""What a clean's counts mean to a profile: the one rule of white levels.

The white level is the count that is white in the camera's files; the profile records it. Where the
clean holds the same counts as the references (one sample type, or counts in both), equal counts are
equal light and have equal noise. Otherwise white is white: the clean's own level, as given or as
its type has it, stands for the profile's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np

from noisegen.errors import NoisegenError
from noisegen.files import WHITE_LEVELS_16, default_white_level, level_words
from noisegen.profiles.profile import NoiseProfile
from noisegen.profiles.profile_check import LARGEST_SAMPLE

DEEP = ("uint16", "uint32", "int16")

LARGEST = LARGEST_SAMPLE["float32"]
"""Value and white level: of more, single precision cannot hold the noise."""


class CleanError(NoisegenError):
    """A clean picture that this profile's noise cannot be put on."""

    @property
    def for_command(self) -> str:
        """Say it with the command line's option instead of Python's argument."""
        return str(self).replace("white_level=", "--white-level ")


@dataclass(frozen=True)
class Extent:
    """The values of a clean.

    Attributes:
        lowest: of them.
        highest: of them.
        whole: all are whole numbers.
    """

    lowest: float
    highest: float
    whole: bool

    def joined(self, other: Extent) -> Extent:
        """Range of both together."""
        return Extent(
            min(self.lowest, other.lowest),
            max(self.highest, other.highest),
            self.whole and other.whole,
        )


@dataclass(frozen=True)
class Levels:
    """Meaning of a clean's counts for a profile, all in the clean's own counts.

    Attributes:
        scale: that the profile's noise is in units of.
        white: noisy values are clipped to, from above.
        black: from below: 0, or minus infinity where values below 0 are the instrument's.
        same: the counts are the references' own.
        words: the level and where it is from, for people.
    """

    scale: float
    white: float
    black: float
    same: bool
    words: str

    @property
    def brighter(self) -> bool:
        """The clean goes beyond a level that was only found: the noise there is held."""
        return self.white > self.scale


def levels_for(
    dtype: np.dtype[Any], extent: Extent, profile: NoiseProfile, given: float | None
) -> Levels:
    """Decide how a profile takes a clean's counts.

    Args:
        dtype: of the clean: uint8, uint16, uint32, int16 or float.
        extent: its values; of integers whose type's every value fits, that type's limits.
        profile: the noise.
        given: the clean's white level, as the user says; None to go by profile and type.

    Raises:
        CleanError: values below black or above white, or a level that contradicts the profile's.
    """
    if given is not None and not isinstance(given, Real):
        raise CleanError(f"white_level={given!r} cannot be; give a positive number")
    if given is not None and not 0 < given <= LARGEST:
        raise CleanError(f"white_level={given:g} cannot be; give a positive number, not above 1e30")
    if max(extent.highest, -extent.lowest) > LARGEST:
        raise CleanError(f"has values from {extent.lowest:g} to {extent.highest:g}; divide them")
    if dtype.kind != "f" and given is not None and given > np.iinfo(dtype).max:
        raise CleanError(
            f"has {dtype} pixels, which cannot reach white_level={given:g}; give at most "
            f"white_level={np.iinfo(dtype).max}"
        )
    same = _same_counts(dtype, extent, profile, given)
    below = same and dtype.kind != "u" and profile.lowest < 0
    if extent.lowest < 0 and not below:
        raise CleanError(
            f"has values below 0, down to {extent.lowest:g}, and the references of profile "
            f"{profile.name} have none; make the profile of references with the same background, "
            "or add the constant that was subtracted"
        )
    black = -np.inf if below else 0.0
    if same:
        return _of_profile(dtype, extent, profile, given, black)
    return _of_clean(dtype, extent, profile, given, black)


def in_unit_range(profile: NoiseProfile) -> NoiseProfile:
    """The profile for floats in [0, 1] of whatever its own counts are."""
    recording = profile.recording.scaled(1 / profile.white_level)
    return replace(profile, dtype="float32", white_level=1.0, lowest=0.0, recording=recording)


def profile_words(profile: NoiseProfile) -> str:
    """The profile's white level and where it is from: ``12 bits (white 4095, found)``."""
    source = "given" if profile.white_level_given else "found"
    source = source if profile.dtype != "uint8" or profile.white_level_given else "the type's"
    return level_words(profile.white_level, profile.dtype, source)


def likely_level(highest: float, whole: bool) -> float:
    """The level that values show, as a reference's is found: the smallest usual one above them."""
    usual = (1,) if not whole and highest <= 1 else (255, *WHITE_LEVELS_16)
    return next((float(level) for level in usual if level >= highest), float(highest))


def _same_counts(
    dtype: np.dtype[Any], extent: Extent, profile: NoiseProfile, given: float | None
) -> bool:
    is_float, of_floats = dtype.kind == "f", profile.dtype == "float32"
    if is_float == of_floats and (is_float or dtype.name == profile.dtype):
        return True
    level = profile.white_level
    if not is_float:
        deep = profile.dtype in DEEP or (of_floats and level > 1)
        return deep and dtype.name in DEEP
    if extent.highest <= 1 or (given is not None and given <= 1):
        # Floats in [0, 1], of integer references.
        return False
    if profile.dtype == "uint8":
        return extent.whole and extent.highest <= level and given in (None, level)
    return True


def _of_profile(
    dtype: np.dtype[Any], extent: Extent, profile: NoiseProfile, given: float | None, black: float
) -> Levels:
    level = white = profile.white_level
    fixed = profile.white_level_given or profile.dtype == "uint8" or level == 1
    words = profile_words(profile)
    if given is not None and given != level:
        if fixed or given < level:
            raise CleanError(
                f"is taken in the counts of profile {profile.name}, whose level is {words}, and "
                f"white_level={given:g} contradicts it; leave that out, or make the profile again "
                f"with white_level={given:g}"
            )
        white = given
        words = f"noise in counts of the profile, {words}; clipped at white {white:g} (given)"
    if extent.highest > white:
        likely = likely_level(extent.highest, dtype.kind != "f" or extent.whole)
        if fixed or given is not None:
            raise CleanError(_too_bright(extent, profile, white, likely))
        white = likely if dtype.kind == "f" else min(likely, float(np.iinfo(dtype).max))
        words = f"noise in counts of the profile, {words}; clipped at white {white:g} (found)"
    return Levels(level, white, black, True, words)


def _too_bright(extent: Extent, profile: NoiseProfile, white: float, likely: float) -> str:
    found = f"has values from {extent.lowest:g} to {extent.highest:g}, outside [0, {white:g}]"
    if profile.white_level == 1:
        return (
            f"{found}, the range of the floats of profile {profile.name}; divide it by its own "
            f"white level, as {likely:g}, or, where 1 is no white in the references, make the "
            f"profile again with white_level={extent.highest:g}"
        )
    if white == profile.white_level:
        return (
            f"{found}, and the white level of profile {profile.name} is {profile_words(profile)}; "
            f"make the profile again with white_level={likely:g}"
        )
    return f"{found}; give the count that is white in it, as white_level={likely:g}"


def _of_clean(
    dtype: np.dtype[Any], extent: Extent, profile: NoiseProfile, given: float | None, black: float
) -> Levels:
    if given is not None:
        white, source = given, "given"
    elif dtype in (np.uint32, np.int16):
        kind = "32-bit" if dtype == np.uint32 else "signed 16-bit"
        raise CleanError(
            f"has {kind} pixels, and profile {profile.name} does not say what is white in them; "
            "give it (white_level=N)"
        )
    else:
        white = 1.0 if dtype.kind == "f" else float(default_white_level(dtype))
        source = "the type's"
    if extent.highest > white:
        likely = likely_level(extent.highest, extent.whole)
        raise CleanError(
            f"has values from {extent.lowest:g} to {extent.highest:g}, outside [0, {white:g}]; "
            f"divide by {likely:g}, or give the count that is white in it, as "
            f"white_level={likely:g}"
        )
    return Levels(white, white, black, False, level_words(white, dtype.name, source))
