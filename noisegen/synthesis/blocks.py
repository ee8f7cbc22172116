"""The grid of blocks that pictures are generated in.

Floating-point sums may differ in their last bit between tensors of different shapes, so a block is
always computed at one shape, on one grid that starts at the picture's corner: a pixel's value then
cannot depend on the tile size, on crops, or on how many blocks run at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

BLOCK_SIDES = (64, 128, 256)
"""Sides of a block's core, in pixels: the smallest that holds the picture, else the largest."""


@dataclass(frozen=True)
class Region:
    """A rectangle of a picture, in pixels."""

    y: int
    x: int
    height: int
    width: int

    @property
    def bottom(self) -> int:
        """First row below."""
        return self.y + self.height

    @property
    def right(self) -> int:
        """First column to the right."""
        return self.x + self.width

    def overlap(self, other: Region) -> Region | None:
        """The common part, or None."""
        top, left = max(self.y, other.y), max(self.x, other.x)
        height = min(self.bottom, other.bottom) - top
        width = min(self.right, other.right) - left
        return Region(top, left, height, width) if height > 0 and width > 0 else None

    def grown(self, by: int) -> Region:
        """Larger by some pixels on every side."""
        return Region(self.y - by, self.x - by, self.height + 2 * by, self.width + 2 * by)

    def slices(self, origin: Region) -> tuple[slice, slice]:
        """This region within an array whose first pixel is the origin's."""
        top, left = self.y - origin.y, self.x - origin.x
        return slice(top, top + self.height), slice(left, left + self.width)


def block_side(height: int, width: int) -> int:
    """Side of the core for a picture of this size."""
    longest = max(height, width)
    return next((side for side in BLOCK_SIDES if side >= longest), BLOCK_SIDES[-1])


def blocks_of(region: Region, side: int) -> Iterator[Region]:
    """Cores of the grid that the region touches, in reading order; they may pass its edges."""
    for y in range(region.y // side * side, region.bottom, side):
        for x in range(region.x // side * side, region.right, side):
            yield Region(y, x, side, side)


def tiles_of(regions: Sequence[Region], side: int, tile: int) -> Iterator[list[Region]]:
    """Blocks that the regions touch, each once, grouped by square tiles of whole blocks."""
    step = max(1, tile // side) * side
    blocks = {block for region in regions for block in blocks_of(region, side)}
    grouped: dict[tuple[int, int], list[Region]] = defaultdict(list)
    for block in sorted(blocks, key=lambda block: (block.y, block.x)):
        grouped[block.y // step, block.x // step].append(block)
    yield from grouped.values()


def bounds(regions: Sequence[Region]) -> Region:
    """The smallest region that holds them all."""
    top, left = min(r.y for r in regions), min(r.x for r in regions)
    bottom, right = max(r.bottom for r in regions), max(r.right for r in regions)
    return Region(top, left, bottom - top, right - left)
