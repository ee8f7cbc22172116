"""Choosing where the network runs."""

from __future__ import annotations

import torch

from noisegen.errors import UsageError

DEVICES = ("auto", "cpu", "cuda", "mps")


def select_device(name: str) -> torch.device:
    """The torch device for ``auto``, ``cpu``, ``cuda`` or ``mps``.

    ``auto`` takes CUDA where there is one, else the CPU: MPS is only taken by name, because its
    arithmetic is the furthest from the CPU's.

    Raises:
        UsageError: an unknown name, or a device this machine does not have.
    """
    if name not in DEVICES:
        raise UsageError(f"--device {name}: unknown; choose one of {', '.join(DEVICES)}")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not available[name]:
        raise UsageError(f"--device {name}: not available on this machine; use --device cpu")
    return torch.device(name)


def select_devices(name: str) -> list[torch.device]:
    """All devices of a kind, as :func:`select_device` chooses it: several where there are GPUs.

    Raises:
        UsageError: an unknown name, or a device this machine does not have.
    """
    device = select_device(name)
    if device.type != "cuda":
        return [device]
    return [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
