"""Several processes, one a GPU, started by ``torchrun``; alone, everything here does nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import distributed, nn


@contextmanager
def process_group() -> Iterator[int]:
    """Joins the other processes that ``torchrun`` started, if any; yields this one's rank."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield 0
        return
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield distributed.get_rank()
    finally:
        distributed.destroy_process_group()


def local_device(device: torch.device) -> torch.device:
    """This process's GPU where there are several."""
    rank = os.environ.get("LOCAL_RANK")
    return torch.device("cuda", int(rank)) if device.type == "cuda" and rank else device


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replaces gradients by their mean over all processes."""
    if not distributed.is_initialized():
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    parts = torch.split(flat, [gradient.numel() for gradient in gradients])
    for gradient, mean in zip(gradients, parts, strict=True):
        gradient.copy_(mean.view_as(gradient))
