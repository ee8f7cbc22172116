"""Charts drawn by matplotlib: SVG that takes its colours from the page, or a PNG.

Figures are made without pyplot, whose state is global. Import this module only to draw.
"""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from noisegen.evaluation.report.charts import COLOURS, Chart, Look, Series
from noisegen.evaluation.report.view import Report, Strip

SOFT, RULE = COLOURS["soft"][0], COLOURS["rule"][0]
STYLE = {
    "axes.facecolor": "none",
    "axes.edgecolor": SOFT,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelcolor": SOFT,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "font.size": 12,
    "grid.color": RULE,
    "legend.columnspacing": 1.2,
    "legend.fontsize": 11,
    "legend.frameon": False,
    "svg.fonttype": "none",
    # Identities inside an SVG are random without.
    "svg.hashsalt": "noisegen",
    # A dollar in a name is a dollar.
    "text.parse_math": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.major.pad": 5,
    "ytick.major.pad": 6,
    "ytick.major.size": 0,
}
LOOKS: dict[Look, dict[str, Any]] = {
    Look.LINE: {"lw": 1.8},
    Look.WIDE: {"lw": 5, "alpha": 0.5},
    Look.PALE: {"lw": 1.5, "alpha": 0.35},
    Look.DOTS: {"ls": "", "marker": "o", "ms": 6.4, "mew": 0, "clip_on": False, "zorder": 3},
    Look.PALE_DOTS: {"ls": "", "marker": "o", "ms": 6.4, "mew": 0, "alpha": 0.35},
}
SVG_SIZE, SVG_INSIDE = (460, 280), (62, 44, 386, 226)
"""Size of a chart on the page; left, bottom, width and height of its axes; in pixels."""

PNG_SIZE, PNG_DPI = (700, 450), 115.2
"""Size in points, and dots an inch, of a chart as PNG: 1120×720 pixels."""

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

PLOT_WIDTH, PICTURE, PANEL = 1320, 384, 320
"""Width of a profile's plot, side of a picture, height of a chart; in pixels."""

LEFT, RIGHT, TOP, GAP = 80, 30, 112, 84
"""Pixels around a profile's plot, and between its panels."""

LONGEST_NAME = 40
"""Letters of a file's name above its picture."""

# Where a font cache cannot be kept, matplotlib says so on every start.
logging.getLogger("matplotlib").setLevel(logging.ERROR)


def chart_svg(chart: Chart, identity: str) -> str:
    """Draws an ``<svg>`` element of the page, the same for the same chart.

    Args:
        chart: what is drawn.
        identity: unique on the page.
    """
    with chart_style():
        figure = figure_of(SVG_SIZE, 72)
        axes = axes_at(figure, *SVG_INSIDE)
        draw_chart(axes, chart)
        # Clear of the numbers in the larger letters of a phone.
        axes.xaxis.set_label_coords(0.5, -25 / SVG_INSIDE[3])
        axes.yaxis.set_label_coords(-46 / SVG_INSIDE[2], 0.5)
        figure.patch.set_visible(False)
        drawn = saved(figure, "svg", dict.fromkeys(("Creator", "Date", "Format", "Type"))).decode()
    words = f'<title id="{identity}-t">{escape(chart.title)}</title>'
    words += f'<desc id="{identity}-d">{escape(chart.description)}</desc>'
    size = " ".join(map(str, SVG_SIZE))
    head = f'<svg viewBox="0 0 {size}" role="img" aria-labelledby="{identity}-t {identity}-d">'
    body = drawn[drawn.index(">", drawn.index("<svg")) + 1 :].replace("xlink:href", "href")
    names = {light: name for name, (light, _) in COLOURS.items()}
    body = re.sub("(?<=: )#[0-9a-f]{6}", lambda hit: f"var(--{names[hit[0]]})", body)
    # Its style would be the whole page's.
    body = re.sub("<defs>\\s*<style.*?</style>\\s*</defs>", "", body, flags=re.DOTALL)
    body = re.sub(' id="(?![mp][0-9a-f]{10})[^"]*"', "", body)
    body = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{identity}-", body)
    # The page's own font, at its own size on a phone.
    body = re.sub("font-size: [^;]*; font-family: [^;]*; ", "", body)
    body = re.sub(r' transform="rotate\(-0 [^"]*"', "", body)
    body = re.sub(r'(?<=[ "])(\d+\.\d\d)\d+(?=[ "])', r"\1", body)
    return head + words + " ".join(body.split()).replace("> <", "><")


def charts_png(charts: Sequence[Chart], legend_beside: bool = False) -> bytes:
    """Draws charts side by side as a PNG, the same for the same charts.

    Args:
        charts: one or more.
        legend_beside: one legend for all of them, that of the first.
    """
    with chart_style():
        size = (150 + 400 * len(charts), 420) if legend_beside else PNG_SIZE
        figure = figure_of(size, PNG_DPI, layout="constrained")
        panels = figure.subplots(1, len(charts), squeeze=False)[0]
        for axes, chart in zip(panels, charts, strict=True):
            if legend_beside:
                draw_chart(axes, chart)
                axes.set_title(chart.title, loc="left")
            else:
                _draw_titled(axes, chart)
        if legend_beside:
            figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right upper")
        return saved(figure, "png", {"Software": None})


def report_png(report: Report, subtitle: str) -> bytes:
    """A profile's report in short as a PNG: reference and residuals if it has any, and its charts.

    Args:
        report: of a profile.
        subtitle: below the title.
    """
    (group,) = report.groups
    pictures = (PICTURE + GAP) * len(report.strips)
    height = TOP + pictures + 2 * (PANEL + GAP)
    width = (PLOT_WIDTH - LEFT - RIGHT - GAP) // 2
    note = "" if report.strips else group.note
    with chart_style():
        figure = figure_of((PLOT_WIDTH, height), 72)
        for place, text, size in ((18, report.title, 18), (46, subtitle, 13), (66, note, 13)):
            at = LEFT / PLOT_WIDTH, 1 - place / height
            figure.text(*at, text, size=size, va="top")
        for strip in report.strips:
            _draw_strip(figure, strip, height - TOP)
        for index, chart in enumerate(group.charts):
            row, column = divmod(index, 2)
            bottom = (1 - row) * (PANEL + GAP) + GAP - 20
            axes = axes_at(figure, LEFT + column * (width + GAP), bottom, width, PANEL)
            _draw_titled(axes, chart)
        return saved(figure, "png", {"Software": None})


def _draw_strip(figure: Figure, strip: Strip, top: int) -> None:
    """Draws the reference and both residuals, each pixel as a whole number of pixels."""
    _, reference, _, residual, generated = strip.panels
    apart = (PLOT_WIDTH - LEFT - RIGHT - PICTURE) // 2
    rows, columns = reference.pixels.shape[:2]
    zoom = max(1, PICTURE // max(rows, columns))
    name = strip.name
    short = name if len(name) <= LONGEST_NAME else f"…{name[1 - LONGEST_NAME :]}"
    titles = short, residual.label, generated.label
    for index, panel in enumerate((reference, residual, generated)):
        left = LEFT + index * apart
        axes = axes_at(figure, left, top - zoom * rows, zoom * columns, zoom * rows)
        axes.imshow(
            panel.pixels.squeeze(), cmap="gray", vmin=0, vmax=255, interpolation="nearest",
            aspect="auto",
        )  # fmt: skip
        axes.set_axis_off()
        axes.set_title(titles[index], loc="left")
    at = LEFT / PLOT_WIDTH, (top - zoom * rows - 8) / (72 * figure.get_figheight())
    figure.text(*at, f"{zoom}:1; {strip.note}", va="top")


def _draw_titled(axes: Axes, chart: Chart) -> None:
    draw_chart(axes, chart)
    axes.set_title(chart.title, loc="left")
    named = sum(bool(series.name) for series in chart.series)
    axes.legend(ncols=(named + 1) // 2)


def draw_chart(axes: Axes, chart: Chart) -> None:
    """Draws a chart's curves, axes and ticks."""
    for series in chart.series:
        _draw_series(axes, series, "steps-mid" if chart.steps else "default")
    axes.set_xlim(*chart.x_range)
    axes.set_ylim(*chart.y_range)
    low, high = chart.y_range
    if chart.logarithmic:
        axes.set_yscale("log")
        few = high / low > 1e3
        axes.yaxis.set_major_locator(LogLocator(subs=(1,) if few else (1, 2, 5), numticks=12))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: _number(value)))
    axes.set_xlabel(chart.across)
    axes.set_ylabel(chart.up)


def _draw_series(axes: Axes, series: Series, drawstyle: Any) -> None:  # noqa: ANN401
    colour = COLOURS[series.colour][0] if series.colour in COLOURS else series.colour
    # An empty label begins with an underscore, so that no legend has it.
    label = series.name or "_"
    axes.plot(
        series.x, series.y, color=colour, label=label, drawstyle=drawstyle, **LOOKS[series.look]
    )


def _number(value: float) -> str:
    exponent = round(float(np.log10(value))) if value > 0 else 0
    if exponent < -1 and np.isclose(value, 10.0**exponent):
        return f"10{str(exponent).translate(SUPERSCRIPTS)}"
    return f"{value:g}".replace("-", "−")


@contextmanager
def chart_style() -> Iterator[None]:
    """Set matplotlib's look, whatever a user's own settings are."""
    with matplotlib.style.context(["default", STYLE]), warnings.catch_warnings():
        # A name may hold characters that the font lacks: boxes will do.
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        yield


def figure_of(size: tuple[float, float], dpi: float, **more: Any) -> Figure:  # noqa: ANN401
    """A figure of so many points, 72 to the inch."""
    return Figure(figsize=(size[0] / 72, size[1] / 72), dpi=dpi, **more)


def axes_at(figure: Figure, left: int, bottom: int, width: int, height: int) -> Axes:
    """Axes at a place in points from the figure's lower left corner."""
    across, up = (72 * side for side in figure.get_size_inches())
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def saved(figure: Figure, kind: str, metadata: dict[str, Any]) -> bytes:
    """The bytes of a file of a figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=figure.dpi, metadata=metadata)
    return buffer.getvalue()
