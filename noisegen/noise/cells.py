"""Pixels summed up by intensity: curves are fitted to a few hundred cells, however many pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisegen.noise.arrays import Doubles, Floats
from noisegen.noise.curves import fit_curves, read_curves

COVERED = 300.0
"""Effective pixels at which an intensity counts as half covered."""

FINENESS = 16
"""Cells between two nodes of the curves."""


@dataclass(frozen=True)
class Cells:
    """Samples of N×C×h×w grouped by their place among the curves' nodes: K cells a channel.

    Attributes:
        index: C×P, cell of each sample.
        count: C×K, samples in each.
        position: 1×C×K, mean place of its samples among the nodes.
        nodes: C×n, of the curves.
    """

    index: NDArray[np.int32]
    count: Doubles
    position: Floats
    nodes: Doubles

    @classmethod
    def of(cls, position: Floats, nodes: Doubles) -> Cells:
        """The cells of samples at positions N×C×h×w among C×n nodes."""
        flat = _by_channel(position)
        size = (nodes.shape[1] - 1) * FINENESS + 1
        index = np.rint(flat * FINENESS).astype(np.int32)
        count = np.stack([np.bincount(i, minlength=size) for i in index]).astype(np.float64)
        total = np.stack([np.bincount(i, p, size) for i, p in zip(index, flat, strict=True)])
        middle = np.arange(size) / FINENESS
        mean = np.where(count > 0, total / np.maximum(count, 1), middle)
        return cls(index, count, mean[None].astype(np.float32), nodes)

    def channel(self, number: int) -> Cells:
        """The cells of one channel."""
        one = slice(number, number + 1)
        return Cells(self.index[one], self.count[one], self.position[:, one], self.nodes[one])

    def where(self, which: NDArray[np.bool_] | slice, windows: int) -> Cells:
        """The cells of some windows' samples; each cell's place stays.

        Args:
            which: of the windows.
            windows: how many there are.
        """
        channels, size = self.count.shape
        index = self.index.reshape(channels, windows, -1)[:, which].reshape(channels, -1)
        count = np.stack([np.bincount(i, minlength=size) for i in index]).astype(np.float64)
        return replace(self, index=index, count=count)

    def sums(self, values: NDArray[np.floating[Any]]) -> Doubles:
        """C×K, sums of values N×C×h×w."""
        size = self.count.shape[1]
        flat = _by_channel(values)
        return np.stack([np.bincount(i, v, size) for i, v in zip(self.index, flat, strict=True)])

    def fit(self, sums: Doubles, weight: Doubles, scale: Doubles) -> Doubles:
        """The curve, C×n, through values that have these sums.

        Args:
            sums: C×K, of the values.
            weight: C×K, of a sample in a cell.
            scale: C×n, what size of bend counts as one unit.
        """
        mean = sums / np.maximum(self.count, 1)
        return fit_curves(self.position, mean[None], self.nodes, (weight * self.count)[None], scale)

    @property
    def pixels(self) -> Doubles:
        """C×n, samples at each node, those between two nodes shared by both."""
        count = self.nodes.shape[1]
        sums = np.zeros((len(self.nodes), count))
        for c, here in enumerate(self.position[0]):
            lower = np.minimum(here.astype(np.intp), count - 2)
            share = here - lower
            sums[c] = np.bincount(lower, self.count[c] * (1 - share), count)
            sums[c] += np.bincount(lower + 1, self.count[c] * share, count)
        return sums

    def read(self, curve: Doubles) -> Doubles:
        """Read a curve of C×n at the cells: C×K."""
        values: Doubles = read_curves(curve, self.position)[0].astype(np.float64)
        return values

    def spread(self, values: Doubles, shape: tuple[int, ...]) -> Floats:
        """Give every sample its cell's value: C×K → N×C×h×w."""
        count, channels, height, width = shape
        flat = np.stack([v.astype(np.float32)[i] for v, i in zip(values, self.index, strict=True)])
        return flat.reshape(channels, count, height, width).transpose(1, 0, 2, 3)


def _by_channel(values: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """N×C×h×w → C×(N·h·w)."""
    return values.transpose(1, 0, 2, 3).reshape(values.shape[1], -1)
