"""``noisegen profile show --plot``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from noisegen.files import read_picture

Run = Callable[..., Any]


@pytest.fixture
def show(run: Run, rgb_profile: Path, weights_file: Path, tmp_path: Path) -> Run:
    def invoke(*arguments: object, out: str = "plot.png") -> Any:
        fixed = ("--plot", tmp_path / out, "--weights", weights_file)
        return run("profile", "show", rgb_profile, *fixed, *arguments)

    return invoke


def test_a_plot_with_and_without_a_reference(show: Run, camera: Path, tmp_path: Path) -> None:
    refs = ("--ref", camera / "noisy.png")
    sizes = []
    for name, arguments in (
        ("alone.png", ()),
        ("estimated.png", refs),
        ("paired.png", (*refs, "--ref-clean", camera / "clean.png")),
    ):
        ran = show(*arguments, out=name)
        assert ran.code == 0, ran.err
        assert "σ" in ran.out
        assert f"wrote {tmp_path / name}" in ran.err
        sizes.append(read_picture(tmp_path / name).height)
    assert sizes[0] < sizes[1] == sizes[2]


def test_a_plot_is_the_same_twice(show: Run, camera: Path, tmp_path: Path) -> None:
    refs = ("--ref", camera / "noisy.png", "--ref-clean", camera / "clean.png")
    ran = show(*refs, "--json", out="one.png")
    assert ran.json["plot"] == str(tmp_path / "one.png")
    assert show(*refs, "--quiet", out="two.png").out == ""
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_what_cannot_be_plotted_is_refused_in_a_line(
    show: Run, run: Run, rgb_profile: Path, camera: Path, tmp_path: Path, write_png: Any
) -> None:
    noisy = camera / "noisy.png"
    gray = write_png(tmp_path / "gray.png", np.full((64, 64), 9, np.uint8))
    taken = write_png(tmp_path / "taken.png", np.full((64, 64), 9, np.uint8))
    for ran, code, words in (
        (run("profile", "show", rgb_profile, "--ref", noisy), 2, "--plot"),
        (show("--ref-clean", noisy), 2, "--ref"),
        (show(out="taken.png"), 1, "--overwrite"),
        (show(out="plot.pdf"), 2, ".png"),
        (show("--ref", taken, "--overwrite", out="taken.png"), 2, "is an input"),
        (show("--ref", gray), 1, "gray.png: is gray"),
        (show("--ref", tmp_path / "no.png"), 1, "no.png"),
        (show("--weights", "base"), 1, "other weights"),
        (run("profile", "show", rgb_profile, "--plot", tmp_path), 1, "--plot"),
    ):
        assert ran.code == code, ran.err
        assert words in ran.err
        assert len(ran.err.splitlines()) == 1
    assert not (tmp_path / "plot.png").exists()
