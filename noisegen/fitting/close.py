"""The loop closed: references → profile → tried on the references → corrected, with its quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from noisegen.fitting.calibrate import calibrate
from noisegen.fitting.trial import tried_windows, try_profile
from noisegen.fitting.tune import tune
from noisegen.model.weights import Weights
from noisegen.references.burst import Burst
from noisegen.references.create import (
    Measured,
    Reference,
    Repair,
    encode_profile,
    measure_references,
)
from noisegen.references.profile import NoiseProfile
from noisegen.references.quality import Quality

FEWEST_WINDOWS = 16
"""Windows that calibration and tuning need: half of them judge what the other half says."""


@dataclass(frozen=True)
class Fitted:
    """A profile that was tried on its references.

    Attributes:
        profile: corrected where that helped, with its quality.
        before: its quality as the encoder left it.
    """

    profile: NoiseProfile
    before: Quality


def fitted_profile(
    references: Sequence[Reference] | Sequence[Burst],
    weights: Weights,
    *,
    name: str = "profile",
    white_level: float | None = None,
    repair: bool = True,
    tune_seconds: float = 0.0,
) -> Fitted:
    """A profile of references of one camera and setting, tried on them and corrected.

    Args:
        references: one or more noisy pictures, or bursts; all gray or all RGB, of one type.
        weights: whose encoder makes the prompt; the profile is tied to them.
        name: of the profile.
        white_level: of the references' samples; found from them where not given.
        repair: undo gross shift, brightness and drift between a reference and its clean, leave out
            what follows the clean's edges; move a burst's shots onto each other.
        tune_seconds: to tune the prompt by gradient; 0 for none.

    Raises:
        BadReferenceError: no profile can be made; names the reference and the reason.
    """
    kind = Repair.GROSS if repair else Repair.NONE
    measured = measure_references(references, white_level, kind, weights.denoiser)
    profile = encode_profile(measured, weights, name=name)
    return close_loop(profile, measured, weights, tune_seconds)


def close_loop(
    profile: NoiseProfile, measured: Measured, weights: Weights, tune_seconds: float = 0.0
) -> Fitted:
    """The profile calibrated and, if asked for, tuned, with its quality.

    Args:
        profile: encoded from what was measured.
        measured: the references.
        weights: that encoded it.
        tune_seconds: to tune for; 0 for none.
    """
    windows = tried_windows(measured.windows)
    trial = try_profile(profile, windows, weights)
    before = trial.quality()
    if len(windows) >= FEWEST_WINDOWS:
        profile, trial = calibrate(profile, trial, weights)
        if tune_seconds > 0:
            profile, trial = tune(profile, measured.windows, trial, weights, tune_seconds)
    return Fitted(replace(profile, quality=trial.quality()), before)
