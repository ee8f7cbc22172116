"""What a report is made of: strips, charts, noise of sampled pairs."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import imagecodecs
import numpy as np
import pytest
from pictures import add_gaussian, scene

from noisegen.evaluation.pair_files import PairFile
from noisegen.evaluation.profile_view import Noise
from noisegen.evaluation.report.charts import Chart, Look, Series, Sides, charts_of
from noisegen.evaluation.report.draw import chart_svg
from noisegen.evaluation.report.sampled_noise import noise_of_pairs, read_shown
from noisegen.evaluation.report.view import strip
from noisegen.evaluation.side_by_side import evenly
from noisegen.files import to_float


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Noise:
    """White Gaussian noise of σ 9 of 255 on four pairs."""
    folder = tmp_path_factory.mktemp("pairs")
    shown = []
    for index in range(4):
        clean = scene(200, 160, seed=index)
        paths = folder / f"{index}-noisy.png", folder / f"{index}-clean.png"
        for path, pixels in zip(paths, (add_gaussian(clean, 9, index), clean), strict=True):
            path.write_bytes(imagecodecs.png_encode(pixels))
        shown.append(read_shown(PairFile(str(index), str(index), *paths)))
    found, step = noise_of_pairs([pair for pair in shown if pair])
    assert step == pytest.approx(1 / 255)
    return found


def test_sampled_noise_is_measured_as_references_are(noise: Noise) -> None:
    assert 255 * noise.statistics.sigma == pytest.approx([9] * 3, rel=0.05)
    middle = noise.statistics.level[:, 6:10]
    assert 255 * middle == pytest.approx(np.full(middle.shape, 9), rel=0.08)


def test_what_cannot_be_shown_is_left_out(tmp_path: Path) -> None:
    small, broken = tmp_path / "small.png", tmp_path / "broken.png"
    small.write_bytes(imagecodecs.png_encode(scene(16, 16)))
    broken.write_bytes(b"no picture")
    assert read_shown(PairFile("s", "s", small, small)) is None
    assert read_shown(PairFile("b", "b", broken, broken)) is None


def test_strength_is_taken_out(tmp_path: Path) -> None:
    clean = scene(128, 128)
    for name, pixels in (("n", add_gaussian(clean, 20)), ("c", clean)):
        (tmp_path / f"{name}.png").write_bytes(imagecodecs.png_encode(pixels))
    file = PairFile("a", "a", tmp_path / "n.png", tmp_path / "c.png")
    pair = read_shown(file, strength=2.0)
    assert pair is not None
    found, step = noise_of_pairs([pair])
    assert step == 0
    assert 255 * found.statistics.sigma == pytest.approx([10] * 3, rel=0.05)
    # Half steps would leave every other bar of a histogram in whole steps nearly empty.
    counts = np.histogram(255 * found.residual, np.arange(-8.25, 8.5, 0.5))[0].astype(float)
    assert np.abs(np.diff(counts)).max() < 0.15 * counts.max()


def test_charts_tell_the_noise(noise: Noise) -> None:
    sides = Sides(noise, noise, "real", None, 1 / 255)
    level, histogram, autocorrelation, spectrum = charts_of(sides)
    dots = level.series[1]
    assert (dots.name, dots.look) == ("R generated", Look.DOTS)
    assert np.nanmedian(dots.y) == pytest.approx(9, rel=0.05)
    density = histogram.series[0]
    width = density.x[1] - density.x[0]
    assert np.nansum(density.y) * width == pytest.approx(1, abs=0.01)
    assert np.nanmax(density.y) == pytest.approx(1 / (9 * np.sqrt(2 * np.pi)), rel=0.1)
    # No bar holds more values than its neighbours: the middle one stands out by its height alone.
    middle = len(density.y) // 2
    np.testing.assert_allclose(density.y[middle - 3 : middle + 4] / density.y[middle], 1, atol=0.15)
    assert autocorrelation.series[0].y[6] == pytest.approx(1)
    assert abs(autocorrelation.series[0].y[7]) < 0.05
    np.testing.assert_allclose(spectrum.series[0].y, 1, atol=0.2)


def test_svg_is_xml_with_title_description_and_gaps() -> None:
    """All points but the third are finite: the first stroke starts at the lower left corner."""
    y = np.array([0.0, 5.0, np.nan, 10.0, 10.0])
    series = Series("a <b>", "real", Look.LINE, np.arange(5.0), y)
    chart = Chart("n", "t <t>", "d", "x", "y", (series,), (0, 4), (0, 10))
    drawn = chart_svg(chart, "one")
    assert drawn == chart_svg(chart, "one")
    root = ElementTree.fromstring(drawn)
    assert root.attrib["role"] == "img"
    assert [child.tag for child in root[:2]] == ["title", "desc"]
    assert root[0].text == "t <t>"
    line = next(e for e in root.iter("path") if "var(--real)" in e.attrib.get("style", ""))
    left, top, right, bottom = 62, 280 - 44 - 226, 62 + 386, 280 - 44
    assert line.attrib["d"].startswith(f"M {left} {bottom} L")
    assert line.attrib["d"].count("M") == 2
    assert line.attrib["d"].strip().endswith(f"L {right} {top}")


def test_svg_leaves_fonts_colours_and_names_to_the_page() -> None:
    series = Series("a", "R", Look.DOTS, np.arange(5.0), np.arange(5.0))
    chart = Chart("n", "t", "d", "x", "y", (series,), (0, 4), (1e-6, 0.2), logarithmic=True)
    root = ElementTree.fromstring(chart_svg(chart, "one"))
    assert not any("font" in element.attrib.get("style", "") for element in root.iter())
    assert not any("#" in element.attrib.get("style", "") for element in root.iter())
    names = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert all(name.startswith("one-") for name in names)
    assert len(names) == len(set(names))
    ticks = [element.text for element in root.iter("text")]
    powers = [f"10⁻{digit}" for digit in "⁶⁵⁴³²"]
    assert ticks == ["0", "1", "2", "3", "4", "x", *powers, "0.1", "y"]


def test_residuals_of_a_strip_share_a_scale() -> None:
    """σ 10 shows ±30 of 255: noise twice as strong is twice as far from the middle gray."""
    clean = to_float(scene(64, 64), 255)
    noise = np.random.default_rng(0).normal(0, 10 / 255, clean.shape).astype(np.float32)
    made = strip("a", clean, [("real", clean + noise), ("generated", clean + 2 * noise)])
    assert [panel.label for panel in made.panels] == [
        "clean", "real", "generated", "real: residual", "generated: residual",
    ]  # fmt: skip
    once, twice = (panel.pixels.astype(float) - 127.5 for panel in made.panels[3:])
    assert once.std() == pytest.approx(255 / 6, rel=0.05)
    inside = np.abs(once) < 50
    np.testing.assert_allclose(twice[inside], 2 * once[inside], atol=2)
    assert "±30" in made.note or "±29" in made.note


def test_dark_crops_are_brightened() -> None:
    clean = np.full((40, 40, 1), 0.1, np.float32)
    made = strip("a", clean, [("real", clean)])
    assert "brightened 10×" in made.note
    assert made.panels[0].pixels.min() == 255


def test_bright_noise_on_a_dark_crop_is_not_cut_off() -> None:
    clean = np.full((40, 40, 1), 0.1, np.float32)
    made = strip("a", clean, [("real", clean + np.float32(0.1))])
    assert (made.panels[0].pixels == 128).all()
    assert (made.panels[1].pixels == 255).all()


def test_evenly_takes_ends() -> None:
    assert evenly(list(range(10)), 3) == [0, 4, 9]
    assert evenly([1, 2], 5) == [1, 2]
