"""Which profile serves which channel of a volume."""

from __future__ import annotations

from collections.abc import Sequence

from noisegen.errors import UsageError
from noisegen.profiles.profile import NoiseProfile

_GRAY = 1


def profiles_of_channels(
    profiles: Sequence[NoiseProfile], channels: Sequence[str]
) -> tuple[NoiseProfile, ...] | None:
    """The gray profile of each channel, where the profiles were made channel by channel.

    By name first: ``profile create`` names the profiles of a file of several channels
    ``NAME-CHANNEL``. Else in order, where there are as many profiles as channels.

    Args:
        profiles: as given; RGB ones do not count.
        channels: names of a volume's channels, as ``VolumeHeader.channels``.

    Returns:
        A profile a channel; None where there is only one channel, or where nothing tells them
        apart: then one profile is drawn for the whole picture.

    Raises:
        UsageError: two profiles are named for one channel.
    """
    gray = [profile for profile in profiles if profile.channels == _GRAY]
    if len(channels) < 2 or not gray:
        return None
    named = [[p for p in gray if p.name.endswith(f"-{channel}")] for channel in channels]
    for channel, found in zip(channels, named, strict=True):
        if len(found) > 1 and all(named):
            raise UsageError(
                f"profiles {found[0].name} and {found[1].name}: both are named for channel "
                f"{channel}; give one of them"
            )
    if all(named):
        return tuple(found[0] for found in named)
    return tuple(gray) if len(gray) == len(channels) else None
