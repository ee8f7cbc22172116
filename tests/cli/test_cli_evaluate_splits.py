"""``noisegen evaluate --split``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def test_splits_are_checked_before_anything_is_read(run: Run, tmp_path: Path) -> None:
    for arguments, words in (
        (("--split", "sidd"), "choose of polyu-seen"),
        (("--split", "w2s", "--data", tmp_path), "does not hold the validation data"),
    ):
        ran = run("evaluate", *arguments)
        assert ran.code == 2
        assert words in ran.err
        assert len(ran.err.splitlines()) == 1


@pytest.mark.realdata
def test_a_split_has_the_baselines_beside_it(run: Run, real_data: Path, weights_file: Path) -> None:
    fixed = ("--data", real_data, "--weights", weights_file, "--device", "cpu")
    ran = run("evaluate", "--split", "gaussian", *fixed, "--json")
    assert ran.code == 0, ran.err
    rows = ran.json["splits"]["gaussian"]
    assert list(rows) == ["gaussian", "classical", "noisegen", "floor"]
    assert rows["floor"]["kld"]["mean"] < 0.002
    shown = run("evaluate", "--split", "gaussian", *fixed)
    assert "gaussian: 12 targets, mean (median)" in shown.out
