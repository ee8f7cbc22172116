"""Windows and measured statistics as the model's tensors, and the prompt that these make.

A gray camera's channel is repeated.
"""

from __future__ import annotations

import copy
from dataclasses import fields

import numpy as np
import torch
from numpy.typing import NDArray

from noisegen.model.conditioning import Statistics
from noisegen.model.encoder import ReferenceWindows
from noisegen.model.weights import Weights
from noisegen.noise.statistics import NoiseStatistics
from noisegen.noise.windows import Windows

MAX_WINDOWS = 256
"""Windows that the encoder looks at, spread evenly over all references (0.26 Mpx)."""


def statistics_tensors(measured: NoiseStatistics, channels: int = 3) -> Statistics:
    """Convert measured statistics to a batch of one.

    Args:
        measured: of C channels.
        channels: C, or 3 for a gray camera's channel to be repeated, as networks need it.
    """
    kernel, colour, reach = measured.kernel, measured.colour, measured.colour_reach
    if len(measured.sigma) < channels:
        # One white channel drives all three, so that the repeated gray channels stay equal.
        kernel = np.concatenate([kernel, np.zeros_like(kernel), np.zeros_like(kernel)], axis=1)
        colour, reach = np.repeat(colour, 3, axis=1), np.repeat(reach, 3, axis=1)
    scale = float(np.sqrt(np.mean(measured.sigma.astype(np.float64) ** 2)))
    values = {f.name: getattr(measured, f.name, None) for f in fields(Statistics)}
    values |= {"kernel": kernel, "colour": colour, "colour_reach": reach}
    tensors = {
        name: _channels(value, channels) for name, value in values.items() if value is not None
    }
    return Statistics(**tensors, scale=torch.tensor([scale], dtype=torch.float32))


def window_tensors(windows: Windows, limit: int = MAX_WINDOWS) -> ReferenceWindows:
    """Convert windows to a batch of one set of references, in double precision."""
    taken = windows.take(limit)
    residual, clean = (
        torch.from_numpy(np.broadcast_to(x, (len(x), 3, *x.shape[2:])).astype(np.float64))[None]
        for x in (taken.residual, taken.clean)
    )
    estimated = torch.tensor([float(taken.estimated)], dtype=torch.float64)
    return ReferenceWindows(residual, clean, torch.ones(residual.shape[:2]).bool(), estimated)


def _channels(values: NDArray[np.float32], channels: int) -> torch.Tensor:
    repeated = np.repeat(values, channels, axis=0) if len(values) < channels else values
    return torch.from_numpy(np.ascontiguousarray(repeated)).unsqueeze(0)


def encode(windows: Windows, measured: NoiseStatistics, weights: Weights) -> NDArray[np.float32]:
    """The prompt, T×D.

    In double precision, on the CPU: rounded to float32, it is then the same with any number of
    threads and on nearly any machine, and with it the profile's hash.
    """
    encoder = copy.deepcopy(weights.encoder).cpu().double()
    statistics = statistics_tensors(measured)
    statistics = Statistics(*(value.double() for value in vars(statistics).values()))
    with torch.inference_mode():
        tokens = encoder(window_tensors(windows), statistics).tokens
    return np.asarray(tokens[0].numpy().astype(np.float32))


def encode_locally(
    windows: Windows, measured: NoiseStatistics, weights: Weights
) -> NDArray[np.float64]:
    """The prompt's local half, L×D, in double precision; empty where weights have none."""
    if "local" not in weights.encoder.blocks:
        return np.zeros((0, 0))
    block = copy.deepcopy(weights.encoder.blocks["local"]).cpu().double()
    with torch.inference_mode():
        tokens: NDArray[np.float64] = block(window_tensors(windows), statistics_tensors(measured))[
            0
        ].numpy()
    return tokens
