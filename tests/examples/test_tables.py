"""The tables of scores in README and guide are those of the CSV beside the research code."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from noisegen.evaluation.blind import SigmaErrors
from noisegen.evaluation.split_scores import Pace, SplitScores, split_csv

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tables", ROOT / "examples/render_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_show_the_figures_of_the_csv(tables: ModuleType) -> None:
    scores = tables.read_scores(tables.SCORES.read_text(encoding="utf-8"))
    for page in tables.PAGES:
        text = page.read_text(encoding="utf-8")
        assert tables.TABLE.search(text), f"{page.name}: no table between comments"
        assert tables.rendered(text, scores) == text, "run python examples/render_tables.py"


def test_every_table_of_scores_stands_between_comments(tables: ModuleType) -> None:
    for page in tables.PAGES:
        rest = tables.TABLE.sub("", page.read_text(encoding="utf-8"))
        assert "Gaussian of the reference's σ |" not in rest


def test_a_changed_figure_is_noticed(tables: ModuleType) -> None:
    csv = tables.SCORES.read_text(encoding="utf-8")
    page = tables.PAGES[0].read_text(encoding="utf-8")
    changed = re.sub(r"(base,nam25,pair,noisegen,[^,]*,)0\.0", r"\g<1>0.9", csv)
    assert changed != csv
    assert tables.rendered(page, tables.read_scores(changed)) != page


def test_what_the_command_writes_can_be_rendered(tables: ModuleType) -> None:
    """Rows that were timed show it; the start is left out where it is noisegen's."""
    values = {metric: {"mean": 0.25, "median": 0.125} for metric in tables.METRICS}
    names = ("gaussian", "resampled", "noisegen", "start", "floor")
    paces = {name: Pace(1.5, 2.25) for name in names[:-1]}
    scored = SplitScores(
        "w2s", "lone", 9, dict.fromkeys(names, values), paces, SigmaErrors(0, 0, 9), {}
    )
    scores = tables.read_scores("# command\n" + split_csv([scored], "base").decode())
    page = "words\n<!-- scores: w2s lone -->\nold\n<!-- end -->\n"
    shown = tables.rendered(page, scores)
    assert "old" not in shown
    assert "| real residuals, resampled | 0.2500 (0.1250) |" in shown
    assert "| 1.5 | 2.25 |" in shown
    assert "start" not in shown
    assert tables.rendered(shown, scores) == shown
