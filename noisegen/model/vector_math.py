"""Functions whose last bit depends on the machine, and the first call of the library they are in.

Addition, multiplication, division are the same in every processor; exp, log, their like and sums
of any order are not. Worked out in double precision and then rounded to single, they differ once
in some hundred million values.

torch hands exp, log and their like to MKL, whose first call in a process finds out what the machine
is. Where several threads make it at once, one of them now and then gets a function of a lower
accuracy: a call in some hundred processes was off by up to 6e-5 (measured with four threads on
torch 2.13; never after a first call by one thread). That is a step of 8 bits in a few pixels.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import torch
from torch import Tensor

_beginning = threading.Lock()
_begun = threading.Event()


def begin_vector_math() -> None:
    """Makes the first calls of a process; to be asked before threads compute."""
    with _beginning:
        for dtype in (torch.float32, torch.float64):
            # So few that torch does not spread them over threads itself.
            few = torch.full((16,), 0.5, dtype=dtype)
            for function in (torch.exp, torch.log, torch.log2, torch.tanh, torch.sqrt):
                function(few)
            for function in (torch.cos, torch.sin):
                function(few)
            # Fourier transforms come from the same library.
            torch.fft.irfft2(torch.fft.rfft2(torch.zeros(16, 16, dtype=dtype)))
        _begun.set()


def _compute_alone_when_forked() -> None:
    # The libraries' threads do not outlive a fork, and would be waited for in all eternity.
    if _begun.is_set():
        torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):  # Windows cannot fork.
    os.register_at_fork(after_in_child=_compute_alone_when_forked)


def rounded(function: Callable[[Tensor], Tensor], values: Tensor) -> Tensor:
    """Apply a function in double precision and round to the values' own type.

    Args:
        function: of torch's, elementwise.
        values: of any shape.
    """
    return function(values.double()).to(values.dtype)
