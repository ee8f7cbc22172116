"""What puts noise on clean pictures while training: profiles, options, the epoch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import get_worker_info

from noisegen.dataset.plan import DatasetOptions
from noisegen.dataset.survey import drawn, without_profile
from noisegen.errors import UsageError, in_python
from noisegen.model.device import select_device
from noisegen.model.weights import load_weights
from noisegen.online.tensors import Pixels
from noisegen.profiles.drawn import draw_profiles, parse_draws
from noisegen.profiles.profile import NoiseProfile
from noisegen.profiles.sources import Profiles, fitting_profiles, refuse_both
from noisegen.synthesis.clean_rows import ArrayRows
from noisegen.synthesis.levels import Levels, in_unit_range, likely_level, profile_words
from noisegen.synthesis.synthesizer import CleanError, Synthesizer

Strength = float | tuple[float, float]

DRAWN = 16
"""Cameras that are drawn where nobody says how many."""


@dataclass(frozen=True)
class DrawnCameras:
    """Simulated cameras to draw instead of profiles that are given.

    Attributes:
        draw: kinds and ISO, as for ``noisegen synth --draw``.
        count: of cameras.
        gray: for gray pictures; else for RGB.
    """

    draw: str
    count: int = DRAWN
    gray: bool = False


def profiles_or_draw(
    profiles: Profiles | None, draw: str | DrawnCameras | None
) -> Profiles | DrawnCameras:
    """Whichever of the two is given.

    Raises:
        UsageError: both or none are, or there is nothing to draw.
    """
    refuse_both(profiles, draw)
    if draw is None:
        return () if profiles is None else profiles
    cameras = draw if isinstance(draw, DrawnCameras) else DrawnCameras(draw)
    if not isinstance(cameras.count, Integral) or cameras.count < 1:
        raise UsageError(f"count={cameras.count!r}: draw 1 camera or more")
    parse_draws(cameras.draw)
    return cameras


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
        reason = without_profile(clean.shape[2], self.profiles)
        if reason is not None:
            raise CleanError(reason)
        profile, version = drawn(self.profiles, clean.shape[2], self.options, key, epoch)
        profile, levels = self._taken(clean if whole is None else whole, profile, in_counts)
        making = synthesizer(self.weights, self.device)
        noisy = making.synthesize(clean, profile, **vars(version), levels=levels)
        return noisy, levels.white

    def _taken(
        self, whole: Pixels, profile: NoiseProfile, in_counts: bool
    ) -> tuple[NoiseProfile, Levels]:
        """The profile in a picture's units, and how its counts are taken."""
        given = self.options.white_level if whole.dtype != np.uint8 else None
        if whole.dtype.kind == "f" and not in_counts and given is None:
            profile = in_unit_range(profile)
            _refuse_beyond_unit(whole)
        making = synthesizer(self.weights, self.device)
        levels = making.check([ArrayRows(whole)], profile, given)
        if levels.brighter and given is None:
            # Pairs are scaled by the white level, which must be one for all.
            raise CleanError(
                f"goes beyond the white level of profile {profile.name}, {profile_words(profile)}; "
                f"give white_level={levels.white:g}, or make the profile again with it"
            )
        return profile, levels


def _refuse_beyond_unit(clean: Pixels) -> None:
    highest = float(clean.max(initial=0))
    if 1 < highest < np.inf:
        likely = likely_level(highest, whole=True)
        raise CleanError(
            f"has values up to {highest:g}, outside [0, 1]; divide by {likely:g}, or give "
            f"white_level={likely:g}"
        )


@in_python()
def make_camera(
    profiles: Profiles | DrawnCameras,
    weights: str | Path,
    device: str,
    strength: Strength,
    **options: Any,  # noqa: ANN401
) -> Camera:
    """Checks everything at once, in the process that trains.

    Args:
        profiles: one or more, or what they are drawn from.
        weights: that they were made with.
        device: where the generator runs.
        strength: factor on the noise, or the lowest and highest.
        options: others of :class:`DatasetOptions`.

    Raises:
        ProfileError: a profile is missing, damaged, or of other weights.
        WeightsError: the weights are unknown or damaged.
        UsageError: an option or the device cannot be.
    """
    # One number is settled to a pair by the options themselves.
    checked = DatasetOptions(strength=strength, **options)  # type: ignore[arg-type]
    loaded = synthesizer(str(weights), device).weights
    fitting = (
        draw_profiles(
            parse_draws(profiles.draw), profiles.count, checked.seed, loaded, profiles.gray
        )
        if isinstance(profiles, DrawnCameras)
        else fitting_profiles(profiles, loaded)
    )
    return Camera(tuple(fitting), str(weights), device, checked)


def synthesizer(weights: str, device: str) -> Synthesizer:
    """This process's synthesizer for some weights and device, made when it is first needed.

    Args:
        weights: shipped name or path.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Raises:
        WeightsError: unknown, damaged, or of another version.
        UsageError: a device that this machine does not have, or one other than the CPU in a worker.
    """
    selected = select_device(device).type
    if selected != "cpu" and get_worker_info() is not None:
        raise UsageError(
            f"device {selected}: cannot be used in a loader's workers; give device='cpu', or "
            "num_workers=0"
        )
    return _made(weights, selected)


@lru_cache(maxsize=4)
def _made(weights: str, device: str) -> Synthesizer:
    return Synthesizer(load_weights(weights), device)


class SharedEpoch:
    """A number in memory that processes share.

    A loader's workers hold copies of the dataset, and persistent ones keep them from epoch to
    epoch: an attribute that is set in the main process would never reach them.
    """

    def __init__(self) -> None:
        self._number = torch.zeros((), dtype=torch.int64).share_memory_()

    def set(self, number: int) -> None:
        """Sets the number for all processes.

        Raises:
            UsageError: it is negative, or no whole number.
        """
        if not isinstance(number, Integral) or not 0 <= number < 2**63:
            raise UsageError(f"epoch {number!r}: give a whole number, 0 or more")
        self._number.fill_(int(number))

    def __int__(self) -> int:
        return int(self._number)

    def __getstate__(self) -> dict[str, Any]:
        return {"number": self._number}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # What a worker was handed is shared already; a copy made by other means is to be as well.
        self._number = state["number"].share_memory_()
