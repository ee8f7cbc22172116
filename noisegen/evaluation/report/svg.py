"""A chart as SVG that takes its colours from the page, and so follows light and dark."""

from __future__ import annotations

from html import escape

import numpy as np

from noisegen.evaluation.report.charts import Chart, Look, Series, ticks

WIDTH, HEIGHT = 460, 280
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 10, 44


def chart_svg(chart: Chart, identity: str) -> str:
    """An ``<svg>`` element.

    Args:
        chart: what is drawn.
        identity: unique on the page.
    """
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-labelledby="{identity}-t {identity}-d">',
        f'<title id="{identity}-t">{escape(chart.title)}</title>',
        f'<desc id="{identity}-d">{escape(chart.description)}</desc>',
        *_axes(chart),
        *(_series(chart, series) for series in chart.series),
        "</svg>",
    ]
    return "".join(parts)


def legend(chart: Chart) -> str:
    """The series' names beside their colours, as a list."""
    items = "".join(
        f'<li class="c-{series.colour} {series.look.value}">{escape(series.name)}</li>'
        for series in chart.series
    )
    return f'<ul class="legend">{items}</ul>'


def _axes(chart: Chart) -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    for value in ticks(*chart.y_range, chart.logarithmic):
        y = _y(chart, value)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{right}"/>')
        parts.append(
            f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
            f"{_number(value)}</text>"
        )
    for value in ticks(*chart.x_range, logarithmic=False):
        x = _x(chart, value)
        parts.append(f'<path class="grid" d="M{x:.1f} {bottom}v4"/>')
        parts.append(
            f'<text class="tick" x="{x:.1f}" y="{bottom + 17}" text-anchor="middle">'
            f"{_number(value)}</text>"
        )
    middle_x, middle_y = (LEFT + right) / 2, (TOP + bottom) / 2
    parts += [
        f'<path class="axis" d="M{LEFT} {bottom}H{right}"/>',
        f'<text class="axis-label" x="{middle_x}" y="{HEIGHT - 5}" text-anchor="middle">'
        f"{escape(chart.across)}</text>",
        f'<text class="axis-label" transform="translate(11 {middle_y}) rotate(-90)" '
        f'text-anchor="middle">{escape(chart.up)}</text>',
    ]
    return parts


def _series(chart: Chart, series: Series) -> str:
    points = [
        (_x(chart, float(x)), _y(chart, float(y))) if np.isfinite(y) else None
        for x, y in zip(series.x, series.y, strict=True)
    ]
    if series.look is Look.DOTS:
        dots = "".join(f'<circle cx="{p[0]:.1f}" cy="{p[1]:.1f}" r="3.2"/>' for p in points if p)
        return f'<g class="dots c-{series.colour}">{dots}</g>'
    path, pen_up = "", True
    for point in points:
        if point is None:
            pen_up = True
            continue
        path += f"{'M' if pen_up else 'L'}{point[0]:.1f} {point[1]:.1f}"
        pen_up = False
    return f'<path class="{series.look.value} c-{series.colour}" d="{path}"/>'


def _x(chart: Chart, value: float) -> float:
    low, high = chart.x_range
    return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)


def _y(chart: Chart, value: float) -> float:
    low, high = chart.y_range
    if chart.logarithmic:
        low, high, value = np.log10(low), np.log10(high), np.log10(max(value, low))
    share = min(max((value - low) / (high - low), 0), 1)
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _number(value: float) -> str:
    exponent = round(float(np.log10(value))) if value > 0 else 0
    if exponent < -1 and np.isclose(value, 10.0**exponent):
        return f"10{str(exponent).translate(SUPERSCRIPTS)}"
    return f"{value:g}".replace("-", "−")
