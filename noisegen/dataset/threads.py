"""Items made by several threads of this process.

They read, compress and write beside the network, whose own threads they share.
"""

from __future__ import annotations

import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType

import torch

from noisegen.dataset.journal import Done
from noisegen.dataset.pairs import PairMaker
from noisegen.dataset.plan import Item

AHEAD = 2
"""Items in hand for each worker: a large one holds up what comes after it."""


def default_workers() -> int:
    """One for every thread of the network, and one that reads or writes meanwhile."""
    return torch.get_num_threads() + 1


def made_by_threads(
    items: Sequence[Item],
    makers: Sequence[PairMaker],
    workers: int,
    asked_to_stop: threading.Event,
) -> Iterator[Done]:
    """Makes items, several at once, and yields them in order.

    Args:
        items: to be made.
        makers: one a device; items are assigned round-robin.
        workers: items that are worked on at once.
        asked_to_stop: set to begin no further item; those in hand are finished.

    Raises:
        OutputError: one could not be written; the others in hand are finished, and lost to the
            journal alone.
    """

    def make(maker: PairMaker, item: Item) -> list[Done]:
        return [] if asked_to_stop.is_set() else [maker.make(item)]

    with ThreadPoolExecutor(workers) as pool:
        making: deque[Future[list[Done]]] = deque()
        try:
            for index, item in enumerate(items):
                if asked_to_stop.is_set():
                    break
                making.append(pool.submit(make, makers[index % len(makers)], item))
                if len(making) >= AHEAD * workers:
                    yield from making.popleft().result()
            while making:
                yield from making.popleft().result()
        finally:
            for future in making:
                future.cancel()


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; a second one ends the process at once.

    Signals are the main thread's: elsewhere the event is never set.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def ask(number: int, _: FrameType | None) -> None:
        asked.set()
        signal.signal(number, signal.SIG_DFL)

    former = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
