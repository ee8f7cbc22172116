"""``noisegen report``, and its page in a browser."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from browser import ask, found_browser, screenshot
from pictures import scene

from noisegen.files import read_picture

Run = Callable[..., Any]

QUESTION = """{
  overflow: page.documentElement.scrollWidth - frame.innerWidth,
  broken: [...page.images].filter((image) => !image.naturalWidth).length,
  images: page.images.length,
  unnamed: [...page.images].filter((image) => !image.alt).length,
  charts: page.querySelectorAll(".chart svg").length,
  scripted: !page.documentElement.classList.contains("no-script"),
  zoomed: (() => {
    const slider = page.getElementById("zoom");
    const first = page.images[0].getBoundingClientRect().width;
    slider.value = 6;
    slider.dispatchEvent(new frame.Event("input"));
    return page.images[0].getBoundingClientRect().width / first;
  })(),
  together: (() => {
    const views = page.querySelectorAll(".strip")[2].querySelectorAll(".view");
    views[0].scrollLeft = 7;
    views[0].dispatchEvent(new frame.Event("scroll"));
    return [...views].map((view) => view.scrollLeft);
  })(),
}"""


@pytest.fixture
def dataset(synth: Run, cleans: Path, tmp_path: Path) -> Path:
    """Three pairs, one clean that was skipped."""
    (cleans / "broken.png").write_bytes(b"no picture")
    assert synth(cleans).code == 3
    return tmp_path / "pairs"


def test_the_page_of_a_dataset(run: Run, dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    ran = run("report", dataset, "--out", out, "--json")
    assert ran.code == 0, ran.err
    assert ran.json == {"out": str(out), "plots": [], "skipped": [], "warnings": []}
    page = out.read_text(encoding="utf-8")
    for words in ("Pictures", "Noise of colour", "How it was made", "Skipped files", "broken.png"):
        assert words in page
    assert page.count("<img ") == 3 * 3
    assert page.count("<svg ") == 4
    run("report", dataset, "--out", tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == out.read_bytes()


def test_pictures_that_are_gone_are_named(run: Run, dataset: Path, tmp_path: Path) -> None:
    (dataset / "noisy" / "a.png").unlink()
    ran = run("report", dataset, "--out", tmp_path / "report.html")
    assert ran.code == 3
    assert "skipped a: a picture of the pair is missing" in ran.err
    assert "1 pair cannot be read" in (tmp_path / "report.html").read_text(encoding="utf-8")
    packed = run("export", dataset, "--layout", "hf")
    assert packed.code == 1
    assert "a.png: is missing" in packed.err


def test_the_planes_of_stacks_are_shown(run: Run, synth: Run, tmp_path: Path) -> None:
    cleans, page = tmp_path / "stacks", tmp_path / "report.html"
    cleans.mkdir()
    stack = np.stack([scene(96, 96, 3, seed) for seed in (1, 2)])
    tifffile.imwrite(cleans / "a.tif", stack, photometric="rgb")
    assert synth(cleans).code == 0
    ran = run("report", tmp_path / "pairs", "--out", page)
    assert ran.code == 0, ran.err
    text = page.read_text(encoding="utf-8")
    assert "a#1" in text
    assert "a#2" in text
    assert "2 of 2 pairs" in text


def test_a_page_loads_nothing(run: Run, dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    assert run("report", dataset, "--out", out).code == 0
    page = out.read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "://" not in page
    sources = re.findall(r'(?:src|href|url)\s*[=(]\s*"?([^"\s>)]+)', page)
    assert sources
    assert all(source.startswith(("data:image/png", "#")) for source in sources)


def test_real_pairs_stand_beside(run: Run, synth: Run, cleans: Path, tmp_path: Path) -> None:
    for out, seed in (("pairs", 0), ("real", 1)):
        assert synth(cleans, "--seed", seed, out=tmp_path / out).code == 0
    page = tmp_path / "report.html"
    ran = run("report", tmp_path / "pairs", "--real", tmp_path / "real", "--out", page)
    assert ran.code == 0, ran.err
    text = page.read_text(encoding="utf-8")
    assert text.count("<img ") == 3 * 5
    for words in ("real: residual", "Against real pairs, picture by picture", "3 real pairs"):
        assert words in text


def test_datasets_in_archives_and_of_strengths(
    run: Run, synth: Run, cleans: Path, tmp_path: Path
) -> None:
    synth(cleans, "--layout", "webdataset", "--strength", "0.5:2", "--variants", 2)
    page = tmp_path / "report.html"
    ran = run("report", tmp_path / "pairs", "--out", page)
    assert ran.code == 0, ran.err
    text = page.read_text(encoding="utf-8")
    assert "each pair's noise is divided by its own" in html.unescape(text)
    assert "6 of 6 pairs" in text


def test_the_page_of_a_profile(
    run: Run, rgb_profile: Path, weights_file: Path, camera: Path, tmp_path: Path
) -> None:
    fixed = (rgb_profile, "--weights", weights_file, "--out")
    assert run("report", *fixed, tmp_path / "alone.html").code == 0
    refs = ("--ref", camera / "noisy.png", "--ref-clean", camera / "clean.png")
    assert run("report", *fixed, tmp_path / "beside.html", *refs).code == 0
    alone, beside = ((tmp_path / f"{n}.html").read_text() for n in ("alone", "beside"))
    assert (alone.count("<img "), beside.count("<img ")) == (0, 5)
    assert "built-in picture" in alone
    assert "reference: residual" in beside


def test_names_cannot_write_into_the_page(
    run: Run, synth: Run, cleans: Path, tmp_path: Path
) -> None:
    (cleans / "b.png").rename(cleans / "<script>alert(1)<b>.png")
    synth(cleans)
    page = tmp_path / "report.html"
    assert run("report", tmp_path / "pairs", "--out", page).code == 0
    assert "<script>alert" not in page.read_text(encoding="utf-8")


def test_charts_as_png(run: Run, dataset: Path, tmp_path: Path) -> None:
    plots = tmp_path / "plots"
    command = ("report", dataset, "--out", tmp_path / "r.html", "--plots", plots)
    assert len(run(*command, "--json").json["plots"]) == 4
    for name in ("noise-level", "histogram", "autocorrelation", "spectrum"):
        picture = read_picture(plots / f"{name}.png")
        assert (picture.width, picture.height) == (1120, 720)
    again = run(*command, "--overwrite")
    assert again.code == 0, again.err


def test_what_cannot_be_reported_is_refused_in_a_line(
    run: Run, dataset: Path, rgb_profile: Path, camera: Path, tmp_path: Path
) -> None:
    page = tmp_path / "r.html"
    (tmp_path / "taken.html").write_text("mine")
    for arguments, code, words in (
        ((tmp_path / "no", "--out", page), 2, "is not there"),
        ((dataset, "--out", tmp_path / "r.pdf"), 2, ".html"),
        ((dataset, "--out", tmp_path / "taken.html"), 1, "--overwrite"),
        ((dataset, "--out", page, "--ref", camera / "noisy.png"), 2, "belongs to a profile"),
        ((rgb_profile, "--out", page, "--real", camera), 2, "belongs to a dataset"),
        ((rgb_profile, "--out", page, "--ref-clean", camera), 2, "--ref-clean"),
        ((camera, "--out", page), 2, "holds no noisegen.json"),
        ((dataset, "--out", page, "--real", tmp_path / "no"), 2, "--real"),
    ):
        ran = run("report", *arguments)
        assert ran.code == code, ran.err
        assert words in ran.err
        assert len(ran.err.splitlines()) == 1
    assert not page.exists()


@pytest.mark.slow
def test_a_browser_shows_it_wide_and_on_a_phone(run: Run, dataset: Path, tmp_path: Path) -> None:
    """Nothing sticks out, all pictures are there, the slider and the scrolling work."""
    found_browser()
    page = tmp_path / "report.html"
    assert run("report", dataset, "--out", page).code == 0
    for width in (1280, 390):
        answer = ask(page, width, QUESTION, tmp_path)
        assert answer["overflow"] <= 0, width
        assert (answer["images"], answer["broken"], answer["unnamed"]) == (9, 0, 0)
        assert answer["charts"] == 4
        assert answer["scripted"]
        assert answer["zoomed"] == pytest.approx(3)
        assert answer["together"] == [7] * 3
        shown = screenshot(page, width, 1600, tmp_path / f"{width}.png")
        assert shown.shape == (1600, width, 3)
        # Paper, ink, and the colours of pictures and charts.
        assert len(np.unique(shown.reshape(-1, 3), axis=0)) > 500
