"""Runs of the command in forked children, so that torch is imported once for all of them.

    python forked_runs.py '[{"arguments": [...], "after": 0.2, "signal": 9, "copy": DIR}, ...]'

Each child runs the command; ``after`` seconds later it gets the signal, if it still runs. What the
folder of its ``--out`` then holds is copied. Prints what each one exited with (negative: the
signal) and how long it ran, as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path

from noisegen.cli import app


def run(arguments: list[str], after: float | None, signal: int) -> tuple[int, float]:
    """One child's exit code and seconds."""
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
    if after is not None:
        while time.perf_counter() - start < after:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status), time.perf_counter() - start
            time.sleep(0.001)
        os.kill(child, signal)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), time.perf_counter() - start


if __name__ == "__main__":
    outcomes = []
    for asked in json.loads(sys.argv[1]):
        sys.stdout.flush()
        arguments = asked["arguments"]
        outcomes.append(run(arguments, asked.get("after"), asked.get("signal", 9)))
        out = Path(arguments[arguments.index("--out") + 1])
        if "copy" in asked and out.exists():
            shutil.copytree(out, asked["copy"])
    sys.stdout.write("\n" + json.dumps(outcomes) + "\n")
