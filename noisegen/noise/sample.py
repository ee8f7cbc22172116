"""What is measured: windows of noise, with where each clean value stands among the nodes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from noisegen.noise.arrays import Doubles, Floats
from noisegen.noise.cells import Cells
from noisegen.noise.curves import place_nodes, positions
from noisegen.noise.record import Recording
from noisegen.noise.windows import Windows


@dataclass(frozen=True)
class Sample:
    """Windows of a camera's noise; C channels, units of the white level.

    Attributes:
        windows: of it.
        nodes: C×NODES, intensities that curves have their nodes at.
        position: N×C×32×32, place of each clean value among the nodes.
        cells: the same, summed up by intensity.
    """

    windows: Windows
    nodes: Doubles
    position: Floats
    cells: Cells

    @classmethod
    def of(cls, windows: Windows) -> Sample:
        """Place nodes where the clean's values are."""
        nodes = place_nodes(windows.clean)
        position = positions(nodes, windows.clean)
        return cls(windows, nodes, position, Cells.of(position, nodes))

    def draw(self, purpose: int) -> Floats:
        """N×C×32×32 in [0, 1): to each window its own, whatever stands before it."""
        drawn = np.empty_like(self.windows.residual)
        for window, residual in zip(drawn, self.windows.residual, strict=True):
            rng = np.random.default_rng([purpose, zlib.crc32(residual.tobytes())])
            rng.random(dtype=np.float32, out=window)
        return drawn

    @property
    def residual(self) -> Floats:
        """N×C×32×32, noisy − clean."""
        return self.windows.residual

    @property
    def clean(self) -> Floats:
        """N×C×32×32."""
        return self.windows.clean

    @property
    def recording(self) -> Recording:
        """Recording of the noisy pictures: how they were clipped and rounded."""
        return self.windows.recording
