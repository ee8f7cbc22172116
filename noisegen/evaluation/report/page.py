"""A report as one HTML page that needs nothing else: no network, no script from elsewhere.

``page.html`` is its template; ``page.css`` and ``page.js`` are set into it.
"""

from __future__ import annotations

import base64
from pathlib import Path

import imagecodecs
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import noisegen
from noisegen.evaluation.report.charts import COLOURS, Chart
from noisegen.evaluation.report.draw import chart_svg
from noisegen.evaluation.report.view import Panel, Report


def page(report: Report) -> str:
    """Renders the whole page, the same for the same report."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        # CSS and script are ours; every word of a report is escaped.
        autoescape=lambda name: name == "page.html",
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    templates.filters["data_url"] = _data_url
    templates.filters["svg"] = _svg
    # Key, title and whether it is shown, in reading order.
    sections = (
        ("pictures", "Pictures", bool(report.strips)),
        ("noise", report.charts_title, bool(report.groups)),
        ("scores", "Scores", bool(report.scores)),
        ("recipe", "How it was made", bool(report.recipe)),
        ("skipped", "Skipped files", report.skipped is not None),
    )
    return templates.get_template("page.html").render(
        report=report, sections=sections, colours=COLOURS, version=noisegen.__version__
    )


def _data_url(panel: Panel) -> str:
    data = imagecodecs.png_encode(panel.pixels.squeeze(), level=9)
    return "data:image/png;base64," + base64.b64encode(data).decode()


def _svg(chart: Chart, identity: str) -> Markup:
    return Markup(chart_svg(chart, identity))
