"""Names of the arrays that all of the mathematics of noise is about, and work by their channels."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

Pixels = NDArray[Any]
"""As files or users hand them over: integers, or floats in any range."""

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Places = NDArray[np.int64]
Rng = np.random.Generator

Result = TypeVar("Result")

FEW = 2**18
"""Numbers of one channel, below which a thread costs more than it saves."""


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
