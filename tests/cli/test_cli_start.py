"""Starting the command: quick, without torch, and helpful."""

from __future__ import annotations

import subprocess
import sys

import pytest

import noisegen


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["synth", "--help"], ["profile", "create", "--help"]],
    ids=" ".join,
)
def test_help_does_not_import_torch(arguments: list[str]) -> None:
    program = (
        "import sys\nfrom noisegen.cli.app import main\n"
        f"sys.argv = ['noisegen', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as done:\n"
        "    sys.exit(done.code or ('torch' in sys.modules))\n"
    )
    ran = _python("-c", program)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout


def test_importing_the_library_does_not_import_torch() -> None:
    ran = _python("-c", "import sys, noisegen; sys.exit('torch' in sys.modules)")
    assert ran.returncode == 0, ran.stderr


def test_module_runs_as_the_command() -> None:
    ran = _python("-m", "noisegen", "--version")
    assert ran.stdout == f"noisegen {noisegen.__version__}\n"


def test_help_names_every_option_of_the_issue() -> None:
    ran = _python("-m", "noisegen", "synth", "--help")
    options = (
        "--ref --ref-clean --profile --clean --out --variants --seed --strength --patch "
        "--per-image --device --tile --weights --white-level --dry-run --json --quiet --overwrite"
    )
    assert [option for option in options.split() if option not in ran.stdout] == []


@pytest.mark.parametrize("arguments", [["nothing"], ["synth"], ["synth", "--seed", "x"]])
def test_wrong_usage_exits_2_without_a_traceback(arguments: list[str]) -> None:
    ran = _python("-m", "noisegen", *arguments)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "Traceback" not in ran.stderr
