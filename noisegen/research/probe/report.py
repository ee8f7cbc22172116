"""A probe of prompts → what its report shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from noisegen.evaluation.report.charts import KINDS, Chart, Look, Series
from noisegen.evaluation.report.view import ChartGroup, Report
from noisegen.evaluation.tables import Table
from noisegen.research.probe.accuracy import PROBES, Told
from noisegen.research.probe.run import PROMPT, SHOWN_PROBE, Answered, Probed

TITLE = "Prompts in two dimensions"
WORDS = {"camera": "camera", "iso": "ISO"}
OTHERS = "gray"
"""Colour of the labels that no colour is left for."""

MARGIN = 0.06

HOW = (
    "A crop's label is told by crops of other scenes alone, never by its own scene's. In brackets "
    "the 95 % interval, by bootstrap over scenes. Shuffled: labels are dealt at random to the "
    "scenes; 95 of 100 deals stay below the figure in brackets."
)
CONFOUND = (
    "What brightness alone tells above chance is the scenes' doing, not the cameras': read the "
    "prompt's figure against it. Measured statistics are what a profile holds beside the prompt."
)


def probe_report(probed: Probed, name: str, weights: str, blind: bool) -> Report:
    """The report of a probe.

    Args:
        probed: what was found.
        name: of the data.
        weights: name and hash of the encoder's.
        blind: whether cleans were withheld.
    """
    facts = [("crops", f"{probed.crops}"), ("scenes", f"{probed.scenes}")]
    for one in probed.answered:
        best = one.told[PROMPT][SHOWN_PROBE]
        facts.append((f"{WORDS[one.name]} told by the prompt", f"{100 * best.accuracy:.0f} %"))
        facts.append((f"{WORDS[one.name]}, by chance", f"{100 * one.labels.majority:.0f} %"))
    note = (
        "The prompts' two directions of most variance, found without any label; a dot is a crop. "
        f"They hold {100 * sum(probed.shares):.0f} % of the variance."
    )
    charts = tuple(_map(probed, one) for one in probed.answered)
    tables = [table for one in probed.answered for table in (_accuracy(one), _confusion(one))]
    tables[0] = replace(tables[0], note=f"{tables[0].note} {HOW} {CONFOUND}")
    clean = "estimated, none was given to the encoder" if blind else "as given"
    recipe = (("weights", weights), ("clean", clean), ("crop", "256 by 256 pixels, each alone"))
    return Report(
        title=name,
        subtitle="what prompts tell",
        facts=tuple(facts),
        strips=(),
        groups=(ChartGroup(TITLE, note, charts),),
        scores=tuple(tables),
        recipe=(Table("", ("", ""), recipe),),
        warnings=probed.doubts,
        charts_title=TITLE,
    )


def accuracy_headings() -> tuple[str, ...]:
    """Headings of the columns of :func:`accuracy_rows`."""
    return ("told by", *PROBES)


def accuracy_rows(one: Answered) -> tuple[tuple[str, ...], ...]:
    """Rows of a vector's accuracy by each probe, then of the prompt's with shuffled labels."""
    rows = [(vector, *map(_cell, by_probe.values())) for vector, by_probe in one.told.items()]
    shuffled = map(_shuffled_cell, one.told[PROMPT].values())
    return (*rows, ("prompt, labels shuffled", *shuffled))


def _cell(told: Told) -> str:
    return f"{100 * told.accuracy:.0f} % ({100 * told.low:.0f}–{100 * told.high:.0f})"


def _shuffled_cell(told: Told) -> str:
    return f"{100 * told.shuffled:.0f} % (up to {100 * told.shuffled_high:.0f})"


def _accuracy(one: Answered) -> Table:
    labels = one.labels
    counts = ", ".join(f"{name}: {count}" for name, count in labels.scene_counts.items())
    left_out = [name for name, count in labels.scene_counts.items() if count < 2]
    alone = f" Not asked, for lack of a second scene: {', '.join(left_out)}." if left_out else ""
    chance = f"Always the one of most scenes: {100 * labels.majority:.0f} %."
    return Table(
        f"{_title(one)}, share of crops told right",
        accuracy_headings(),
        accuracy_rows(one),
        f"{chance} Scenes: {counts}.{alone}",
    )


def _confusion(one: Answered) -> Table:
    names = one.labels.names
    rows = tuple(
        (name, *(f"{100 * share:.0f} %" if share else "–" for share in shares))
        for name, shares in zip(names, one.confusion, strict=True)
    )
    return Table(
        f"{_title(one)}: what was told by the prompt",
        ("is", *names),
        rows,
        f"Share of a row's crops, by the {SHOWN_PROBE} probe.",
    )


def _title(one: Answered) -> str:
    word = WORDS[one.name]
    return word[0].upper() + word[1:]


def _map(probed: Probed, one: Answered) -> Chart:
    places = probed.places[one.crops]
    counts = np.bincount(one.labels.index, minlength=len(one.labels.names))
    # The labels of most crops have colours; in reading order, as the legend is.
    coloured = sorted(np.argsort(-counts, kind="stable")[: len(KINDS)].tolist())
    series = []
    for place, name in enumerate(one.labels.names):
        here = places[one.labels.index == place]
        colour = KINDS[coloured.index(place)] if place in coloured else OTHERS
        series.append(Series(name, colour, Look.DOTS, here[:, 0], here[:, 1]))
    (left, bottom), (right, top) = probed.places.min(0), probed.places.max(0)
    across, up = MARGIN * (right - left) or 1.0, MARGIN * (top - bottom) or 1.0
    told = one.told[PROMPT][SHOWN_PROBE].accuracy
    word = WORDS[one.name]
    return Chart(
        f"prompts-{one.name}",
        f"Prompts by {word}",
        f"{len(places)} crops of {len(one.labels.names)} values of {word} along the prompts' first "
        f"two principal components; {100 * told:.0f} % are told right by the whole prompt.",
        f"first component, {100 * probed.shares[0]:.0f} % of variance",
        f"second component, {100 * probed.shares[1]:.0f} %",
        tuple(series),
        (float(left - across), float(right + across)),
        (float(bottom - up), float(top + up)),
    )
