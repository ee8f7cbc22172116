"""A profile judged: its measured model fitted to one half of the references, tried on the other.

The profile itself rests on all of them. Tuning moves the network's prompt, and counts only where
the judging half says that the network then comes closer than the measured model alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from noisegen.fitting.trial import Trial, draw_measured, try_profile
from noisegen.fitting.tune import tune
from noisegen.model.weights import Weights
from noisegen.noise.windows import Windows
from noisegen.references.completed import measure_whole
from noisegen.references.create import Measured
from noisegen.references.profile import NoiseProfile
from noisegen.references.quality import Quality

TRIED = 384
"""Windows that judge (0.4 Mpx)."""

FEWEST_WINDOWS = 16
"""Windows that are halved; of fewer, all are fitted and judge."""


@dataclass(frozen=True)
class Fitted:
    """A profile that was judged.

    Attributes:
        profile: tuned where that helped, with its quality.
        before: its quality by the measured model alone.
    """

    profile: NoiseProfile
    before: Quality


def close_loop(
    profile: NoiseProfile, measured: Measured, weights: Weights, tune_seconds: float = 0.0
) -> Fitted:
    """The profile with its quality and, if asked for, tuned.

    Args:
        profile: encoded from what was measured.
        measured: the references.
        weights: that encoded it.
        tune_seconds: to tune for; 0 for none.
    """
    learned, judging = halves(measured.windows)
    half = measure_whole(learned, weights.content)
    judging = judging.take_blocks(TRIED)
    shares = measured.estimated_share, measured.used_share
    before = Trial(judging, draw_measured(half, judging, weights.content)).quality(*shares)
    quality = before
    if tune_seconds > 0 and len(learned) >= FEWEST_WINDOWS // 2:
        start = replace(profile, measured=half, trust=1.0)
        tuned = tune(start, learned, weights, tune_seconds)
        tried = try_profile(tuned, judging, weights).quality(*shares)
        if tried.distance < before.distance:
            quality = tried
            profile = replace(profile, tokens=tuned.tokens, trust=1.0, tuned=tuned.tuned)
    return Fitted(replace(profile, quality=quality), before)


def halves(windows: Windows) -> tuple[Windows, Windows]:
    """Windows to learn from and to judge by: squares of a chess board, of several windows each."""
    if len(windows) < FEWEST_WINDOWS:
        return windows, windows
    black = windows.chessboard()
    return windows.where(~black), windows.where(black)
