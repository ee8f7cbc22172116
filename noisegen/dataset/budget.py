"""How much memory the pictures in hand may take at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from noisegen.files import Header, VolumeHeader
from noisegen.synthesis.blocks import SIDE
from noisegen.synthesis.clean_rows import band_rows

IN_HAND = 5 * 2**28
"""Bytes of all items that workers hold at once: of RGB pictures of 8 bits and 24 megapixels three,
of small ones any number."""

COPIES = 6
"""Times the size of its samples that an item takes: clean and noisy, each as it is read or made, as
it is encoded, and while it is. Crops are cut from one noisy picture, so they take no more."""


def held_bytes(header: Header | VolumeHeader, tile: int) -> int:
    """Memory that an item takes, from what its clean declares.

    Args:
        header: of the clean.
        tile: tile side in pixels: a volume is made in bands of about as many rows.
    """
    rows, sample = header.height, header.dtype.itemsize
    if isinstance(header, VolumeHeader):
        # Beside the band, the blocks that it needs around it.
        rows = min(rows, band_rows(header.width, header.samples, tile) + 2 * SIDE)
        return COPIES * rows * header.width * header.samples * sample
    return COPIES * rows * header.width * (header.channels + header.has_alpha) * sample


class MemoryBudget:
    """Lets workers in one by one where what they hold is large.

    Args:
        limit: bytes; a larger item is let in alone.
    """

    def __init__(self, limit: int = IN_HAND) -> None:
        self._limit = limit
        self._held = 0
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, size: int) -> Iterator[None]:
        """Waits until so many more bytes fit."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held or self._held + size <= self._limit)
            self._held += size
        try:
            yield
        finally:
            with self._changed:
                self._held -= size
                self._changed.notify_all()
