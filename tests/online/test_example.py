"""The example that trains a denoiser on pairs made on the fly."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "train_denoiser.py"


@pytest.mark.slow
def test_the_loss_goes_down(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, str(EXAMPLE), "--epochs", "30"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(EXAMPLE.parents[1])},
    )
    assert ran.returncode == 0, ran.stderr
    first, *_, last = map(float, re.findall(r"mean squared error ([\d.]+)", ran.stdout))
    assert last < first
    (noisy, denoised) = map(float, re.findall(r"(?:noisy|denoised) ([\d.]+) dB", ran.stdout))
    assert denoised > noisy
    assert list(tmp_path.iterdir()) == []
