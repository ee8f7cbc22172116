"""A profile judged: its model fitted to one half of the references, tried on the other.

The profile itself rests on all of them.
"""

from __future__ import annotations

from noisegen.fitting.trial import Trial, draw_measured
from noisegen.model.content_network import ContentNetwork
from noisegen.noise.windows import Windows
from noisegen.references.completed import measure_whole
from noisegen.references.create import Measured
from noisegen.references.quality import Quality

TRIED = 384
"""Windows that judge (0.4 Mpx)."""

FEWEST_WINDOWS = 16
"""Windows that are halved; of fewer, all are fitted and judge."""


def judge(measured: Measured, network: ContentNetwork | None) -> Quality:
    """How far noise of a model of one half of the references is from the other half's.

    Args:
        measured: the references.
        network: of the learned content, if that may count; on the CPU.
    """
    learned, judging = halves(measured.windows)
    judging = judging.take_blocks(TRIED)
    half = measure_whole(learned, network)
    trial = Trial(judging, draw_measured(half, judging, network))
    return trial.quality(measured.estimated_share, measured.used_share)


def halves(windows: Windows) -> tuple[Windows, Windows]:
    """Windows to learn from and to judge by: squares of a chess board, of several windows each."""
    if len(windows) < FEWEST_WINDOWS:
        return windows, windows
    black = windows.chessboard()
    return windows.where(~black), windows.where(black)
