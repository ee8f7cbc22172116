"""The number of the epoch, seen by every worker process of a loader."""

from __future__ import annotations

from typing import Any

import torch

from noisegen.errors import UsageError


class SharedEpoch:
    """A number in memory that processes share.

    A loader's workers hold copies of the dataset, and persistent ones keep them from epoch to
    epoch: an attribute that is set in the main process would never reach them.
    """

    def __init__(self) -> None:
        self._number = torch.zeros((), dtype=torch.int64).share_memory_()

    def set(self, number: int) -> None:
        """Sets it for all processes.

        Raises:
            UsageError: it is negative.
        """
        if number < 0:
            raise UsageError(f"epoch {number}: give 0 or more")
        self._number.fill_(number)

    def __int__(self) -> int:
        return int(self._number)

    def __getstate__(self) -> dict[str, Any]:
        return {"number": self._number}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # What a worker was handed is shared already; a copy made by other means is to be as well.
        self._number = state["number"].share_memory_()
