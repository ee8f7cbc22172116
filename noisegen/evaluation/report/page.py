"""A report as one HTML page that needs nothing else: no network, no script from elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape
from pathlib import Path

import imagecodecs

import noisegen
from noisegen.evaluation.report.charts import Chart
from noisegen.evaluation.report.svg import chart_svg, legend
from noisegen.evaluation.report.view import ChartGroup, Panel, Report, Strip, Table

HERE = Path(__file__).parent

LARGEST_ZOOM = 8
FIRST_ZOOM = 2
"""Pixels of the screen a pixel: noise is seen, and what it lies on too."""

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""What the page lets the browser load: what it holds itself."""


def page(report: Report) -> str:
    """The whole page, the same for the same report."""
    style = (HERE / "page.css").read_text(encoding="utf-8")
    script = (HERE / "page.js").read_text(encoding="utf-8")
    sections = [section for section in _sections(report) if section[2]]
    links = "".join(f'<li><a href="#{key}">{title}</a></li>' for key, title, _ in sections)
    body = "".join(
        f'<section id="{key}" aria-labelledby="{key}-h"><h2 id="{key}-h">{title}</h2>{content}'
        "</section>"
        for key, title, content in sections
    )
    title = escape(report.title)
    return (
        '<!doctype html>\n<html lang="en" class="no-script"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}: {escape(report.subtitle)}</title><style>{style}</style></head>\n"
        f'<body><header><p class="kind">{escape(report.subtitle)}</p><h1>{title}</h1>'
        f"{_facts(report)}{_warnings(report)}"
        f'<nav aria-label="Sections"><ul>{links}</ul></nav></header>\n<main>{body}</main>\n'
        f"<footer>Made by noisegen {escape(noisegen.__version__)}. This page holds all that it "
        f"shows and loads nothing.</footer><script>{script}</script></body></html>\n"
    )


def _sections(report: Report) -> Iterator[tuple[str, str, str]]:
    """Key, title and content, in reading order."""
    yield "pictures", "Pictures", _pictures(report)
    yield "noise", escape(report.charts_title), _charts(report)
    yield "scores", "Scores", "".join(_table(table, "figures") for table in report.scores)
    yield "recipe", "How it was made", _recipe(report)
    if report.skipped is not None:
        skipped = report.skipped
        content = _table(skipped, "pairs-table") if skipped.rows else '<p class="note">None.</p>'
        yield "skipped", "Skipped files", content


def _facts(report: Report) -> str:
    items = "".join(
        f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>"
        for label, value in report.facts
    )
    return f'<dl class="facts">{items}</dl>'


def _warnings(report: Report) -> str:
    if not report.warnings:
        return ""
    items = "".join(f"<li>{escape(warning)}</li>" for warning in report.warnings)
    return f'<ul class="warnings" aria-label="Warnings">{items}</ul>'


def _pictures(report: Report) -> str:
    if not report.strips:
        return ""
    slider = (
        '<div class="zoom"><label for="zoom">Zoom</label>'
        f'<input id="zoom" type="range" min="1" max="{LARGEST_ZOOM}" step="1" value="{FIRST_ZOOM}">'
        f'<output id="zoom-value" for="zoom">{FIRST_ZOOM}×</output></div>'
    )
    return slider + "".join(map(_strip, report.strips))


def _strip(strip: Strip) -> str:
    panels = "".join(_panel(strip, panel) for panel in strip.panels)
    odd = " odd" if len(strip.panels) % 2 else ""
    return (
        f'<div class="strip"><h3>{escape(strip.name)}</h3><p class="note">{escape(strip.note)}</p>'
        f'<div class="panels{odd}">{panels}</div></div>'
    )


def _panel(strip: Strip, panel: Panel) -> str:
    height, width = panel.pixels.shape[:2]
    data = base64.b64encode(imagecodecs.png_encode(panel.pixels.squeeze(), level=9)).decode()
    words = escape(f"{panel.label}, a crop of {width} by {height} pixels of {strip.name}", True)
    return (
        f'<figure class="panel"><figcaption>{escape(panel.label)}</figcaption>'
        f'<div class="view" tabindex="0" role="group" aria-label="{words}">'
        f'<img style="--w:{width}" src="data:image/png;base64,{data}" width="{width}" '
        f'height="{height}" alt="{words}">'
        "</div></figure>"
    )


def _charts(report: Report) -> str:
    several = enumerate(report.groups)
    return "".join(_group(group, index, report.charts_title) for index, group in several)


def _group(group: ChartGroup, index: int, above: str) -> str:
    title = f"<h3>{escape(group.title)}</h3>" if group.title != above else ""
    charts = "".join(_chart(chart, f"chart-{index}-{chart.name}") for chart in group.charts)
    return f'{title}<p class="note">{escape(group.note)}</p><div class="charts">{charts}</div>'


def _chart(chart: Chart, identity: str) -> str:
    return (
        f'<figure class="chart"><figcaption><h3>{escape(chart.title)}</h3>{legend(chart)}'
        f"</figcaption>{chart_svg(chart, identity)}</figure>"
    )


def _recipe(report: Report) -> str:
    tables = "".join(_table(table, "pairs-table") for table in report.recipe)
    if not report.recipe_json:
        return tables
    return (
        f"{tables}<details><summary>The recipe, noisegen.json</summary>"
        f'<pre tabindex="0">{escape(report.recipe_json)}</pre></details>'
    )


def _table(table: Table, kind: str) -> str:
    caption = f"<caption>{escape(table.title)}</caption>" if table.title else ""
    head = ""
    if any(table.headings):
        cells = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in table.headings)
        head = f"<thead><tr>{cells}</tr></thead>"
    rows = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for first, *cells in table.rows
    )
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    words = escape(table.title or "table", True)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{words}">'
        f'<table class="{kind}">{caption}{head}<tbody>{rows}</tbody></table></div>{note}'
    )
