"""Learning curves of a study as charts: one a test, a line an arm, mean over seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from noisegen.evaluation.report.charts import Chart, Look, Series
from noisegen.research.study.runs import NOISY, ArmRun


def curve_charts(runs: Sequence[ArmRun], tests: Sequence[str]) -> list[Chart]:
    """A chart a test.

    Args:
        runs: with their curves; those that have none are left out.
        tests: their names.
    """
    arms = [arm for arm in dict.fromkeys(run.arm for run in runs) if arm != NOISY]
    charts = []
    for test in tests:
        series = tuple(
            _mean_curve(arm, f"C{index % 10}", [run for run in runs if run.arm == arm], test)
            for index, arm in enumerate(arms)
        )
        steps, psnrs = (
            np.concatenate([getattr(one, axis) for one in series] or [[0]]) for axis in "xy"
        )
        around = 0.05 * (np.ptp(psnrs) or 1)
        y_range = float(psnrs.min() - around), float(psnrs.max() + around)
        x_range = 0.0, float(steps.max() or 1)
        charts.append(Chart(test, test, "", "steps", "PSNR, dB", series, x_range, y_range))
    return charts


def _mean_curve(arm: str, colour: str, runs: Sequence[ArmRun], test: str) -> Series:
    found: dict[int, list[float]] = {}
    for run in runs:
        for point in run.curve:
            if point.test == test:
                found.setdefault(point.step, []).append(point.psnr)
    psnrs = np.array([float(np.mean(values)) for values in found.values()])
    return Series(arm, colour, Look.LINE, np.array(list(found), float), psnrs)
