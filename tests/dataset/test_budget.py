"""Pictures in hand together stay within the budget; a larger one is alone."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from noisegen.dataset.budget import PixelBudget


@given(sizes=st.lists(st.integers(1, 15), min_size=1, max_size=12))
def test_what_is_held_at_once_fits_or_is_alone(sizes: list[int]) -> None:
    budget, lock = PixelBudget(10), threading.Lock()
    held: list[int] = []
    most: list[list[int]] = []

    def work(size: int) -> None:
        with budget.hold(size):
            with lock:
                held.append(size)
                most.append(list(held))
            time.sleep(0.0005)
            with lock:
                held.remove(size)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, sizes))
    assert len(most) == len(sizes)
    assert all(sum(together) <= 10 or len(together) == 1 for together in most)


def test_a_failure_gives_its_share_back() -> None:
    budget = PixelBudget(10)
    for _ in range(3):
        with suppress(OSError), budget.hold(10):
            raise OSError
    with budget.hold(10):
        pass
