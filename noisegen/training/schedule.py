"""How the learning rate goes over a training."""

from __future__ import annotations

import math


def schedule(step: int, steps: int, warmup: int) -> float:
    """Warm-up, then half a cosine down to a fiftieth."""
    if step < warmup:
        return (step + 1) / warmup
    share = min(1.0, (step - warmup) / max(1, steps - warmup))
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share))
