"""Runs of noisegen's command in forked children, so that torch is imported once for all."""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from noisegen.cli import app

_UNIT = 2**20 if sys.platform == "darwin" else 2**10
"""Bytes that ``ru_maxrss`` counts in."""


@dataclass(frozen=True)
class Ended:
    """How a child ended."""

    code: int
    """Exit code; negative: the signal that ended it."""
    said: str
    """Its stdout and stderr."""
    seconds: float
    peak_mb: float
    hung: bool


class Child:
    """One run of the command, or of a function, in a process of its own."""

    peak_mb: ClassVar[float] = 0.0
    """The most of all children; whoever asks sets it to zero before."""

    def __init__(self, work: list[str] | Callable[[], None]) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (until the child has ended)
        self._begun = time.monotonic()
        self._end: tuple[int, resource.struct_rusage] | None = None
        self.pid = os.fork()
        if self.pid == 0:
            self._run(work)

    def _run(self, work: list[str] | Callable[[], None]) -> None:
        code = 1
        for stream in (1, 2):
            os.dup2(self._said.fileno(), stream)
        try:
            if callable(work):
                work()
            else:
                sys.argv = ["noisegen", *work]
                app.main()
            code = 0
        except SystemExit as left:
            code = int(left.code or 0)
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    def running(self) -> bool:
        """Whether it has not ended."""
        if self._end is None:
            pid, status, used = os.wait4(self.pid, os.WNOHANG)
            self._end = (os.waitstatus_to_exitcode(status), used) if pid else None
        return self._end is None

    def kill(self) -> None:
        """Ends it at once, if it still runs."""
        if self.running():
            os.kill(self.pid, signal.SIGKILL)

    def memory_mb(self) -> float:
        """What it takes now; 0 where the system does not say or it has ended."""
        pages = Path(f"/proc/{self.pid}/statm")
        try:
            return int(pages.read_text().split()[1]) * resource.getpagesize() / 2**20
        except (OSError, IndexError):
            return 0.0

    def ended(self, *, kill_after: float | None = None, limit: float = float("inf")) -> Ended:
        """Waits for its end, or ends it: after some time for the test's sake, or as hung."""
        while self.running():
            lasted = time.monotonic() - self._begun
            if lasted > min(limit, float("inf") if kill_after is None else kill_after):
                self.kill()
            time.sleep(0.001 if lasted < 1 else 0.01)
        assert self._end is not None
        code, used = self._end
        seconds, peak = time.monotonic() - self._begun, used.ru_maxrss * _UNIT / 2**20
        Child.peak_mb = max(Child.peak_mb, peak)
        self._said.seek(0)
        said = self._said.read().decode(errors="replace")
        return Ended(code, said, seconds, peak, code == -signal.SIGKILL and seconds > limit)
