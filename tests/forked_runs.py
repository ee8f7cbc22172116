"""Runs of the command in forked children, so that torch is imported once for all of them.

    python forked_runs.py '[{"arguments": [...], "files": 3, "signal": 9, "copy": DIR}, ...]'

Each child runs the command; when it has written ``files`` more files than were there, it gets the
signal, if it still runs. What the folder of its ``--out`` then holds is copied. Prints what each
one exited with (negative: the signal), as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import noisegen.cli.dataset  # noqa: F401 (and torch with it, once for all runs)
from noisegen.cli import app


def run(asked: dict[str, Any], out: Path) -> int:
    """One child's exit code."""
    due = count_files(out) + asked.get("files", sys.maxsize)
    child = os.fork()
    if child == 0:
        sys.argv = ["noisegen", *asked["arguments"]]
        try:
            app.main()
        except SystemExit as left:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(int(left.code or 0))
        os._exit(0)
    if "files" in asked:
        while count_files(out) < due:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.001)
        os.kill(child, asked.get("signal", 9))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def count_files(folder: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(folder))


if __name__ == "__main__":
    codes = []
    for asked in json.loads(sys.argv[1]):
        sys.stdout.flush()
        out = Path(asked["arguments"][asked["arguments"].index("--out") + 1])
        codes.append(run(asked, out))
        if "copy" in asked and out.exists():
            shutil.copytree(out, asked["copy"])
    sys.stdout.write("\n" + json.dumps(codes) + "\n")
