"""The Gaussian field, drawn by position: any part of it can be drawn alone.

One block of the Philox counter-based generator (Salmon et al., SC 2011) serves one pixel: its
counter is the pixel's position, its key the image's. NumPy promises Philox's raw integers to stay
the same for ever, but not its normal variates: those come from the integers by Box–Muller, in
float64, so that the float32 values agree between machines.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from noisegen.noise.arrays import Floats
from noisegen.noise.philox import philox

CHANNELS = 4
"""Normal variates a pixel: one Philox block holds 4 × 64 bits, two pairs of 32-bit uniforms."""

BITS = 2**53 - 1
"""Of a word that is shifted down by 11 bits, those that are its own."""

ORIGIN = 1 << 20
"""Added to both coordinates, so that the margin left of and above the image has counters too."""


@dataclass(frozen=True)
class FieldKey:
    """The 128-bit Philox key of one image's field."""

    low: int
    high: int


def field_key(seed: int, key: str, variant: int, plane: int = 0) -> FieldKey:
    """The field's key: SHA-256 of what identifies the noisy image.

    Args:
        seed: the dataset's.
        key: the image's relative path, with ``/``.
        variant: number of the noisy version.
        plane: of a picture whose planes have noise of their own.
    """
    text = f"noisegen field\0{seed}\0{key}\0{variant}\0{plane}"
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return FieldKey(int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:16], "little"))


def gaussian_field(
    key: FieldKey, y: int, x: int, height: int, width: int, channels: int = CHANNELS
) -> Floats:
    """The part of an image's field at rows y… and columns x… (both may be negative).

    Args:
        key: of the image.
        y: first row.
        x: first column.
        height: rows.
        width: columns.
        channels: the first so many; fewer take less time and are the same.

    Returns:
        channels×height×width float32, standard normal, independent.
    """
    raw = np.empty((height, 4 * width), dtype=np.uint64)
    # Philox counts up before each block, so the block of counter c is the one after c − 1.
    counter = np.array([x + ORIGIN - 1, y + ORIGIN, 0, 0], dtype=np.uint64)
    generator = np.random.Philox(
        key=np.array([key.low, key.high], dtype=np.uint64), counter=counter
    )
    for row in raw:
        row[:] = generator.random_raw(4 * width)
        # On to the next value of the counter's second word, and back to the first column.
        generator.advance(2**64 - int(width))
    normals: Floats = _normals(_words(raw.reshape(height, width, 4)), channels).numpy()
    return normals


def device_field(
    key: FieldKey,
    place: tuple[int, int],
    size: tuple[int, int],
    channels: int,
    device: torch.device,
) -> Tensor:
    """The same as :func:`gaussian_field`, drawn on a device.

    Args:
        key: of the image.
        place: first row and column.
        size: rows and columns.
        channels: the first so many.
        device: that it is drawn on, and lies on.
    """
    rows, columns = (
        torch.arange(start + ORIGIN, start + ORIGIN + length, device=device)
        for start, length in zip(place, size, strict=True)
    )
    counters = columns.expand(size).contiguous(), rows[:, None].expand(size).contiguous()
    return _normals(philox(*counters, (key.low, key.high)), channels)


def line_field(key: FieldKey, axis: int, start: int, length: int) -> Floats:
    """Normals of an image's rows (axis 0) or columns (axis 1), drawn by position too.

    Args:
        key: of the image.
        axis: 0 or 1.
        start: first line; may be negative.
        length: lines.

    Returns:
        CHANNELS×length float32, standard normal, independent of the field's and of each other.
    """
    # The third word tells lines from pixels, whose counters leave it at 0.
    counter = np.array([start + ORIGIN - 1, 0, 1 + axis, 0], dtype=np.uint64)
    generator = np.random.Philox(
        key=np.array([key.low, key.high], dtype=np.uint64), counter=counter
    )
    words = _words(generator.random_raw(4 * length).reshape(1, length, 4))
    normals: Floats = _normals(words, CHANNELS)[:, 0].numpy()
    return normals


def _words(raw: NDArray[np.uint64]) -> tuple[Tensor, ...]:
    """h×w×4 words as four tensors of h×w, their bits as signed numbers."""
    return torch.from_numpy(raw.view(np.int64)).unbind(2)


def _normals(words: tuple[Tensor, ...], channels: int) -> Tensor:
    """Box–Muller: two 64-bit words make two normals; four of h×w → channels×h×w."""
    field = torch.empty((channels, *words[0].shape), dtype=torch.float32, device=words[0].device)
    for pair in range(-(-channels // 2)):
        # 53 bits each; the radius' uniform lies in (0, 1], so that its logarithm is finite.
        radius, angle = (((words[word] >> 11) & BITS).double() for word in (2 * pair, 2 * pair + 1))
        # torch's cosines take a fifth of NumPy's time.
        radius.add_(1).mul_(2.0**-53).log_().mul_(-2).sqrt_()
        angle.mul_(2 * np.pi * 2.0**-53)
        field[2 * pair] = radius * angle.cos()
        if 2 * pair + 1 < channels:
            field[2 * pair + 1] = radius * angle.sin()
    return field
