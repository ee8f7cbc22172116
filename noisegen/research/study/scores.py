"""Runs → means with their spread, and differences between arms, paired by seed and picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noisegen.noise.arrays import Doubles
from noisegen.research.study.arms import CONTRASTS
from noisegen.research.study.runs import ArmRun

YARDSTICK = "real"
"""Arm that every other one is compared with."""


@dataclass(frozen=True)
class ArmQuality:
    """Quality of one arm on one test, mean over seeds and test pictures.

    Attributes:
        arm: its name.
        test: the test's.
        seeds: how many.
        psnr: in dB.
        ssim: at most 1.
        psnr_over_seeds: standard deviation of the mean PSNR between seeds; None for one seed.
        ssim_over_seeds: of the mean SSIM.
    """

    arm: str
    test: str
    seeds: int
    psnr: float
    ssim: float
    psnr_over_seeds: float | None
    ssim_over_seeds: float | None


@dataclass(frozen=True)
class ArmDifference:
    """Lead of one arm over another on one test, paired by seed and test picture.

    Attributes:
        arm: its name.
        against: the other's.
        test: the test's.
        psnr: mean difference in dB.
        ssim: mean difference.
        psnr_error: standard error of ``psnr`` over test pictures, each averaged over the seeds;
            crops of one picture count as one. None for one picture.
        psnr_over_seeds: standard deviation of the mean difference between seeds; None for one.
    """

    arm: str
    against: str
    test: str
    psnr: float
    ssim: float
    psnr_error: float | None
    psnr_over_seeds: float | None


def qualities(runs: Sequence[ArmRun]) -> list[ArmQuality]:
    """Quality of each arm on each test, in the order in which they come."""
    found = []
    for arm in _arms(runs):
        for test in _tests(runs):
            psnrs, ssims, _ = _table(runs, arm, test)
            found.append(
                ArmQuality(
                    arm,
                    test,
                    len(psnrs),
                    float(psnrs.mean()),
                    float(ssims.mean()),
                    _spread(psnrs.mean(1)),
                    _spread(ssims.mean(1)),
                )
            )
    return found


def differences(runs: Sequence[ArmRun]) -> list[ArmDifference]:
    """Differences of each arm from the yardstick, then the other contrasts.

    Args:
        runs: every arm from the same seeds; what has one run alone is compared with all of them.
    """
    arms = _arms(runs)
    pairs = [(arm, YARDSTICK) for arm in arms if arm != YARDSTICK]
    pairs += CONTRASTS
    return [
        _difference(runs, arm, against, test)
        for arm, against in pairs
        if arm in arms and against in arms
        for test in _tests(runs)
    ]


def _difference(runs: Sequence[ArmRun], arm: str, against: str, test: str) -> ArmDifference:
    psnrs, ssims, scenes = _table(runs, arm, test)
    other_psnrs, other_ssims, _ = _table(runs, against, test)
    by_seed = psnrs - other_psnrs
    names = sorted(set(scenes))
    of_scene = [by_seed[:, [s == name for s in scenes]].mean() for name in names]
    spread = _spread(np.array(of_scene))
    return ArmDifference(
        arm,
        against,
        test,
        float(by_seed.mean()),
        float((ssims - other_ssims).mean()),
        None if spread is None else spread / len(names) ** 0.5,
        _spread(by_seed.mean(1)),
    )


def _table(runs: Sequence[ArmRun], arm: str, test: str) -> tuple[Doubles, Doubles, list[str]]:
    """PSNR and SSIM of an arm, seeds × pictures, and the pictures' scenes."""
    rows = [[score for score in run.scores if score.test == test] for run in runs if run.arm == arm]
    psnrs = np.array([[score.psnr for score in row] for row in rows])
    ssims = np.array([[score.ssim for score in row] for row in rows])
    return psnrs, ssims, [score.scene for score in rows[0]]


def _spread(values: Doubles) -> float | None:
    return float(values.std(ddof=1)) if len(values) > 1 else None


def _arms(runs: Sequence[ArmRun]) -> list[str]:
    return list(dict.fromkeys(run.arm for run in runs))


def _tests(runs: Sequence[ArmRun]) -> list[str]:
    return list(dict.fromkeys(score.test for score in runs[0].scores))
