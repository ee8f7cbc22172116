"""One synthesizer a process, made when it is first needed.

Threads do not outlive a fork, so a synthesizer made before a loader forks its workers would wait
for threads that are not there.
"""

from __future__ import annotations

import os
from functools import lru_cache

from torch.utils.data import get_worker_info

from noisegen.errors import UsageError
from noisegen.model.device import select_device
from noisegen.model.weights import load_weights
from noisegen.synthesis.synthesizer import Synthesizer


def synthesizer(weights: str, device: str) -> Synthesizer:
    """This process's synthesizer for some weights and device.

    Args:
        weights: shipped name or path.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Raises:
        WeightsError: unknown, damaged, or of another version.
        UsageError: a device that this machine does not have, or one other than the CPU in a worker.
    """
    selected = select_device(device).type
    if selected != "cpu" and get_worker_info() is not None:
        raise UsageError(
            f"device {selected}: cannot be used in a loader's workers; give device='cpu', or "
            "num_workers=0"
        )
    return _made(weights, selected)


@lru_cache(maxsize=4)
def _made(weights: str, device: str) -> Synthesizer:
    return Synthesizer(load_weights(weights), device)


if hasattr(os, "register_at_fork"):  # Windows cannot fork.
    os.register_at_fork(after_in_child=_made.cache_clear)
