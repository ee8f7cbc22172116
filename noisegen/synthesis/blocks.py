"""The grid of blocks that pictures are generated in.

Floating-point sums may differ in their last bit between tensors of different shapes, so pictures
are computed in blocks whose places and shapes follow from the picture's size alone: a pixel's value
then cannot depend on the tile size, on crops, or on how many blocks run at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SIDE = 256
"""Side of a block, in pixels, before its context is added."""

EDGE_STEP = 64
"""Blocks at the picture's right and bottom edge are cut to multiples of this."""


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


def blocks_of(region: Region, height: int, width: int) -> Iterator[Region]:
    """Blocks of a height×width picture that the region touches, in reading order.

    Those at the right and bottom edge are cut to whole steps of EDGE_STEP; they may still pass the
    picture's edge.
    """
    for y in range(region.y // SIDE * SIDE, region.bottom, SIDE):
        for x in range(region.x // SIDE * SIDE, region.right, SIDE):
            yield Region(y, x, _cut(height - y), _cut(width - x))


def _cut(left: int) -> int:
    return min(SIDE, -(-left // EDGE_STEP) * EDGE_STEP)


def tiles_of(
    regions: Sequence[Region], height: int, width: int, tile: int
) -> Iterator[list[Region]]:
    """Blocks that the regions touch, each once, grouped by square tiles of whole blocks."""
    step = max(1, tile // SIDE) * SIDE
    blocks = {block for region in regions for block in blocks_of(region, height, width)}
    grouped: dict[tuple[int, int], list[Region]] = defaultdict(list)
    for block in sorted(blocks, key=lambda block: (block.y, block.x)):
        grouped[block.y // step, block.x // step].append(block)
    yield from grouped.values()


def bounds(regions: Sequence[Region]) -> Region:
    """The smallest region that holds them all."""
    top, left = min(r.y for r in regions), min(r.x for r in regions)
    bottom, right = max(r.bottom for r in regions), max(r.right for r in regions)
    return Region(top, left, bottom - top, right - left)
