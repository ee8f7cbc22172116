"""The table of what is lost, in a small size."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "reliability"


@pytest.mark.slow
def test_nothing_is_lost_to_kills_a_second_writer_and_damaged_files(tmp_path: Path) -> None:
    small = ["--kills", "3", "--minutes", "0.05", "--only", "kills", "two", "fuzzing"]
    ran = subprocess.run(
        [sys.executable, SCRIPT, "--out", tmp_path, *small],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    with (tmp_path / "reliability.csv").open(encoding="utf-8") as file:
        assert file.readline().startswith("# python examples/reliability --out")
        rows = {row["check"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["kills in a folder", "kills in shards", "two writers", "fuzzing"]
    assert {row["lost"] for row in rows.values()} == {"nothing"}, ran.stderr
    assert "refused in one line" in rows["two writers"]["outcome"]
    assert rows["fuzzing"]["outcome"].endswith("refused")
    assert str(tmp_path) not in (tmp_path / "reliability.csv").read_text(encoding="utf-8")
