"""Learning curves as one PNG: a panel a test, a line an arm, mean over seeds.

Needs matplotlib, the ``plot`` extra; figures are made without pyplot.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import matplotlib as mpl
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from noisegen.evaluation.study.runs import NOISY, Run

DPI = 160


def draw_curves(runs: Sequence[Run], tests: Sequence[str]) -> bytes:
    """A PNG, the same for the same runs.

    Args:
        runs: with their curves; those that have none are left out.
        tests: their names.
    """
    arms = [arm for arm in dict.fromkeys(run.arm for run in runs) if arm != NOISY]
    colours = mpl.colormaps["tab10"].colors  # type: ignore[attr-defined]  # of listed maps only
    with matplotlib.style.context("default"):
        figure = Figure(figsize=(1.5 + 4 * len(tests), 4.2), dpi=DPI, layout="constrained")
        panels = figure.subplots(1, len(tests), squeeze=False)[0]
        for axes, test in zip(panels, tests, strict=True):
            for index, arm in enumerate(arms):
                steps, psnrs = _mean_curve([run for run in runs if run.arm == arm], test)
                axes.plot(steps, psnrs, color=colours[index % len(colours)], lw=1.6, label=arm)
            _dress(axes, test)
        panels[0].set_ylabel("PSNR, dB")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right upper", fontsize=8)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def _mean_curve(runs: Sequence[Run], test: str) -> tuple[list[int], list[float]]:
    found: dict[int, list[float]] = {}
    for run in runs:
        for point in run.curve:
            if point.test == test:
                found.setdefault(point.step, []).append(point.psnr)
    return list(found), [float(np.mean(psnrs)) for psnrs in found.values()]


def _dress(axes: Axes, test: str) -> None:
    axes.set_title(test, loc="left", size=12)
    axes.set_xlabel("steps")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="0.92")
    axes.set_axisbelow(True)
