"""The study that what is left out of a pair rests on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "pair_rules.py"


@pytest.mark.slow
def test_what_noisegen_leaves_out_is_level_with_the_better_rule_and_mostly_better() -> None:
    ran = subprocess.run(
        [sys.executable, SCRIPT, "--scenes", "1"],
        capture_output=True, text=True, check=True, timeout=900,
    )  # fmt: skip
    _, _, *rows = ran.stdout.splitlines()
    kld = {}
    for row in rows:
        name, *cells = (part.strip() for part in row.strip("|").split("|"))
        kld[name] = [float(cell.split()[0]) for cell in cells]
    assert len(kld) == 5
    for none, edges, ours in kld.values():
        assert ours < 1.15 * min(none, edges) + 0.0002
    for name in ("half of the clean shifted by 1 px", "all of it shifted by 0.5 px"):
        assert kld[name][2] < 0.8 * min(kld[name][:2])
    assert kld["an object moved"][2] < 0.3 * min(kld["an object moved"][:2])
