"""Starting the command: quick, without torch, and helpful."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import noisegen

Run = Callable[..., Any]


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60)


def test_help_does_not_import_torch_or_matplotlib() -> None:
    commands = [["--help"], ["--version"], ["synth", "--help"], ["report", "--help"]]
    program = (
        "import sys\nfrom noisegen.cli.app import main\n"
        f"for arguments in {commands!r}:\n"
        "    sys.argv = ['noisegen', *arguments]\n"
        "    try:\n        main()\n    except SystemExit as done:\n        assert not done.code\n"
        "    assert not {'torch', 'matplotlib'} & {*sys.modules}, arguments\n"
    )
    ran = _python("-c", program)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout


@pytest.mark.parametrize("command", ["probe", "report", "profile create", "train prepare"])
def test_help_flows(run: Run, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """A docstring's line breaks do not show: on a wide terminal a paragraph is one line."""
    monkeypatch.setenv("COLUMNS", "1000")
    shown = run(*command.split(), "--help").out
    described = shown[: shown.index("╭")].splitlines()
    paragraphs = [line.strip() for line in described if line.strip()][1:]
    assert all(line.endswith((".", "…")) for line in paragraphs), paragraphs


def test_importing_the_library_does_not_import_torch() -> None:
    ran = _python(
        "-c", "import sys, noisegen; sys.exit(bool({'torch', 'matplotlib'} & {*sys.modules}))"
    )
    assert ran.returncode == 0, ran.stderr


def test_module_runs_as_the_command() -> None:
    ran = _python("-m", "noisegen", "--version")
    assert ran.stdout == f"noisegen {noisegen.__version__}\n"


def test_help_names_every_option_of_the_issue(run: Run) -> None:
    shown = run("synth", "--help").out
    options = (
        "--ref --ref-clean --profile --clean --out --variants --seed --strength --patch "
        "--per-image --device --tile --weights --white-level --dry-run --json --quiet --overwrite"
    )
    assert [option for option in options.split() if option not in shown] == []


@pytest.mark.parametrize("arguments", [["nothing"], ["synth"], ["synth", "--seed", "x"]])
def test_wrong_usage_exits_2_without_a_traceback(run: Run, arguments: list[str]) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")


@pytest.mark.parametrize(
    ("typed", "offered"), [("synth --lay", "--layout"), ("export --layout w", "webdataset")]
)
def test_a_shell_completes_options_and_layouts(typed: str, offered: str) -> None:
    asked = {
        "_NOISEGEN_COMPLETE": "complete_bash",
        "COMP_WORDS": f"noisegen {typed}",
        "COMP_CWORD": str(len(typed.split())),
    }
    script = "import sys; sys.argv = ['noisegen']; from noisegen.cli.app import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **asked},
    )
    assert ran.stdout.split() == [offered], ran.stderr


def test_ctrl_c_leaves_whole_pairs_and_exits_130(
    tmp_path: Path,
    weights_file: Path,
    rgb_profile: Path,
    scene: Callable[..., Any],
    write_png: Callable[[Path, Any], Path],
) -> None:
    clean = write_png(tmp_path / "photo.png", scene(256, 256))
    out = tmp_path / "pairs"
    command: list[str | Path] = [
        sys.executable, "-m", "noisegen", "synth", "--clean", clean, "--out", out,
        "--profile", rgb_profile, "--weights", weights_file, "--variants", "500",
    ]  # fmt: skip
    pipe = subprocess.PIPE
    # A shell starts background jobs deaf to SIGINT, and these tests may run in one.
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, preexec_fn=heard
    ) as process:
        lines = out / ".noisegen" / "journal.jsonl"
        until = time.monotonic() + 60
        while not (lines.exists() and lines.read_text().count("\n") > 1):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        shown, errors = process.communicate(timeout=60)
    assert (process.returncode, shown) == (130, "")
    (said,) = errors.splitlines()
    assert said.startswith("interrupted: ")
    assert "same command" in said
    records = [json.loads(record) for record in lines.read_text().splitlines()]
    named = [line["noisy_file_name"] for record in records for line in record["lines"]]
    for side in ("noisy", "clean"):
        written = {path.name for path in (out / side).iterdir()}
        assert written == {Path(name).name for name in named}


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        pytest.param({"NO_COLOR": "1", "FORCE_COLOR": "1"}, marks=pytest.mark.slow),
    ],
)
def test_a_plain_terminal_gets_stand_ins_and_no_colour(
    rgb_profile: Path, environment: dict[str, str]
) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "noisegen", "profile", "show", rgb_profile],
        capture_output=True,
        env=environment,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert b"white level  8 bits (white 255" in ran.stdout
    assert b"\x1b[3" not in ran.stdout
