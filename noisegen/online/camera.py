"""What puts noise on clean pictures while training: profiles and options, no state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisegen.errors import ProfileError, UsageError
from noisegen.online.process import synthesizer
from noisegen.references.made_with import unfit_for_weights
from noisegen.references.profile import NoiseProfile
from noisegen.synthesis import draws
from noisegen.synthesis.plan import SynthesisOptions
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
    options: SynthesisOptions

    def noisy(self, clean: Pixels, key: str, epoch: int) -> tuple[Pixels, float]:
        """The noisy version of a clean picture, and the white level of both.

        Args:
            clean: H×W×C; uint8, uint16, or float in [0, 1].
            key: what tells this picture from others.
            epoch: the number of the noisy version.

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
        white = self._white_level(clean.dtype, profile)
        noisy = synthesizer(self.weights, self.device).synthesize(
            clean,
            profile,
            seed=seed,
            key=key,
            variant=epoch,
            strength=draws.strength(*self.options.strength, seed, key, epoch),
            white_level=white,
        )
        return noisy, white

    def unfit(self, channels: int) -> str | None:
        """Why a picture of so many channels has no profile; None if it has one."""
        if any(profile.channels == channels for profile in self.profiles):
            return None
        have = KINDS.get(channels, f"of {channels} channels")
        names = ", ".join(profile.name for profile in self.profiles)
        return f"is {have}, which the noise of {names} is not; give a profile of such references"

    def _white_level(self, dtype: np.dtype[Any], profile: NoiseProfile) -> float:
        """As ``synth`` has it."""
        if dtype.kind == "f":
            return 1.0
        if dtype == np.uint16 and self.options.white_level is not None:
            return self.options.white_level
        return profile.white_level if dtype.name == profile.dtype else float(np.iinfo(dtype).max)


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
    options = SynthesisOptions(seed=seed, strength=factors, white_level=white_level)
    made_with = synthesizer(str(weights), device).weights
    for profile in loaded:
        reason = unfit_for_weights(profile, made_with)
        if reason is not None:
            raise ProfileError(f"profile {profile.name}: {reason}")
    return Camera(loaded, str(weights), device, options)
