"""A Ray cluster of this machine that outlives the runs on it, and its processes."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CORES = 3


@dataclass(frozen=True)
class Head:
    """Where it listens, and what its users need in their environment."""

    address: str
    environment: dict[str, str]


@contextmanager
def ray_head(log: Path) -> Iterator[Head]:
    """Starts a cluster of ``CORES`` cores, and ends it."""
    port = _free_port()
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }
    command = [
        str(Path(sys.executable).with_name("ray")), "start", "--head", "--block",
        f"--port={port}", f"--num-cpus={CORES}", "--include-dashboard=false",
        "--object-store-memory=80000000",
    ]  # fmt: skip
    with log.open("w") as said:
        head = subprocess.Popen(
            command, stdout=said, stderr=said, env=environment, start_new_session=True
        )
    try:
        _wait_for(port, head, log)
        yield Head(f"127.0.0.1:{port}", environment)
    finally:
        # Asked kindly, it lets its last users go on for half a minute.
        os.killpg(head.pid, signal.SIGKILL)
        head.wait(60)


def actors() -> list[int]:
    """Process numbers of this machine's actors that have begun to run noisegen."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            title = path.read_bytes()
        except OSError:
            continue
        if title.startswith(b"ray::PairActor"):
            found.append(int(path.parent.name))
    return found


def _free_port() -> int:
    # Below those that Ray gives its workers.
    while True:
        port = 6000 + secrets.randbelow(3000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


def _wait_for(port: int, head: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + 60
    while time.monotonic() < limit and head.poll() is None:
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.1)
    raise AssertionError(log.read_text())
