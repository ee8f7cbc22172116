"""What a report shows, before it becomes a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noisegen.evaluation.report.charts import Chart
from noisegen.evaluation.tables import Table
from noisegen.noise.arrays import Bytes, Floats

STRETCH = 3.0
"""Standard deviations that a shown residual reaches to."""

DIM = 0.5
"""A crop whose brightest pixels stay below is brightened."""


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture of a strip.

    Attributes:
        label: what it is, in a word or two.
        pixels: h×w×C uint8, as shown.
    """

    label: str
    pixels: Bytes


@dataclass(frozen=True, eq=False)
class Strip:
    """The same crop as several pictures side by side.

    Attributes:
        name: of the pair or reference.
        note: how it is shown.
        panels: of one size.
    """

    name: str
    note: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, eq=False)
class ChartGroup:
    """Charts that belong together, as those of one profile's noise."""

    title: str
    note: str
    charts: tuple[Chart, ...]


@dataclass(frozen=True, eq=False)
class Report:
    """Content of a page.

    Attributes:
        title: name of the dataset or profile.
        subtitle: what it is.
        facts: label and value, the most telling first.
        strips: crops.
        groups: charts.
        scores: tables.
        recipe: tables.
        recipe_json: as it lies on the disk; empty for none.
        skipped: files that were left out, with their reasons; None where nothing could be.
        warnings: what is doubtful.
        charts_title: over the charts.
    """

    title: str
    subtitle: str
    facts: tuple[tuple[str, str], ...]
    strips: tuple[Strip, ...]
    groups: tuple[ChartGroup, ...]
    scores: tuple[Table, ...]
    recipe: tuple[Table, ...]
    recipe_json: str = ""
    skipped: Table | None = None
    warnings: tuple[str, ...] = ()
    charts_title: str = "Noise"

    @property
    def charts(self) -> list[tuple[str, Chart]]:
        """Every chart, with a file name's stem that tells it apart."""
        several = len(self.groups) > 1
        return [
            (f"{chart.name}-{number}" if several else chart.name, chart)
            for number, group in enumerate(self.groups, 1)
            for chart in group.charts
        ]


def strip(name: str, clean: Floats, noisies: Sequence[tuple[str, Floats]], note: str = "") -> Strip:
    """Shows a crop's clean, its noisy versions and their residuals, all residuals to one scale.

    Args:
        name: of the pair.
        clean: h×w×C in units of the white level.
        noisies: label and picture; the first one's noise sets the scale.
        note: what else there is to say.
    """
    bright = max(float(np.quantile(picture, 0.999)) for _, picture in [("", clean), *noisies])
    factor = 1 / max(bright, 1e-6) if bright < DIM else 1.0
    reach = STRETCH * max(float((noisies[0][1] - clean).std()), 1e-6)
    pictures = [("clean", clean * factor), *((label, noisy * factor) for label, noisy in noisies)]
    pictures += [
        (f"{label}: residual", (noisy - clean) / (2 * reach) + 0.5) for label, noisy in noisies
    ]
    shown = f"residuals: black to white is ±{STRETCH:g}σ, ±{255 * reach:.3g} of 255"
    brightened = f"pictures brightened {factor:.2g}×" if factor > 1 else ""
    words = "; ".join(filter(None, (shown, brightened, note)))
    return Strip(name, words, tuple(Panel(label, _bytes(pixels)) for label, pixels in pictures))


def _bytes(pixels: Floats) -> Bytes:
    return np.rint(255 * np.clip(pixels, 0, 1)).astype(np.uint8)
