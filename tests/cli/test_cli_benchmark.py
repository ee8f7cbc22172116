"""``noisegen benchmark``: what it measures and says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noisegen.evaluation.speed import measure_sizes
from noisegen.model.weights import Weights


def test_rows_by_size_agree_with_themselves(weights: Weights) -> None:
    rows = list(measure_sizes(weights, [(64, 64, 3), (72, 96, 2)], workers=1))
    assert [(row.height, row.width, row.count) for row in rows] == [(64, 64, 3), (72, 96, 2)]
    for row in rows:
        pixels = row.height * row.width / 1e6
        assert row.synth == pytest.approx(row.pictures * pixels)
        assert row.files > 0


@pytest.mark.slow
def test_the_command_prints_what_it_measured(run: Callable[..., Any], weights_file: Path) -> None:
    asked = ("--side", 64, "--count", 1, "--workers", 1, "--weights", weights_file)
    told = run("benchmark", *asked)
    assert told.code == 0, told.err
    assert "1 RGB picture of 64×64" in told.out
    measured = json.loads(run("benchmark", *asked, "--json").out)
    assert measured["synth"] > 0
    assert measured["parameters"] > 0
    assert sum(measured["shares"].values()) == pytest.approx(1)
