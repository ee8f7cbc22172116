"""The study that the guide's advice on references rests on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "choosing_references.py"


@pytest.mark.slow
def test_a_dark_reference_misjudges_what_a_whole_one_does_not() -> None:
    ran = subprocess.run(
        [sys.executable, SCRIPT, "--cameras", "1"],
        capture_output=True, text=True, check=True, timeout=900,
    )  # fmt: skip
    _, _, *rows = ran.stdout.splitlines()
    level = {}
    for row in rows:
        name, _, cell, _ = (part.strip() for part in row.strip("|").split("|"))
        level[name] = float(cell.split()[0])
    assert len(level) == 15
    assert level["one of 512²"] < 0.6 * level["one of 512², its darkest third of light alone"]
