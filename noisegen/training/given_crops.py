"""Crops that a denoiser is given beside the simulated ones: real pairs and textbook noise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from noisegen.training import classical_noise
from noisegen.training.bank import TARGET, random_place, stack_targets
from noisegen.training.real_pairs import (
    Report,
    polyu_group,
    polyu_training_scenes,
    registered_crops,
    w2s_group,
)

Bytes = NDArray[np.uint8]
Rng = np.random.Generator


def classical_crops(pictures: Sequence[Bytes], count: int, rng: Rng) -> Bytes:
    """Textbook noise over random places of pictures: count×2×3×128×128, noisy and clean."""
    pairs = []
    for _ in range(count):
        picture = pictures[int(rng.integers(len(pictures)))]
        clean = picture[random_place(picture.shape[:2], TARGET, rng, grid=8)]
        clean = _lit(clean, rng)
        setting = classical_noise.draw_setting(rng)
        if setting.gray:
            gray = np.rint(clean.astype(np.float32).mean(-1, keepdims=True)).astype(np.uint8)
            clean = np.broadcast_to(gray, clean.shape)
        pairs.append((classical_noise.add_noise(clean, setting, rng), clean))
    return stack_targets(pairs)


def real_crops(
    data: Path, photographs: int, microscopy: int, rng: Rng
) -> tuple[Bytes, NDArray[np.int64]]:
    """Registered crops of PolyU's and W2S's training pictures, and of which camera each is.

    Args:
        data: folder that holds ``polyu`` and ``w2s``.
        photographs: crops of each PolyU scene.
        microscopy: crops of each W2S channel.
        rng: what decides.

    Returns:
        N×2×3×128×128, noisy and clean, and N numbers: of the same one, scene and setting are one.
    """
    groups = [(polyu_group(data, scene), photographs) for scene in polyu_training_scenes(data)]
    groups += [(w2s_group(data, channel), microscopy) for channel in range(3)]
    pairs, members = [], []
    for number, (group, count) in enumerate(groups):
        each = -(-count // len(group.pairs))
        crops = [c for pair in group.pairs for c in registered_crops(pair, each, rng, Report())]
        pairs += crops[:count]
        members += [number] * len(crops[:count])
    return stack_targets([_rgb(noisy, clean) for noisy, clean in pairs]), np.array(members)


def _lit(clean: Bytes, rng: Rng) -> Bytes:
    """A third dimmed as microscopes' pictures are, a sixth with a black channel or two."""
    factor = 2 ** -rng.uniform(0, 4) if rng.random() < 1 / 3 else 1.0
    channels = np.ones(3)
    if rng.random() < 1 / 6:
        channels[rng.permutation(3)[: rng.integers(1, 3)]] = 0
    lit: Bytes = np.rint(clean * (factor * channels)).astype(np.uint8)
    return lit


def _rgb(noisy: Bytes, clean: Bytes) -> tuple[Bytes, Bytes]:
    """Gray repeated."""
    shape = (*noisy.shape[:2], 3)
    return np.broadcast_to(noisy, shape), np.broadcast_to(clean, shape)
