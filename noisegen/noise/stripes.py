"""Row and column noise: lines that are read out together share an offset.

Two halves of a line see the same offset but other pixels' noise, so their products tell its
variance, however small it is beside that of the pixels. What comes after the read-out, as a tone
curve does, makes an offset larger or smaller by a factor that follows intensity: the products of
one half's pixels with the other half's offset tell it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from noisegen.model.config import STRIPE_KERNEL
from noisegen.noise.arrays import Doubles, Floats
from noisegen.noise.cells import Cells
from noisegen.noise.curves import place_nodes, positions, read_curves
from noisegen.noise.stripe_lines import LAGS, Lines
from noisegen.noise.windows import Windows

ROUNDS = 2
"""Rounds of finding offsets and their factors by intensity in turn."""

LEAST_UNCLIPPED = 0.2
"""Share of pixels that is taken for more where clipping leaves fewer: then little is seen."""


@dataclass(frozen=True)
class Stripes:
    """Offsets of rows (0) or columns (1), in units of the white level; C channels, n nodes.

    Attributes:
        sigma: 2×C, standard deviation of the offsets, of all pixels; 0 where there are none.
        nodes: C×n, intensities that factors are given at.
        follows: 2×C×n, factor on the offsets that is seen there; 1 in the pixels' mean.
        unclipped: C×n, share of the pixels there that clipping does not stop; it stops as much of
            the offsets (Price, IRE Trans. Inf. Theory 1958).
        kernel: 2×C×STRIPE_KERNEL, colours white offsets along the axis; unit energy.
        shared: 2, correlation of two channels' offsets, in [0, 1].
    """

    sigma: Doubles
    nodes: Doubles
    follows: Doubles
    unclipped: Doubles
    kernel: Doubles
    shared: Doubles

    @property
    def any(self) -> bool:
        """There are some."""
        return bool(self.sigma.any())

    def at_nodes(self, nodes: Doubles) -> dict[str, Doubles]:
        """What ``NoiseStatistics`` holds of them, by its names there, at its C×n nodes."""
        return {
            "stripes": self.at(nodes),
            "stripe_kernel": self.kernel.swapaxes(0, 1),
            "stripe_shared": np.tile(self.shared, (len(nodes), 1)),
        }

    def at(self, nodes: Doubles) -> Doubles:
        """C×2×n, standard deviation of the offsets at other nodes of intensity before clipping."""
        strengths = np.empty((len(nodes), 2, nodes.shape[1]))
        for c, axis in np.ndindex(strengths.shape[:2]):
            factor = np.interp(nodes[c], self.nodes[c], self.follows[axis, c] / self.unclipped[c])
            strengths[c, axis] = self.sigma[axis, c] * factor
        return strengths


def find_stripes(windows: Windows) -> Stripes:
    """Measures row and column noise of windows whose residual holds it."""
    channels = windows.residual.shape[1]
    nodes = place_nodes(windows.clean)
    position = positions(nodes, windows.clean)
    centred = _centred(windows, nodes, position)
    sigma = np.zeros((2, channels))
    follows = np.ones((2, *nodes.shape))
    kernel = np.zeros((2, channels, STRIPE_KERNEL))
    kernel[..., STRIPE_KERNEL // 2] = 1
    shared = np.ones(2)
    for axis in (0, 1):
        lines = Lines.of(centred, axis)
        found = None if lines is None else lines.covariances()
        for _ in range(ROUNDS):
            if lines is None or found is None:
                break
            clear = found[0][:, 0] > 0
            follows[axis, clear] = lines.follows(centred, nodes, position)[clear]
            lines = Lines.of(centred, axis, read_curves(follows[axis], position))
            found = None if lines is None else lines.covariances()
        if found is not None:
            lags, shared[axis] = found
            sigma[axis] = np.sqrt(lags[:, 0])
            kernel[axis] = [_kernel(row) for row in lags]
    unclipped = _unclipped(windows, nodes, position) if sigma.any() else np.ones_like(nodes)
    return Stripes(sigma, nodes, follows, unclipped, kernel, shared)


def without_stripes(windows: Windows, stripes: Stripes) -> Windows:
    """The windows less the offsets of their lines, as well as these are known."""
    if not stripes.any:
        return windows
    residual, seen = windows.residual, windows.unclipped
    position = positions(stripes.nodes, windows.clean)
    centred = _centred(windows, stripes.nodes, position)
    for axis in (0, 1):
        if stripes.sigma[axis].any():
            lines = Lines.of(centred, axis, read_curves(stripes.follows[axis], position))
            if lines is not None:
                factor = read_curves(stripes.follows[axis] / stripes.unclipped, position)
                offsets = lines.offsets(stripes.sigma[axis])
                shared = lines.shared_by_all(stripes.sigma[axis], residual, seen)
                residual = residual - factor * (offsets + shared)
    return replace(windows, residual=residual)


def _centred(windows: Windows, nodes: Doubles, position: Floats) -> Windows:
    """The windows less the mean of their residual against intensity: it is no line's offset."""
    cells = Cells.of(position, nodes)
    scale = np.broadcast_to(windows.residual.std((0, 2, 3))[:, None], nodes.shape)
    weight = np.broadcast_to(1 / np.maximum(scale[:, :1] ** 2, 1e-12), cells.count.shape)
    mean = cells.fit(cells.sums(windows.residual), weight, scale)
    return replace(windows, residual=windows.residual - read_curves(mean, position))


def _unclipped(windows: Windows, nodes: Doubles, position: Floats) -> Doubles:
    """C×n, share of the pixels at the nodes of intensity that are not at an end."""
    if windows.estimated:
        # An estimated clean is least sure beside black: with this, lone rows were too loud there.
        return np.ones_like(nodes)
    cells = Cells.of(position, nodes)
    shares = cells.fit(
        cells.sums(windows.unclipped.astype(np.float32)),
        np.ones_like(cells.count),
        np.ones_like(nodes),
    )
    return np.asarray(shares.clip(LEAST_UNCLIPPED, 1), np.float64)


def _kernel(lags: Doubles) -> Doubles:
    """The symmetric kernel of unit energy whose offsets have these covariances."""
    kernel: Doubles = np.zeros(STRIPE_KERNEL)
    if lags[0] <= 0:
        kernel[STRIPE_KERNEL // 2] = 1
        return kernel
    circular = np.zeros(4 * STRIPE_KERNEL)
    circular[:LAGS] = lags / lags[0]
    circular[-LAGS + 1 :] = circular[1:LAGS][::-1]
    root = np.sqrt(np.maximum(np.fft.fft(circular).real, 0))
    spatial = np.fft.fftshift(np.fft.ifft(root).real).astype(np.float64)
    middle = len(spatial) // 2
    kernel = spatial[middle - STRIPE_KERNEL // 2 : middle + STRIPE_KERNEL // 2 + 1]
    unit: Doubles = kernel / np.sqrt((kernel**2).sum())
    return unit
