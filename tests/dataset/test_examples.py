"""The examples for clusters and for CI do what they say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from dataset_runs import files_in, run

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPT = EXAMPLES / "slurm_array.sh"
WORKFLOW = EXAMPLES / "regenerate_in_ci.yml"

TASKS = (3, 4)
"""Numbers of the array: not from 1, as after ``sbatch --array=3-4``."""

SBATCH = """#!/bin/sh
printf '%s\\n' "$*" >> "$SUBMITTED"
"""
"""In Slurm's place: notes down what is submitted."""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """With ``noisegen`` and an ``sbatch`` in the path."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "noisegen").write_text(f'#!/bin/sh\nexec {sys.executable} -m noisegen "$@"\n')
    (tools / "sbatch").write_text(SBATCH)
    for tool in tools.iterdir():
        tool.chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "SUBMITTED": str(tmp_path / "submitted")}


def _bash(
    *arguments: object, environment: dict[str, str], where: Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=300, cwd=where, env=environment,
    )  # fmt: skip


@pytest.mark.slow
def test_the_array_job_makes_what_one_run_makes(
    photos: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    profile = _shipped_profile(tmp_path)
    out = tmp_path / "parts"
    for task in TASKS:
        array = {
            "SLURM_ARRAY_JOB_ID": "77",
            "SLURM_ARRAY_TASK_ID": str(task),
            "SLURM_ARRAY_TASK_MIN": str(TASKS[0]),
            "SLURM_ARRAY_TASK_COUNT": str(len(TASKS)),
            "SLURM_CPUS_PER_TASK": "2",
        }
        ran = _bash(SCRIPT, profile, photos, out, environment=environment | array, where=tmp_path)
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout == ""
    (submitted,) = (tmp_path / "submitted").read_text().splitlines()
    *options, script, step, folder = submitted.split()
    assert options == ["--dependency=afterok:77", "--kill-on-invalid-dep=yes"]
    merged = _bash(script, step, folder, environment=environment, where=tmp_path)
    assert merged.returncode == 0, merged.stderr
    whole = tmp_path / "whole"
    assert run("synth", "--profile", profile, "--clean", photos, "--out", whole, "-q")[0] == 3
    assert files_in(out) == files_in(whole)


@pytest.mark.slow
def test_a_task_that_fails_fails_the_job(environment: dict[str, str], tmp_path: Path) -> None:
    usage = _bash(SCRIPT, environment=environment, where=tmp_path)
    assert (usage.returncode, usage.stdout) == (2, "")
    assert "sbatch --array" in usage.stderr
    array = {
        "SLURM_ARRAY_TASK_ID": "2", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_COUNT": "2"
    }  # fmt: skip
    given = ("none.safetensors", EXAMPLES / "clean", tmp_path / "out")
    failed = _bash(SCRIPT, *given, environment=environment | array, where=tmp_path)
    assert failed.returncode == 1
    assert "none.safetensors" in failed.stderr


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A checkout as the workflow describes it."""
    folder = tmp_path / "repository"
    cleans = folder / "photos"
    cleans.mkdir(parents=True)
    shutil.copy(EXAMPLES / "clean" / "rocket.png", cleans)
    profile = _shipped_profile(tmp_path)
    made = tmp_path / "made"
    arguments = ("--patch", 64, "--per-image", 3)
    given = ("synth", "--profile", profile, "--clean", cleans, "--out", made, *arguments)
    assert run(*given)[0] == 0
    shutil.copytree(made, folder / "recipe", ignore=shutil.ignore_patterns("noisy", "clean"))
    return folder


def _shipped_profile(folder: Path) -> Path:
    """A profile of the examples' camera, with the weights that are shipped."""
    profile = folder / "camera.safetensors"
    noisy, clean = (EXAMPLES / "reference" / f"simulated_{kind}.png" for kind in ("noisy", "clean"))
    given = ("profile", "create", "--ref", noisy, "--ref-clean", clean, "--out", profile)
    assert run(*given)[0] == 0
    return profile


def _steps() -> dict[str, str]:
    """Commands of the workflow, by the names of their steps."""
    workflow: dict[Any, Any] = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    # YAML reads the key ``on`` as a truth value.
    assert workflow[True] == ["push", "workflow_dispatch"]
    (job,) = workflow["jobs"].values()
    return {step["name"]: step["run"] for step in job["steps"] if "run" in step}


@pytest.mark.slow
def test_the_workflow_fails_where_a_pixel_differs_and_only_there(
    repository: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    steps = _steps()
    assert list(steps) == ["Install", "Regenerate"]
    # As the README has it, in a checkout: the package is on no index.
    assert "cd noisegen && pip install -c .ci/constraints.txt ." in steps["Install"]
    # As GitHub runs a step.
    step = ("-e", "-o", "pipefail", "-c", steps["Regenerate"])
    equal = _bash(*step, environment=environment, where=repository)
    assert equal.returncode == 0, equal.stderr
    assert "all equal" in equal.stdout
    manifest = repository / "recipe" / "metadata.jsonl"
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    lines[0]["noisy_sha256"] = "0" * 64
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    shutil.rmtree(repository / "dataset")
    other = _bash(*step, environment=environment, where=repository)
    assert other.returncode == 1
    assert lines[0]["noisy_file_name"] in other.stderr
