"""Runs of the command in forked children, so that torch is imported once for all of them.

    python forked_runs.py '[{"arguments": [...], "after": 0.2, "signal": 9, "copy": DIR}, ...]'

Each child runs the command; ``after`` seconds later, or when it has written ``files`` more files
than were there, it gets the signal, if it still runs. What the folder of its ``--out`` then holds
is copied. Prints what each one exited with (negative: the signal) and how long it ran, as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import noisegen.cli.dataset  # noqa: F401 (and torch with it, once for all runs)
from noisegen.cli import app


def run(
    arguments: list[str], due: Callable[[float], bool] | None, signal: int
) -> tuple[int, float]:
    """One child's exit code and seconds; the signal is due by what is asked of the seconds."""
    start = time.perf_counter()
    child = os.fork()
    if child == 0:
        sys.argv = ["noisegen", *arguments]
        try:
            app.main()
        except SystemExit as left:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(int(left.code or 0))
        os._exit(0)
    if due is not None:
        while not due(time.perf_counter() - start):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status), time.perf_counter() - start
            time.sleep(0.001)
        os.kill(child, signal)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), time.perf_counter() - start


def due_moment(asked: dict[str, Any], out: Path) -> Callable[[float], bool] | None:
    """When a child gets its signal; never where nothing is asked."""
    if "files" in asked:
        wanted = count_files(out) + asked["files"]
        return lambda _: count_files(out) >= wanted
    if "after" in asked:
        return lambda seconds: seconds >= asked["after"]
    return None


def count_files(folder: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(folder))


if __name__ == "__main__":
    outcomes = []
    for asked in json.loads(sys.argv[1]):
        sys.stdout.flush()
        arguments = asked["arguments"]
        out = Path(arguments[arguments.index("--out") + 1])
        outcomes.append(run(arguments, due_moment(asked, out), asked.get("signal", 9)))
        if "copy" in asked and out.exists():
            shutil.copytree(out, asked["copy"])
    sys.stdout.write("\n" + json.dumps(outcomes) + "\n")
