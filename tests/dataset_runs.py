"""Runs of ``noisegen synth`` in processes of their own, and what they leave."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from noisegen.cli.app import app

SCRIPT = Path(__file__).with_name("forked_runs.py")


@dataclass(frozen=True)
class Camera:
    """Files of a run: weights, and a profile made with them."""

    weights: Path
    profile: Path

    def synth(self, clean: Path, out: Path, *more: object) -> list[str]:
        """Arguments of the command."""
        fixed = ["--profile", self.profile, "--weights", self.weights, "--device", "cpu"]
        given = ["synth", "--clean", clean, "--out", out, *fixed, *more]
        return [str(argument) for argument in given]


@dataclass(frozen=True)
class Outcomes:
    """What runs came to: exit codes (negative: signals), and what they said."""

    codes: list[int]
    said: str


def forked(asked: list[dict[str, Any]]) -> Outcomes:
    """Runs, one after another; see ``forked_runs.py``."""
    command = [sys.executable, str(SCRIPT), json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    return Outcomes(json.loads(done.stdout.splitlines()[-1]), done.stderr)


def run(*arguments: object) -> tuple[int, str, str]:
    """The command in this process: exit code, stdout and stderr."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too, by relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
