"""Choices drawn per image: each a hash of what identifies it, never of what ran before."""

from __future__ import annotations

import hashlib
import math


def uniform(seed: int, key: str, variant: int, purpose: str, index: int = 0) -> float:
    """A number in [0, 1), uniform over keys.

    Args:
        seed: the dataset's.
        key: the image's relative path.
        variant: number of the noisy version.
        purpose: what is drawn; different purposes are independent.
        index: of several draws for one purpose.
    """
    text = f"noisegen draw\0{purpose}\0{seed}\0{key}\0{variant}\0{index}"
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return (int.from_bytes(digest[:8], "little") >> 11) * 2.0**-53


def choice(count: int, seed: int, key: str, variant: int) -> int:
    """The number of one of ``count`` profiles."""
    return int(uniform(seed, key, variant, "profile") * count)


def tag(seed: int, key: str, variant: int) -> str:
    """What the name of a profile that was made for one noisy version alone ends with."""
    return f"{int(uniform(seed, key, variant, 'camera') * 2**53):014x}"


def strength(low: float, high: float, seed: int, key: str, variant: int) -> float:
    """A factor between two strengths, uniform in its logarithm."""
    if low == high:
        return low
    share = uniform(seed, key, variant, "strength")
    return float(math.exp(math.log(low) + share * (math.log(high) - math.log(low))))


def crop_places(width: int, height: int, side: int) -> int:
    """Places of a picture's crops on the 8×8 grid."""
    return ((height - side) // 8 + 1) * ((width - side) // 8 + 1)


def corners(
    height: int, width: int, side: int, count: int, seed: int, key: str
) -> list[tuple[int, int]]:
    """Top left corners (y, x) of distinct crops on the 8×8 grid, all of them where few fit."""
    rows, columns = (height - side) // 8 + 1, (width - side) // 8 + 1
    wanted = min(count, rows * columns)
    chosen: dict[int, None] = {}
    index = 0
    while len(chosen) < wanted:
        chosen[int(uniform(seed, key, 0, "crop", index) * rows * columns)] = None
        index += 1
    return [(place // columns * 8, place % columns * 8) for place in chosen]
