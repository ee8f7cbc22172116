"""What puts noise on clean pictures while training: profiles and options, no state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisegen.dataset.plan import DatasetOptions
from noisegen.errors import ProfileError, UsageError
from noisegen.online.process import synthesizer
from noisegen.profiles.profile import NoiseProfile, unfit_for_weights
from noisegen.synthesis import draws
from noisegen.synthesis.clean_rows import ArrayRows
from noisegen.synthesis.levels import in_unit_range, likely_level, profile_words
from noisegen.synthesis.synthesizer import CleanError

Pixels = NDArray[Any]
Profiles = str | Path | NoiseProfile | Iterable[str | Path | NoiseProfile]
Strength = float | tuple[float, float]

KINDS = {1: "gray", 3: "RGB"}


@dataclass(frozen=True)
class Camera:
    """Noise profiles and how they are applied; the same in every process.

    Attributes:
        profiles: one of those that fit a picture's channels is drawn for each noisy version.
        weights: shipped name or path.
        device: where the generator runs.
        options: seed, range of strength and white level.
    """

    profiles: tuple[NoiseProfile, ...]
    weights: str
    device: str
    options: DatasetOptions

    def noisy(
        self,
        clean: Pixels,
        key: str,
        epoch: int,
        *,
        whole: Pixels | None = None,
        in_counts: bool = False,
    ) -> tuple[Pixels, float]:
        """The noisy version of a clean picture, and the white level of both.

        Args:
            clean: H×W×C; uint8, uint16, or float.
            key: what tells this picture from others.
            epoch: the number of the noisy version.
            whole: the picture that the clean is cropped from, which says how its counts are
                taken; the clean itself where not given.
            in_counts: floats are as files hold them; else they are in [0, 1] unless the white level
                is given.

        Raises:
            CleanError: no noise can be put on the picture.
        """
        if clean.dtype.kind != "f" and clean.dtype not in (np.uint8, np.uint16):
            raise CleanError(f"has {clean.dtype} samples; give uint8, uint16 or float in [0, 1]")
        seed = self.options.seed
        fitting = [p for p in self.profiles if p.channels == clean.shape[2]]
        if not fitting:
            raise CleanError(self.unfit(clean.shape[2]) or "fits no profile")
        profile = fitting[draws.choice(len(fitting), seed, key, epoch)]
        given = self.options.white_level if clean.dtype != np.uint8 else None
        if clean.dtype.kind == "f" and not in_counts and given is None:
            profile = in_unit_range(profile)
            _refuse_beyond_unit(clean)
        making = synthesizer(self.weights, self.device)
        levels = making.check([ArrayRows(clean if whole is None else whole)], profile, given)
        if levels.brighter and given is None:
            # Pairs are scaled by the white level, which must be one for all.
            raise CleanError(
                f"goes beyond the white level of profile {profile.name}, {profile_words(profile)}; "
                f"give white_level={levels.white:g}, or make the profile again with it"
            )
        noisy = making.synthesize(
            clean,
            profile,
            seed=seed,
            key=key,
            variant=epoch,
            strength=draws.strength(*self.options.strength, seed, key, epoch),
            levels=levels,
        )
        return noisy, levels.white

    def unfit(self, channels: int) -> str | None:
        """Why a picture of so many channels has no profile; None if it has one."""
        if any(profile.channels == channels for profile in self.profiles):
            return None
        have = KINDS.get(channels, f"of {channels} channels")
        names = ", ".join(profile.name for profile in self.profiles)
        return f"is {have}, which the noise of {names} is not; give a profile of such references"


def _refuse_beyond_unit(clean: Pixels) -> None:
    highest = float(clean.max(initial=0))
    if 1 < highest < np.inf:
        likely = likely_level(highest, whole=True)
        raise CleanError(
            f"has values up to {highest:g}, outside [0, 1]; divide by {likely:g}, or give "
            f"white_level={likely:g}"
        )


def make_camera(
    profiles: Profiles,
    *,
    weights: str | Path,
    device: str,
    seed: int,
    strength: Strength,
    white_level: float | None,
) -> Camera:
    """Checks everything at once, in the process that trains.

    Raises:
        ProfileError: a profile is missing, damaged, or of other weights.
        WeightsError: the weights are unknown or damaged.
        UsageError: an option or the device cannot be.
    """
    several = [profiles] if isinstance(profiles, (str, Path, NoiseProfile)) else list(profiles)
    if not several:
        raise UsageError("profiles: none given; make one with noisegen profile create")
    loaded = tuple(p if isinstance(p, NoiseProfile) else NoiseProfile.load(p) for p in several)
    factors = strength if isinstance(strength, tuple) else (strength, strength)
    options = DatasetOptions(seed=seed, strength=factors, white_level=white_level)
    made_with = synthesizer(str(weights), device).weights
    for profile in loaded:
        reason = unfit_for_weights(profile, made_with)
        if reason is not None:
            raise ProfileError(f"profile {profile.name}: {reason}")
    return Camera(loaded, str(weights), device, options)
