"""The charts of a report: noise level, histogram, autocorrelation and spectrum, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from noisegen.evaluation.profile_view import Noise, radial_power
from noisegen.noise.arrays import Doubles
from noisegen.noise.intensities import EVEN, SEEN, level_at, shown_at
from noisegen.noise.statistics import LAGS, NoiseStatistics
from noisegen.profiles.profile import NoiseProfile

MOST_BARS = 80
"""Largest number of a histogram's bars on either side of 0, but for rounding."""

CHANNELS = {1: ("gray",), 3: ("R", "G", "B")}

COLOURS = {
    "soft": ("#5d6167", "#9fa3a9"),
    "rule": ("#e2e2de", "#303338"),
    "real": ("#7d838c", "#8d949e"),
    "generated": ("#c2410c", "#ff8a4c"),
    "R": ("#c92a2a", "#ff7b7b"),
    "G": ("#23803a", "#63c97a"),
    "B": ("#1a62b3", "#6db1ff"),
    "gray": ("#33373d", "#d5d8dc"),
    "violet": ("#8a2fa8", "#cf8ce8"),
    "ochre": ("#a87900", "#e0b93a"),
    "teal": ("#0b8793", "#4cc7d2"),
    "pink": ("#c81f66", "#ff7fb0"),
}
"""Name → colour on light and on dark paper; no two names share one."""

FINE = np.linspace(0, 1, 64)
"""Intensities that a pale curve is drawn through."""

KINDS = ("B", "generated", "G", "violet", "ochre", "teal", "pink")
"""Colours of things that have none of their own, the easiest to tell apart first."""


class Look(str, Enum):
    """Look of a series."""

    LINE = "line"
    WIDE = "wide"
    DOTS = "dots"
    PALE = "pale"
    PALE_DOTS = "pale-dots"


@dataclass(frozen=True, eq=False)
class Series:
    """Points of one colour.

    Attributes:
        name: in the legend; empty for none.
        colour: one of ``COLOURS``; in a PNG alone any colour of matplotlib.
        look: how they are drawn.
        x: N, ascending where it is a line.
        y: N; NaN leaves a gap.
    """

    name: str
    colour: str
    look: Look
    x: Doubles
    y: Doubles


@dataclass(frozen=True, eq=False)
class Chart:
    """A chart as data: axes and series.

    Attributes:
        name: stem of a file.
        title: above it.
        description: what it shows, for those who do not see it.
        across: label of the horizontal axis.
        up: label of the vertical axis.
        series: back to front.
        x_range: ends of the horizontal axis.
        y_range: ends of the vertical axis.
        logarithmic: the vertical axis.
        steps: a line holds each value around its point, as a histogram does.
    """

    name: str
    title: str
    description: str
    across: str
    up: str
    series: tuple[Series, ...]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    logarithmic: bool = False
    steps: bool = False


@dataclass(frozen=True, eq=False)
class Sides:
    """Noise on either side of the charts.

    Attributes:
        generated: always there.
        real: beside it, if there is any.
        real_name: what it is called.
        profile: whose measured curves are drawn, if there is one.
        step: of the quantisation, in units of the white level; 0 for none.
    """

    generated: Noise
    real: Noise | None
    real_name: str
    profile: NoiseProfile | None
    step: float

    @property
    def named(self) -> list[tuple[str, str, Look, Noise]]:
        """Name, colour, look and noise of either side, back to front."""
        ours = ("generated", "generated", Look.LINE, self.generated)
        if self.real is None:
            return [ours]
        return [(self.real_name, "real", Look.WIDE, self.real), ours]


def charts_of(sides: Sides) -> tuple[Chart, ...]:
    """Charts of noise level, histogram, autocorrelation and spectrum."""
    return _level(sides), _histogram(sides), _autocorrelation(sides), _spectrum(sides)


def _level(sides: Sides) -> Chart:
    made = sides.generated.statistics
    names = CHANNELS[len(made.level)]
    known, real_name = sides.profile, "measured"
    real = known.measured if known is not None and len(known.sigma) == len(names) else None
    if real is None and sides.real is not None:
        real, real_name = sides.real.statistics, sides.real_name
    series = []
    for c, name in enumerate(names):
        if real is not None:
            series.append(_curve(f"{name} {real_name}", name, Look.LINE, real, c))
        series.append(_curve(f"{name} generated", name, Look.DOTS, made, c))
    if known is not None and real is known.measured:
        series = _with_guesses(series, real)
    # What is guessed beyond what the references show must not squeeze what they do show.
    firm = [one for one in series if one.look in (Look.LINE, Look.DOTS)]
    highest = max(1e-3, *(float(np.nanmax(one.y, initial=0)) for one in firm))
    sigmas = " / ".join(f"{255 * sigma:.2f}" for sigma in made.sigma)
    return Chart(
        "noise-level",
        "Noise level against intensity",
        f"Standard deviation of the noise at each intensity, in steps of 8 bits. Overall the "
        f"generated noise has {sigmas} ({' / '.join(names)}).",
        "intensity, of 255",
        "σ, of 255",
        tuple(series),
        (0, 255),
        (0, 1.25 * highest),
    )


def _with_guesses(series: list[Series], measured: NoiseStatistics) -> list[Series]:
    """Pale what a profile's references do not show: its curves there, and dots beside them."""
    if shown_at(measured, EVEN).all():
        return series
    everywhere = 255.0 * level_at(measured, FINE)
    names = CHANNELS[len(everywhere)]
    found: list[Series] = []
    for one in series:
        if one.look is Look.DOTS:
            known = shown_at(measured, one.x / 255)[names.index(one.colour)]
            firm, pale = (np.where(known == kept, one.y, np.nan) for kept in (True, False))
            found += [Series("", one.colour, Look.PALE_DOTS, one.x, pale), replace(one, y=firm)]
        else:
            found.append(one)
    for name, curve in zip(names, everywhere, strict=True):
        words = "pale: not in the references" if name == names[-1] else ""
        found.append(Series(words, name, Look.PALE, 255.0 * FINE, curve))
    return found


def _curve(name: str, colour: str, look: Look, measured: NoiseStatistics, channel: int) -> Series:
    """A channel's noise level at its nodes, in steps of 8 bits; a gap where no pixel was."""
    level = np.where(measured.pixels[channel] > SEEN, 255.0 * measured.level[channel], np.nan)
    return Series(name, colour, look, 255.0 * measured.nodes[channel], level)


def _histogram(sides: Sides) -> Chart:
    residuals = [255 * noise.residual for *_, noise in sides.named]
    reach = max(float(np.quantile(np.abs(residual), 0.9998)) for residual in residuals)
    edges = _edges(reach, 255 * sides.step)
    middles = (edges[1:] + edges[:-1]) / 2
    series, highest, least = [], 0.0, np.inf
    for (name, colour, look, _), residual in zip(sides.named, residuals, strict=True):
        counts = np.histogram(residual, edges)[0]
        density = counts / residual.size / np.diff(edges)
        highest = max(highest, float(density.max()))
        least = min(least, 0.5 / residual.size / float(edges[1] - edges[0]))
        shown = np.where(counts > 0, density, np.nan)
        series.append(Series(name, colour, look, middles, shown))
    return Chart(
        "histogram",
        "Histogram",
        f"Density of the noise's values, logarithmic; 99.98 % lie within ±{reach:.3g} of 255.",
        "residual, of 255",
        "density",
        tuple(series),
        (float(edges[0]), float(edges[-1])),
        (least, 3 * highest),
        logarithmic=True,
        steps=True,
    )


def _edges(reach: float, step: float) -> Doubles:
    """Edges of bars that hold whole numbers of quantisation's steps, so that none stands out."""
    reach = max(reach, 1e-3)
    width = 2 * reach / MOST_BARS
    if step:
        # An odd number of them: the middle bar, and every other, then ends between two.
        width = step * (2 * int(np.ceil((width / step - 1) / 2).clip(0)) + 1)
    bars = int(np.ceil(reach / width)) + 1
    return np.linspace(-(bars + 0.5) * width, (bars + 0.5) * width, 2 * bars + 2)


def _autocorrelation(sides: Sides) -> Chart:
    lags = np.arange(-LAGS, LAGS + 1).astype(float)
    series = [
        Series(name, colour, look, lags, noise.statistics.autocorrelation[:, LAGS].mean(0) + 0.0)
        for name, colour, look, noise in sides.named
    ]
    if sides.real is None and sides.profile is not None:
        measured = sides.profile.autocorrelation[:, LAGS].mean(0) + 0.0
        series.insert(0, Series("measured", "real", Look.WIDE, lags, measured))
    lowest = min(float(one.y.min()) for one in series)
    neighbour = float(series[-1].y[LAGS + 1])
    return Chart(
        "autocorrelation",
        "Autocorrelation across",
        f"Correlation of the noise with itself some pixels to the right, mean over channels; "
        f"generated, next pixel: {neighbour:.2f}.",
        "distance, pixels",
        "correlation",
        tuple(series),
        (-LAGS, LAGS),
        (min(-0.1, 1.2 * lowest), 1.05),
    )


def _spectrum(sides: Sides) -> Chart:
    # White noise must look flat, however little it varies.
    lowest, highest = 0.3, 3.0
    series = []
    for name, colour, look, noise in sides.named:
        frequency, power = radial_power(noise.residual)
        series.append(Series(name, colour, look, frequency, power))
        lowest, highest = min(lowest, float(power.min())), max(highest, float(power.max()))
    return Chart(
        "spectrum",
        "Spectrum, over all directions",
        "Power of the noise against spatial frequency, logarithmic; white noise has a power of 1 "
        "everywhere.",
        "cycles a pixel",
        "power, white noise = 1",
        tuple(series),
        (0, 0.5),
        (max(lowest / 1.5, 1e-4), 1.5 * highest),
        logarithmic=True,
    )
