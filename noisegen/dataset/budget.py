"""How much of the pictures in hand may be in memory at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

IN_HAND = 2**26
"""Pixels of all pictures that workers hold at once: of 24 megapixels two, of small ones any number.
A pixel in hand costs some 20 bytes, as clean, noisy and encoded."""


class PixelBudget:
    """Lets workers in one by one where their pictures are large.

    Args:
        limit: pixels; a larger picture is let in alone.
    """

    def __init__(self, limit: int = IN_HAND) -> None:
        self._limit = limit
        self._held = 0
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, pixels: int) -> Iterator[None]:
        """Waits until so many more pixels fit."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held or self._held + pixels <= self._limit)
            self._held += pixels
        try:
            yield
        finally:
            with self._changed:
                self._held -= pixels
                self._changed.notify_all()
