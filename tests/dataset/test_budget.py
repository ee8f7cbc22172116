"""Items in hand together stay within the budget; a larger one is alone."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from noisegen.dataset.budget import IN_HAND, MemoryBudget, held_bytes
from noisegen.files import read_header, read_volume_header


@given(sizes=st.lists(st.integers(1, 15), min_size=1, max_size=12))
def test_what_is_held_at_once_fits_or_is_alone(sizes: list[int]) -> None:
    budget, lock = MemoryBudget(10), threading.Lock()
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
    budget = MemoryBudget(10)
    for _ in range(3):
        with suppress(OSError), budget.hold(10):
            raise OSError
    with budget.hold(10):
        pass


def test_depth_and_channels_count_and_of_a_volume_the_rows_in_hand(tmp_path: Path) -> None:
    deep, volume = tmp_path / "deep.png", tmp_path / "volume.tif"
    tifffile.imwrite(volume, np.zeros((3, 4000, 50), np.float32), photometric="minisblack")
    deep.write_bytes(imagecodecs.png_encode(np.zeros((40, 30, 3), np.uint16)))
    size = 40 * 30 * 3 * 2
    # The clean and the noisy picture, as they are and encoded, and no more than a few copies.
    assert 4 * size <= held_bytes(read_header(deep), 1024) <= 8 * size
    header = read_volume_header(volume)
    assert header is not None
    whole = 3 * 4000 * 50 * 4
    assert 1024 * 50 * 4 < held_bytes(header, 256) <= held_bytes(header, 1024) < 4 * whole
    # Several pictures of a phone's camera go at once.
    assert IN_HAND > 3 * 6 * 4000 * 3000 * 3
