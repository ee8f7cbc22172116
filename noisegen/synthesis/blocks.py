"""The blocks that pictures are generated in: what is needed, cut small enough for a cache.

A pixel's noise is the same in whatever block it is made, as nothing about it depends on the order
of sums; so only speed decides their size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from noisegen.model.content_network import CELL

SIDE = 256
"""Side of a block in pixels, before its context is added: its planes fit a processor's cache."""


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

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.height * self.width

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


def tiles_of(regions: Sequence[Region], tile: int, side: int) -> Iterator[list[Region]]:
    """Cut regions into blocks, grouped by square tiles, whose clean and field are prepared at once.

    Blocks begin on the content network's cells, so they may pass a region by a pixel. Regions that
    overlap so much that all of their bounds are less are generated as one.

    Args:
        regions: of one picture.
        tile: side of a tile, in pixels; at least one block.
        side: of a block.
    """
    whole = bounds(regions)
    if sum(region.pixels for region in regions) >= whole.pixels:
        regions = [whole]
    for region in regions:
        for around in _cut(region, max(1, tile // side) * side):
            yield list(_cut(around, side))


def _cut(region: Region, side: int) -> Iterator[Region]:
    """Cut a region into squares on whole cells, the last ones smaller."""
    top, left = region.y // CELL * CELL, region.x // CELL * CELL
    bottom, right = (-(-end // CELL) * CELL for end in (region.bottom, region.right))
    for y in range(top, bottom, side):
        for x in range(left, right, side):
            yield Region(y, x, min(side, bottom - y), min(side, right - x))


def bounds(regions: Sequence[Region]) -> Region:
    """The smallest region that holds them all."""
    top, left = min(r.y for r in regions), min(r.x for r in regions)
    bottom, right = max(r.bottom for r in regions), max(r.right for r in regions)
    return Region(top, left, bottom - top, right - left)
