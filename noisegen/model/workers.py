"""Worker threads that each compute alone.

Two workers on two blocks are faster than two threads on one block, whose every small operation
would wait for both, and a block's sums then cannot depend on the number of threads.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from noisegen.model.vector_math import begin_vector_math

Given = TypeVar("Given")
Result = TypeVar("Result")

FEW = 2**18
"""Numbers of one channel, below which a thread costs more than it saves."""


def single_threaded_pool(workers: int | None = None) -> ThreadPoolExecutor:
    """A pool whose workers run torch's operations on one thread each.

    Args:
        workers: how many; as many as torch has threads where not given.
    """
    begin_vector_math()
    threads = torch.get_num_threads()
    count = workers or threads
    pool = ThreadPoolExecutor(count, initializer=_compute_alone)
    # torch counts threads per calling thread, but starts new ones with the number set last: have
    # every worker started, then put back the caller's number for threads that others start.
    together = threading.Barrier(count)
    list(pool.map(lambda _: together.wait(), range(count)))
    torch.set_num_threads(threads)
    return pool


class LastingWorkers:
    """Such a pool that lasts. Threads outlive neither a fork nor a copy: each starts its own.

    Args:
        workers: how many; as many as torch has threads where not given.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._asked = workers
        self._start()

    def _start(self) -> None:
        self._process, self._pool = os.getpid(), single_threaded_pool(self._asked)

    def map(self, work: Callable[[Given], Result], given: Iterable[Given]) -> Iterator[Result]:
        """Results in the order of what is given, as :meth:`ThreadPoolExecutor.map` has them."""
        if self._process != os.getpid():
            self._start()
        return self._pool.map(work, given)

    def __reduce__(self) -> tuple[type[LastingWorkers], tuple[int | None]]:
        return type(self), (self._asked,)


def _compute_alone() -> None:
    torch.set_num_threads(1)
    # Asking settles it: a thread's first question otherwise takes the process's number over.
    torch.get_num_threads()


def of_each_channel(work: Callable[[int], Result], channels: int, size: int) -> list[Result]:
    """Do some work for each channel: side by side where there are threads and enough to do.

    Args:
        work: of one channel, by its number; most of it in NumPy, which lets other threads run.
        channels: how many.
        size: numbers of one channel.
    """
    threads = min(channels, torch.get_num_threads())
    if threads == 1 or size < FEW:
        return [work(channel) for channel in range(channels)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, range(channels)))
