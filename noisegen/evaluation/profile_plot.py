"""A profile's view drawn: what it was measured on, and generated noise over it, as one PNG.

Needs matplotlib, the ``plot`` extra. Figures are made without pyplot, whose state is global.
"""

from __future__ import annotations

import io
import warnings
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray

from noisegen.evaluation.profile_view import Crop, ProfileView, radial_power
from noisegen.noise.statistics import LAGS
from noisegen.references.intensities import EVEN, SEEN, level_at, shown_at

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Style = dict[str, Any]

DPI = 100
WIDTH = 1320
PICTURE = 384
"""Side of a picture, in pixels: the crop at a whole zoom."""

PANEL = 320
"""Height of a curve's panel."""

LEFT, RIGHT, TOP, GAP = 80, 30, 112, 84
"""Pixels around the panels, and between them."""

ALONE = "no reference given: generated on a built-in picture, smooth and textured ramps"

MEASURED, GENERATED = "#3b3b3b", "#d9480f"
CHANNELS = {1: ((MEASURED,), ("gray",)), 3: (("#c92a2a", "#2b8a3e", "#1864ab"), ("R", "G", "B"))}
PALE = 0.3
STRETCH = 3.0
"""Standard deviations that a shown residual reaches to."""

DIM = 0.5
"""A crop whose brightest pixels stay below is brightened."""

MOST_BARS = 80
"""Of a histogram."""

LONGEST_NAME = 40
"""Letters of a file's name above its picture."""


def draw(view: ProfileView, title: str, subtitle: str) -> bytes:
    """A PNG, the same for the same view.

    Args:
        view: what is drawn.
        title: the profile's name and strength.
        subtitle: how good it is.
    """
    with matplotlib.style.context("default"):
        pictures = PICTURE + GAP if view.crop else 0
        height = TOP + pictures + 2 * (PANEL + GAP)
        figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI)
        figure.text(LEFT / WIDTH, 1 - 18 / height, title, size=14, va="top", parse_math=False)
        figure.text(LEFT / WIDTH, 1 - 44 / height, subtitle, size=10, va="top", color="0.35")
        if view.crop is None:
            figure.text(LEFT / WIDTH, 1 - 62 / height, ALONE, size=10, va="top", color="0.35")
        else:
            _draw_crop(figure, view.crop)
        width = (WIDTH - LEFT - RIGHT - GAP) // 2
        panels = [
            _axes(
                figure,
                LEFT + column * (width + GAP),
                TOP + pictures + row * (PANEL + GAP),
                width,
                PANEL,
            )
            for row in range(2)
            for column in range(2)
        ]
        _draw_level(panels[0], view)
        _draw_histogram(panels[1], view)
        _draw_autocorrelation(panels[2], view)
        _draw_spectrum(panels[3], view)
        buffer = io.BytesIO()
        with warnings.catch_warnings():
            # A name may hold characters that the font lacks: boxes will do.
            warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
            figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def _axes(figure: Figure, left: int, top: int, width: int, height: int) -> Axes:
    """Axes at a place in pixels from the figure's upper left corner."""
    whole_width, whole_height = (round(side * DPI) for side in figure.get_size_inches())
    return figure.add_axes(
        (
            left / whole_width,
            1 - (top + height) / whole_height,
            width / whole_width,
            height / whole_height,
        )
    )


def _draw_crop(figure: Figure, crop: Crop) -> None:
    """The crop, its residual and the generated one, each pixel as a whole number of pixels."""
    sigma = float(crop.residual.std())
    reach = STRETCH * max(sigma, 1e-6)
    bright = float(np.quantile(crop.noisy, 0.999))
    factor = 1 / max(bright, 1e-6) if bright < DIM else 1.0
    shown = f", brightened {factor:.2g}×" if factor > 1 else ""
    stretch = f"±{STRETCH:g}σ = ±{255 * reach:.3g} of 255"
    without = " to a clean ESTIMATED by the denoiser" if crop.estimated else ""
    kept = "; lacks what the denoiser kept" if crop.estimated else ""
    pictures = (
        (crop.noisy * factor, f"{_short(crop.name)}{shown}", "a crop of the reference"),
        (crop.residual / (2 * reach) + 0.5, f"its residual{without}", stretch + kept),
        (crop.generated / (2 * reach) + 0.5, "generated residual", stretch),
    )
    height, width = crop.noisy.shape[:2]
    zoom = max(1, PICTURE // max(height, width))
    apart = (WIDTH - LEFT - RIGHT - 3 * PICTURE) // 2
    for index, (picture, name, note) in enumerate(pictures):
        left = LEFT + index * (PICTURE + apart)
        axes = _axes(figure, left, TOP, zoom * width, zoom * height)
        gray = picture.shape[2] == 1
        axes.imshow(
            (picture[..., 0] if gray else picture).clip(0, 1),
            cmap="gray" if gray else None,
            vmin=0,
            vmax=1,
            interpolation="nearest",
            aspect="auto",
        )
        axes.set_axis_off()
        axes.set_title(name, size=10, loc="left", parse_math=False)
        axes.text(
            0, -0.02, f"{zoom}:1, {note}", size=9, color="0.35", va="top", transform=axes.transAxes
        )


def _draw_level(axes: Axes, view: ProfileView) -> None:
    measured, made = view.profile.measured, view.generated.statistics
    colours, names = CHANNELS[len(measured.level)]
    everywhere = level_at(measured, np.linspace(0, 1, 256))
    known = shown_at(measured, made.nodes)
    top = 1e-3
    for c, (colour, name) in enumerate(zip(colours, names, strict=True)):
        level, fake = 255 * measured.level[c], 255 * made.level[c]
        seen, tried = measured.pixels[c] > SEEN, made.pixels[c] > SEEN
        axes.plot(np.arange(256), 255 * everywhere[c], color=colour, alpha=PALE, lw=1.5)
        axes.plot(
            255 * measured.nodes[c],
            np.where(seen, level, np.nan),
            color=colour,
            lw=1.8,
            label=f"{name} measured",
        )
        for shown, alpha in ((tried & known[c], 1.0), (tried & ~known[c], PALE)):
            axes.scatter(
                255 * made.nodes[c][shown],
                fake[shown],
                s=22,
                color=colour,
                alpha=alpha,
                edgecolors="none",
                label=f"{name} generated" if alpha == 1 else None,
            )
        top = max(top, *level[seen], *fake[tried & known[c]])
    # What is guessed beyond what the references show must not squeeze what they do show.
    axes.set_ylim(0, 1.25 * top)
    axes.set_xlim(-4, 259)
    _label(axes, "noise level against intensity", "intensity, of 255", "σ, of 255")
    axes.legend(fontsize=8, ncols=len(names), frameon=False, loc="upper left")
    if not shown_at(measured, EVEN).all():
        axes.text(
            0.99, 0.03, "pale: not shown by the profile's references",
            size=8, color="0.35", ha="right", transform=axes.transAxes,
        )  # fmt: skip


def _draw_histogram(axes: Axes, view: ProfileView) -> None:
    residuals = [255 * noise.residual for noise in (view.measured, view.generated)]
    reach = max(float(np.quantile(np.abs(residual), 0.9998)) for residual in residuals)
    highest = 0.0
    edges = _edges(reach, 255 * view.step)
    for residual, style in zip(residuals, _styles(view, drawn=True), strict=True):
        counts = np.histogram(residual, edges)[0]
        density = counts / residual.size / np.diff(edges)
        highest = max(highest, float(density.max()))
        axes.stairs(np.where(counts > 0, density, np.nan), edges, baseline=None, **style)
    least = 0.5 / residuals[0].size / float(edges[1] - edges[0])
    _log_scale(axes, (1.0,))
    # Room above for the legend.
    axes.set_ylim(least, 10 * highest)
    axes.set_xlim(edges[0], edges[-1])
    _label(axes, "histogram", "residual, of 255", "density")
    axes.legend(fontsize=8, frameon=False, loc="upper left")


def _edges(reach: float, step: float) -> Doubles:
    """A histogram's: bars hold whole numbers of the quantisation's steps, so none stands out."""
    reach = max(reach, 1e-3)
    width = 2 * reach / MOST_BARS
    if step:
        width = step * max(1, int(np.ceil(width / step)))
    bars = int(np.ceil(reach / width)) + 1
    return np.linspace(-(bars + 0.5) * width, (bars + 0.5) * width, 2 * bars + 2)


def _draw_autocorrelation(axes: Axes, view: ProfileView) -> None:
    lags = np.arange(-LAGS, LAGS + 1)
    lowest = 0.0
    for noise, style in zip((view.measured, view.generated), _styles(view), strict=True):
        across = noise.statistics.autocorrelation[:, LAGS].mean(0)
        lowest = min(lowest, float(across.min()))
        axes.plot(lags, across, marker="o", ms=4, **style)
    axes.axhline(0, color="0.8", lw=0.8, zorder=0)
    axes.set_ylim(min(-0.1, 1.2 * lowest), 1.08)
    axes.set_xticks(lags)
    _label(axes, "autocorrelation across", "distance, pixels", "correlation")
    axes.legend(fontsize=8, frameon=False, loc="upper left")


def _draw_spectrum(axes: Axes, view: ProfileView) -> None:
    # White noise must look flat, however little it varies.
    lowest, highest = 0.3, 3.0
    for noise, style in zip(
        (view.measured, view.generated), _styles(view, drawn=True), strict=True
    ):
        frequency, power = radial_power(noise.residual)
        axes.plot(frequency, power, **style)
        lowest, highest = min(lowest, float(power.min())), max(highest, float(power.max()))
    axes.axhline(1, color="0.8", lw=0.8, zorder=0)
    _log_scale(axes, (1.0, 2.0, 5.0))
    axes.set_ylim(max(lowest / 1.5, 1e-4), 2 * highest)
    axes.set_xlim(0, 0.5)
    _label(axes, "spectrum, over all directions", "cycles a pixel", "power, white noise = 1")
    axes.legend(fontsize=8, frameon=False, loc="upper right")


def _styles(view: ProfileView, drawn: bool = False) -> tuple[Style, Style]:
    """Of measured and generated noise; without a reference some measured noise is drawn anew."""
    alone = view.crop is None
    measured = "measured" if alone else "measured, this reference"
    if alone and drawn:
        measured = "as measured, by the classical model"
    return (
        {"color": MEASURED, "lw": 3.0, "alpha": 0.45, "label": measured},
        {"color": GENERATED, "lw": 1.5, "alpha": 1.0, "label": "generated"},
    )


def _log_scale(axes: Axes, ticks: tuple[float, ...]) -> None:
    """Upwards, with numbers at these multiples of each power of ten."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=ticks))
    axes.yaxis.set_minor_formatter(NullFormatter())
    if len(ticks) > 1:
        axes.yaxis.set_major_formatter("{x:g}")


def _label(axes: Axes, title: str, across: str, up: str) -> None:
    axes.set_title(title, size=11, loc="left")
    axes.set_xlabel(across, size=9)
    axes.set_ylabel(up, size=9)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"…{name[1 - LONGEST_NAME :]}"
