"""Worker threads that each compute alone.

Two workers on two blocks are faster than two threads on one block, whose every small operation
would wait for both, and a block's sums then cannot depend on the number of threads.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import torch

from noisegen.model.vector_math import begin_vector_math


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


def _compute_alone() -> None:
    torch.set_num_threads(1)
    # Asking settles it: a thread's first question otherwise takes the process's number over.
    torch.get_num_threads()
