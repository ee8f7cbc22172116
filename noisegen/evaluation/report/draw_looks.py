"""A picture of what the classifier that tells noise apart looks at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes

from noisegen.evaluation.looks import LookedAt, Looks
from noisegen.evaluation.report.charts import KINDS, Chart, Look, Series
from noisegen.evaluation.report.draw import axes_at, chart_style, draw_chart, figure_of, saved
from noisegen.evaluation.report.view import STRETCH
from noisegen.noise.arrays import Floats

PANEL, GAP, BETWEEN = 192, 8, 28
"""Side of a picture, gap to the next, and more before a row's pictures; in pixels."""

LINE, TOP, LEFT, FOOT = PANEL + 30, 76, 70, 320
"""Height of a crop's line; pixels above them, left of them, and below them for the chart."""

EXPLAINED = """\
Crops of pictures that the classifiers were not trained on; each row has its own classifier.

Noise: gray is 0; black to white is ±{reach:g}σ of the crop's real noise, in every channel.

Maps: what each place adds to the answer, red for generated, blue for real, full at ±{most:.2g}
(log odds). The number above is the mean, which is the answer: above 0 for generated.

Chart: which frequencies the answer hangs on, as power of its gradient by the noise.
"""


def looks_png(title: str, looks: Sequence[Looks]) -> bytes:
    """Draws a line a crop: clean, real noise, and of each row its noise and the maps of both.

    Args:
        title: above all, as the split's name.
        looks: one or more rows' of the same pictures.
    """
    size = [np.abs(crop.evidence).ravel() for one in looks for crop in one.crops]
    most = float(np.quantile(np.concatenate(size), 0.99))
    lefts = [LEFT + column * (PANEL + GAP) for column in range(2 + 3 * len(looks))]
    lefts = [left + BETWEEN * ((column + 1) // 3) for column, left in enumerate(lefts)]
    width, height = lefts[-1] + PANEL + 30, TOP + LINE * len(looks[0].crops) + FOOT
    with chart_style():
        figure = figure_of((width, height), 72)
        head = f"{title}: what tells generated from real noise"
        figure.text(LEFT / width, 1 - 18 / height, head, size=18, va="top")
        for line in range(len(looks[0].crops)):
            pictures = _pictures([(one.row, one.crops[line]) for one in looks])
            bottom = height - TOP - LINE * line - PANEL
            for left, (name, picture) in zip(lefts, pictures, strict=True):
                _show(axes_at(figure, left, bottom, PANEL, PANEL), name, picture, most)
        draw_chart(axes := axes_at(figure, LEFT, 56, 3 * PANEL, FOOT - 90), _frequencies(looks))
        axes.legend()
        at = (LEFT + 3.4 * PANEL) / width, (FOOT - 34) / height
        figure.text(*at, EXPLAINED.format(reach=STRETCH, most=most), size=13, va="top")
        return saved(figure, "png", {"Software": None})


def _pictures(crops: Sequence[tuple[str, LookedAt]]) -> Iterator[tuple[str, Floats]]:
    """Name and pixels, h×w×C, or map, h×w, of one crop's pictures."""
    first = crops[0][1]
    reach = 2 * STRETCH * max(float(first.noises[0].std()), 1e-6)
    yield first.name[-26:], first.clean
    yield "real noise", first.noises[0] / reach + 0.5
    for row, crop in crops:
        yield f"{row}'s noise", crop.noises[1] / reach + 0.5
        for kind, places in zip(("real", row), crop.evidence, strict=True):
            # Adding 0 takes the sign from −0.
            answer = f"{round(float(places.mean()), 1) + 0.0:+}".replace("-", "−")
            yield f"answer on {kind}: {answer}", places


def _show(axes: Axes, name: str, picture: Floats, most: float) -> None:
    axes.set_axis_off()
    axes.set_title(name, loc="left", pad=4)
    if picture.ndim == 2:
        axes.imshow(picture, cmap="RdBu_r", vmin=-most, vmax=most, interpolation="nearest")
    else:
        pixels = picture.clip(0, 1).squeeze()
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="nearest")


def _frequencies(looks: Sequence[Looks]) -> Chart:
    colours = zip(looks, KINDS, strict=False)
    # A classifier without an answer has no gradient.
    powers = np.concatenate([one.power for one in looks]).clip(1e-3)
    return Chart(
        "looks",
        "Which frequencies the answer hangs on",
        "Power of the gradient of the classifier's answer against spatial frequency.",
        "cycles a pixel",
        "power of the gradient, white = 1",
        tuple(Series(one.row, hue, Look.LINE, one.frequency, one.power) for one, hue in colours),
        (0, 0.5),
        (min(0.5, 0.7 * powers.min()), max(2.0, 1.5 * powers.max())),
        logarithmic=True,
    )
