"""A chart as PNG. Needs matplotlib, the ``plot`` extra; figures are made without pyplot."""

from __future__ import annotations

import io

import matplotlib.style
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from noisegen.evaluation.report.charts import Chart, Look, ticks

COLOURS = {
    "real": "#6b7280",
    "generated": "#c2410c",
    "R": "#c92a2a",
    "G": "#2b8a3e",
    "B": "#1864ab",
    "gray": "#1f2937",
}
DPI = 160


def chart_png(chart: Chart) -> bytes:
    """A PNG of 1120×720 pixels, the same for the same chart."""
    with matplotlib.style.context("default"):
        figure = Figure(figsize=(7, 4.5), dpi=DPI, layout="constrained")
        axes = figure.subplots()
        for series in chart.series:
            colour = COLOURS[series.colour]
            if series.look is Look.DOTS:
                axes.scatter(
                    series.x, series.y, s=22, color=colour, label=series.name, zorder=3,
                    clip_on=False,
                )  # fmt: skip
                continue
            wide = series.look is Look.WIDE
            axes.plot(
                series.x, series.y, color=colour, label=series.name,
                lw=4 if wide else 1.6, alpha=0.5 if wide else 1,
            )  # fmt: skip
        if chart.logarithmic:
            axes.set_yscale("log")
            axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_locator(FixedLocator(ticks(*chart.y_range, chart.logarithmic)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.set_xlim(*chart.x_range)
        axes.set_ylim(*chart.y_range)
        axes.set_title(chart.title, loc="left", size=12)
        axes.set_xlabel(chart.across)
        axes.set_ylabel(chart.up)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="0.92")
        axes.set_axisbelow(True)
        axes.legend(fontsize=8, frameon=False, ncols=max(1, len(chart.series) // 2))
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()
