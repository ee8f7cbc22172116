"""Real noisy/clean pairs for training and validation, and the hygiene that they need.

What is in the folder, its splits and its pitfalls: the data folder's own README. The clean of a
PolyU scene is the mean of hundreds of shots under a lamp that flickered: the residual's slow part
is not noise and moves into the clean, and patches whose residual follows the clean's gradient
(a small shift) are left out.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from noisegen.files import Pixels, read_picture
from noisegen.noise.arrays import Bytes, Floats
from noisegen.noise.record import as_stored

SEEN = (
    "Canon5D2_toy",
    "Canon5D2_bicyc",
    "Canon80D_ball",
    "Nikon800_map",
    "Nikon800_flowe",
    "Nikon800_wall",
)
BEYOND_REPAIR = ("SonyA7II_compu", "SonyA7II_book")
UNSEEN_CAMERA = "Sony"
W2S_TRAIN_FIELDS = range(1, 33)
W2S_VALIDATION_FIELDS = range(33, 41)

HELD_OUT_CLEAN = 6
"""The last pictures of each lossless clean folder are kept for validation."""

DRIFT_SIGMA = 10.0
"""Gaussian width, in pixels, of what counts as drift: blobs of more than about 24 px."""

LARGEST_GRADIENT_CORRELATION = 0.12
"""Residual patches that follow the clean's gradient more than this are misregistered."""


@dataclass(frozen=True)
class Pair:
    """A noisy picture and its clean, H×W×C uint8, cleaned of drift; ``name`` is the scene's."""

    name: str
    noisy: Bytes
    clean: Bytes


def polyu_isos(root: Path) -> dict[str, str]:
    """PolyU's scenes that can be used, and the ISO value of each."""
    with (root / "polyu" / "iso.csv").open(encoding="utf-8") as file:
        isos = {row["scene"]: row["iso"] for row in csv.DictReader(file)}
    return {scene: iso for scene, iso in isos.items() if scene not in BEYOND_REPAIR}


def polyu_camera(scene: str) -> str:
    """Camera of a scene: ``Nikon_800_carbi`` and ``Nikon800_bulle`` are of one."""
    return scene.rsplit("_", 1)[0].replace("_", "")


def polyu_scenes(root: Path, split: str) -> list[str]:
    """Names of PolyU's scenes in ``train``, ``seen`` or ``unseen`` (camera)."""
    names = list(polyu_isos(root))
    if split == "seen":
        return [name for name in names if name in SEEN]
    if split == "unseen":
        return [name for name in names if name.startswith(UNSEEN_CAMERA)]
    return [name for name in names if name not in SEEN and not name.startswith(UNSEEN_CAMERA)]


def polyu_pair(root: Path, scene: str) -> Pair:
    """Reads a PolyU scene, its drift moved from the residual into the clean."""
    files = (root / "polyu" / f"{scene}_{kind}.JPG" for kind in ("Real", "mean"))
    return drift_free(scene, *(read_picture(file).pixels for file in files))


def drift_free(name: str, noisy: Pixels, clean: Pixels) -> Pair:
    """Makes a pair of 8 bits, its drift moved from the residual into the clean."""
    return Pair(name, noisy.astype(np.uint8), remove_drift(noisy, clean).astype(np.uint8))


def w2s_pair(root: Path, field: int, channel: int) -> Pair:
    """Reads a W2S field of view in one channel."""
    stem = f"w2s{field:03d}_ch{channel}"
    files = (root / "w2s" / f"{stem}_{kind}.png" for kind in ("noisy", "clean"))
    return Pair(stem, *(read_picture(file).pixels.astype(np.uint8) for file in files))


def remove_drift(noisy: Pixels, clean: Pixels, white_level: float = 255) -> Pixels:
    """Adds the residual's slow part (Gaussian of DRIFT_SIGMA) to the clean, rounded.

    Args:
        noisy: H×W×C, uint8 or uint16.
        clean: the same.
        white_level: of both; the result does not pass it.
    """
    residual = noisy.astype(np.float32) - clean
    drift = gaussian_blur(residual, DRIFT_SIGMA)
    adjusted: Pixels = np.clip(np.rint(clean + drift), 0, white_level).astype(clean.dtype)
    return adjusted


def gaussian_blur(image: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Blurs an H×W×C float image by a Gaussian, edges replicated."""
    radius = round(3 * sigma)
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    row = torch.from_numpy((taps / taps.sum()).astype(np.float32)).view(1, 1, 1, -1)
    x = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).unsqueeze(1)
    x = F.conv2d(F.pad(x, (radius, radius, 0, 0), mode="replicate"), row)
    x = F.conv2d(F.pad(x, (0, 0, radius, radius), mode="replicate"), row.transpose(-1, -2))
    return x[:, 0].permute(1, 2, 0).numpy()


def follow_gradient(residual: Floats, clean: Floats) -> Floats:
    """Largest absolute correlation of each gray residual with the clean's two gradients.

    Args:
        residual: N×C×h×w.
        clean: N×C×h×w.

    Returns:
        N values in [0, 1]: near 0 for noise, larger where the two pictures are shifted.
    """
    gray = clean.mean(1)
    across = gray[:, 1:-1, 2:] - gray[:, 1:-1, :-2]
    down = gray[:, 2:, 1:-1] - gray[:, :-2, 1:-1]
    inner = residual.mean(1)[:, 1:-1, 1:-1]
    return np.maximum(_correlate(inner, across), _correlate(inner, down))


def _correlate(a: Floats, b: Floats) -> Floats:
    a = a - a.mean((1, 2), keepdims=True)
    b = b - b.mean((1, 2), keepdims=True)
    norm = np.sqrt((a**2).sum((1, 2)) * (b**2).sum((1, 2)))
    return np.asarray(np.abs((a * b).sum((1, 2))) / np.maximum(norm, 1e-12))


def is_registered(noisy: Pixels, clean: Pixels) -> bool:
    """Tells whether a patch's residual is free of the clean's gradient."""
    clean_planes = clean.astype(np.float32).transpose(2, 0, 1)[None]
    residual = noisy.astype(np.float32).transpose(2, 0, 1)[None] - clean_planes
    return bool(follow_gradient(residual, clean_planes)[0] <= LARGEST_GRADIENT_CORRELATION)


def undo_shift(noisy: Bytes, clean: Bytes) -> Bytes:
    """Moves the clean by the sub-pixel shift that explains the residual best, to first order.

    Only training uses it: there are scenes with hardly a patch that passes hygiene without.
    """
    picture = clean.astype(np.float32)
    residual = (noisy - picture).ravel()
    down, across = (g.ravel() for g in np.gradient(picture, axis=(0, 1)))
    normal = np.array([[across @ across, across @ down], [across @ down, down @ down]])
    shift = np.linalg.solve(normal + 1e-6 * np.eye(2), [across @ residual, down @ residual])
    moved = picture.ravel() + shift[0] * across + shift[1] * down
    shifted: Bytes = as_stored(moved, np.uint8)
    return shifted.reshape(clean.shape)
