"""The file of drawn cameras that measured curves are completed by; shipped beside the weights."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save as serialise

from noisegen.errors import WeightsError
from noisegen.files import write_atomically
from noisegen.model.config import ACTIVITY_NODES
from noisegen.model.tensor_file import all_finite, read_tensor_file
from noisegen.model.weights import weights_folders
from noisegen.noise.arrays import Doubles
from noisegen.noise.content import Usual
from noisegen.noise.prior import FAINT_LEVEL, INTENSITIES, Cameras, Kind

FILE = "camera-prior.safetensors"
LARGEST = 2**26
"""Bytes of the file; the shipped one has 0.84 million."""

FAINT_MEAN = 0.3 / 255
"""Added to a level before means are taken relative to it."""

LARGEST_MEAN = 3.0
"""Of a mean relative to its level."""

EVERY = 3
"""One in so many colour cameras stands for a gray one too, by its green channel."""


def save_cameras(path: str | Path, colour: Doubles, sensors: Doubles, activities: Doubles) -> None:
    """Writes drawn cameras, whole or not at all, in half precision.

    Args:
        path: of the file.
        colour: N×2×3×G, mean and level of colour cameras, of white, at INTENSITIES.
        sensors: M×2×1×G, of gray ones.
        activities: L×ACTIVITY_NODES, how the noise of cameras' channels follows activity.

    Raises:
        OutputError: the path cannot be written.
    """
    tensors = {"colour": colour, "sensors": sensors}
    half = {name: _vectors(curves).astype(np.float16) for name, curves in tensors.items()}
    half["activities"] = activities.astype(np.float16)
    write_atomically(Path(path), serialise(half))


def load_cameras(path: Path) -> tuple[Doubles, Doubles, Doubles]:
    """Reads cameras that :func:`save_cameras` wrote.

    Raises:
        WeightsError: missing or damaged.
    """
    try:
        tensors = read_tensor_file(path, LARGEST).tensors
        if not all_finite(tensors):
            raise ValueError("it holds NaN or infinite values")
        colour, sensors = _curves(tensors["colour"], 3), _curves(tensors["sensors"], 1)
        activities = tensors["activities"].astype(np.float64)
        if activities.shape[1:] != (ACTIVITY_NODES,) or len(activities) < 2:
            raise ValueError(f"activities of shape {activities.shape}")
        return colour, sensors, activities
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(
            f"{path}: no file of cameras ({error}); install noisegen again"
        ) from None


@cache
def shipped_cameras(channels: int, kind: Kind) -> Cameras:
    """The shipped cameras of 1 or 3 channels."""
    colour, sensors, _ = load_cameras(_shipped())
    gray = np.concatenate([colour[::EVERY, :, 1:2], sensors])
    return Cameras.of(gray if channels == 1 else colour, kind)


@cache
def usual_activity() -> Usual:
    """Prior of the factor by activity, of the shipped cameras."""
    return Usual.of(load_cameras(_shipped())[2])


def _shipped() -> Path:
    folders = [folder for folder in weights_folders() if (folder / FILE).is_file()]
    return (folders or weights_folders())[0] / FILE


def _vectors(curves: Doubles) -> Doubles:
    """Mean and level, N×2×C×G, as vectors, N×2CG."""
    mean, level = curves[:, 0], curves[:, 1]
    relative = (mean / (level + FAINT_MEAN)).clip(-LARGEST_MEAN, LARGEST_MEAN)
    return np.stack([np.log(level + FAINT_LEVEL), relative], 1).reshape(len(curves), -1)


def _curves(rows: NDArray[Any], channels: int) -> Doubles:
    """N×2CG vectors → N×2×C×G, mean and level.

    Raises:
        ValueError: they are not two or more such vectors.
    """
    if rows.shape[1:] != (2 * channels * len(INTENSITIES),) or len(rows) < 2:
        raise ValueError(f"vectors of shape {rows.shape}")
    shaped = rows.astype(np.float64).reshape(len(rows), 2, channels, len(INTENSITIES))
    logs, relative = shaped.swapaxes(0, 1)
    level = np.maximum(np.exp(logs) - FAINT_LEVEL, 0)
    return np.stack([relative * (level + FAINT_MEAN), level], 1)
