"""The loop closed: references → profile → tried on the references → corrected, with its quality."""

from __future__ import annotations

from dataclasses import dataclass, replace

from noisegen.fitting.calibrate import calibrate, distance
from noisegen.fitting.trial import judged, tried_windows, try_profile
from noisegen.fitting.tune import tune
from noisegen.model.weights import Weights
from noisegen.references.create import Measured
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
        encoded = profile, trial
        profile, trial = calibrate(*encoded, weights)
        if tune_seconds > 0:
            # A prompt that does not count has no gradient.
            start = (profile, trial) if profile.trust == 1 else encoded
            tuned = tune(*start, measured.windows, weights, tune_seconds)
            # Another prompt may be louder or quieter where calibration had put it right.
            tuned = calibrate(*tuned, weights)
            if distance(judged(tuned[1])) < distance(judged(trial)):
                profile, trial = tuned
    return Fitted(replace(profile, quality=trial.quality()), before)
