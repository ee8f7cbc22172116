"""A Ray cluster: this machine's own, started for one run, or one that is named."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from noisegen.errors import NoisegenError, UsageError, from_checkout

MOST_CORES = 8
"""Most cores of one actor: its Python code runs on one at a time, and would hold up more."""

OBJECT_STORE = 128 * 2**20
"""Bytes of a local cluster's object store: only names and lines of the manifest go through it."""

CONNECT_SECONDS = 10.0

ENVIRONMENT = {
    # It otherwise reports to its makers.
    "RAY_USAGE_STATS_ENABLED": "0",
    # It otherwise connects to any cluster, or starts one, for a thread that comes late.
    "RAY_ENABLE_AUTO_CONNECT": "0",
    # Times that it asks for a cluster that does not answer, 40 s each.
    "RAY_NUM_REDIS_GET_RETRIES": "2",
}
"""Environment variables of Ray, which reads them when it is imported."""


class ClusterError(NoisegenError):
    """A Ray cluster that is missing, too small or lost."""


@dataclass(frozen=True)
class Node:
    """A machine of a cluster: its cores and GPUs."""

    cores: int
    gpus: int = 0


@dataclass(frozen=True)
class Actors:
    """Number of actors, and what each holds: cores, and one GPU or none."""

    count: int
    cores: int
    gpus: int = 0


def require_ray() -> ModuleType:
    """The package ``ray``.

    Raises:
        ClusterError: it is not installed.
    """
    os.environ.update(ENVIRONMENT)
    try:
        return import_module("ray")
    except ImportError:
        raise ClusterError(f"--engine ray: needs the package ray; {from_checkout('ray')}") from None


@contextmanager
def open_cluster(address: str | None, cores: int) -> Iterator[ModuleType]:
    """Connects to a cluster, or starts one here, and leaves it at the end whatever happens.

    Nothing that Ray prints meanwhile reaches stdout.

    Args:
        address: the head's, as ``HOST:6379`` or ``auto``; None for a cluster of this machine.
        cores: of this machine that actors may hold.

    Raises:
        ClusterError: Ray is not installed, or the cluster cannot be reached or started.
        UsageError: the address is none.
    """
    ray = require_ray()
    if address is not None:
        _check_address(address)
    handlers = _signal_handlers()
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        try:
            _connect(ray, address, cores)
            # Ray puts one of its own in the place of ours, which lets a run end whole.
            for number, handler in handlers.items():
                signal.signal(number, handler)
            yield ray
        finally:
            ray.shutdown()


def _connect(ray: ModuleType, address: str | None, cores: int) -> None:
    started: dict[str, Any] = {
        "address": "local",
        "num_cpus": cores,
        "object_store_memory": OBJECT_STORE,
        "include_dashboard": False,
    }
    quiet = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    named = address or "a cluster of this machine"
    try:
        with warnings.catch_warnings():
            # Of what Ray's next versions will do.
            warnings.simplefilter("ignore")
            ray.init(**({"address": address} if address else started), **quiet)
    # Ray raises nearly anything here, from ValueError to its own.
    except Exception as error:
        raise ClusterError(
            f"--engine ray: {named} cannot be used ({first_line(error)}); check that "
            "`ray status` answers here (with RAY_AUTH_TOKEN, if the cluster asks for a token), or "
            "use --engine threads"
        ) from error


def _check_address(address: str) -> None:
    """Refuses what Ray would wait long for, or end the process over."""
    if "://" in address:
        raise UsageError(
            f"--address {address}: actors need the cluster itself, no client; run on one of its "
            "machines with --address auto or HOST:6379"
        )
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise UsageError(f"--address {address}: give HOST:PORT of the cluster's head, or auto")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"--address {address}: no cluster answers there ({error}); start it with `ray start "
            "--head`, or leave the option out for one of this machine"
        ) from error


def _signal_handlers() -> dict[int, Any]:
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}


def actors_of(ray: ModuleType, on_gpus: bool) -> Actors:
    """The most that the connected cluster can hold now; see :func:`plan_actors`."""
    alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    nodes = [Node(int(one.get("CPU", 0)), int(one.get("GPU", 0))) for one in alive]
    return plan_actors(nodes, int(ray.available_resources().get("CPU", 0)), on_gpus)


def plan_actors(nodes: Sequence[Node], free: int, on_gpus: bool) -> Actors:
    """The most that the cluster can hold at once.

    Args:
        nodes: of the cluster.
        free: cores that nobody else holds now.
        on_gpus: one actor a GPU; else one for a set of up to ``MOST_CORES`` cores.

    Raises:
        ClusterError: there is none.
    """
    if free < 1:
        raise ClusterError(
            f"--engine ray: the cluster has no free core of {sum(node.cores for node in nodes)}; "
            "add a machine (ray start --num-cpus 2 --address …), wait, or use --engine threads"
        )
    if on_gpus:
        with_gpus = [node for node in nodes if node.gpus and node.cores]
        if not with_gpus:
            raise ClusterError(
                "--device cuda: the cluster has no GPU beside a core; use --device cpu"
            )
        count = min(free, sum(min(node.gpus, node.cores) for node in with_gpus))
        fitting = min(max(1, node.cores // node.gpus) for node in with_gpus)
        return Actors(count, min(MOST_CORES, fitting, free // count), 1)

    def fit(cores: int) -> int:
        return min(free // cores, sum(node.cores // cores for node in nodes))

    # An actor's memory is worth half a core: rather few large ones than a core more.
    cores = max(range(1, MOST_CORES + 1), key=lambda each: fit(each) * (2 * each - 1))
    return Actors(fit(cores), cores)


def first_line(error: Exception) -> str:
    """How an error begins."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
