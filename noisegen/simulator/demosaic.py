"""Demosaicing of RGGB: bilinear, gradient-corrected and edge-directed.

Every method is one strided convolution: a 2×2 cell of the mosaic and its surroundings go in, the
three colours of the cell's four pixels come out.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from noisegen.simulator.settings import Demosaic

Taps = list[list[float]]

_ITSELF: Taps = [[0] * 5, [0] * 5, [0, 0, 1, 0, 0], [0] * 5, [0] * 5]
_BILINEAR: dict[str, Taps] = {
    "itself": _ITSELF,
    "cross": [[0] * 5, [0, 0, 0.25, 0, 0], [0, 0.25, 0, 0.25, 0], [0, 0, 0.25, 0, 0], [0] * 5],
    "row": [[0] * 5, [0] * 5, [0, 0.5, 0, 0.5, 0], [0] * 5, [0] * 5],
    "corner": [[0] * 5, [0, 0.25, 0, 0.25, 0], [0] * 5, [0, 0.25, 0, 0.25, 0], [0] * 5],
}
# Malvar, He and Cutler, ICASSP 2004, Fig. 2 (there over 8).
_MALVAR: dict[str, Taps] = {
    "itself": _ITSELF,
    "cross": [
        [0, 0, -1 / 8, 0, 0],
        [0, 0, 2 / 8, 0, 0],
        [-1 / 8, 2 / 8, 4 / 8, 2 / 8, -1 / 8],
        [0, 0, 2 / 8, 0, 0],
        [0, 0, -1 / 8, 0, 0],
    ],
    "row": [
        [0, 0, 1 / 16, 0, 0],
        [0, -1 / 8, 0, -1 / 8, 0],
        [-1 / 8, 4 / 8, 5 / 8, 4 / 8, -1 / 8],
        [0, -1 / 8, 0, -1 / 8, 0],
        [0, 0, 1 / 16, 0, 0],
    ],
    "corner": [
        [0, 0, -3 / 16, 0, 0],
        [0, 2 / 8, 0, 2 / 8, 0],
        [-3 / 16, 0, 6 / 8, 0, -3 / 16],
        [0, 2 / 8, 0, 2 / 8, 0],
        [0, 0, -3 / 16, 0, 0],
    ],
}
# For each colour, where its neighbours lie as seen from the cell's four pixels.
_NEIGHBOURS = (
    ("itself", "row", "column", "corner"),
    ("cross", "itself", "itself", "cross"),
    ("corner", "column", "row", "itself"),
)


def demosaic(mosaic: Tensor, kind: Demosaic) -> Tensor:
    """Demosaics B×S×1×H×W Bayer RGGB (H, W even) to B×S×3×H×W; ``none`` returns its input."""
    if kind == "none":
        return mosaic
    planes = mosaic.flatten(0, 1)
    if kind == "edge":
        colours = _edge_directed(planes)
    else:
        colours = _interpolate(planes, _MALVAR if kind == "gradient" else _BILINEAR)
    return colours.view(*mosaic.shape[:2], *colours.shape[1:])


def _interpolate(planes: Tensor, taps: dict[str, Taps]) -> Tensor:
    """Interpolates N×1×H×W to N×3×H×W; mirroring about border pixels keeps the Bayer phase."""
    padded = F.pad(planes, (2, 2, 2, 2), mode="reflect")
    return F.pixel_shuffle(F.conv2d(padded, _cell_kernels(taps).to(planes), stride=2), 2)


def _cell_kernels(taps: dict[str, Taps]) -> Tensor:
    """Kernels, 12×1×6×6: for each colour, the 5×5 of each of the cell's pixels at its place."""
    kernels = {name: torch.tensor(values, dtype=torch.float32) for name, values in taps.items()}
    kernels["column"] = kernels["row"].T
    cell = torch.zeros(3, 2, 2, 6, 6)
    for colour, names in enumerate(_NEIGHBOURS):
        for pixel, name in enumerate(names):
            y, x = divmod(pixel, 2)
            cell[colour, y, x, y : y + 5, x : x + 5] = kernels[name]
    return cell.view(12, 1, 6, 6)


def _edge_directed(planes: Tensor) -> Tensor:
    """Demosaics green along the smoother direction, then red and blue by differences to green.

    Hamilton and Adams, US patent 5 629 734 (1997); the colour differences are interpolated
    bilinearly rather than along the edge.
    """
    across = _along_row(planes)
    down = _along_row(planes.mT)
    slope = across[1] - down[1].mT
    green = torch.where(slope < 0, across[0], down[0].mT)
    green = torch.where(slope == 0, (across[0] + down[0].mT) / 2, green)
    green[..., ::2, 1::2] = planes[..., ::2, 1::2]
    green[..., 1::2, ::2] = planes[..., 1::2, ::2]
    difference = _interpolate(planes - green, _BILINEAR)
    return green + torch.cat([difference[:, :1], torch.zeros_like(green), difference[:, 2:]], 1)


def _along_row(planes: Tensor) -> tuple[Tensor, Tensor]:
    """The green estimate from the pixel's row, and how rough the row is there."""
    padded = F.pad(planes, (2, 2, 0, 0), mode="reflect")
    second_left, left, here, right, second_right = (
        padded[..., shift : shift + planes.shape[-1]] for shift in range(5)
    )
    bend = 2 * here - second_left - second_right
    return (left + right) / 2 + bend / 4, (left - right).abs() + bend.abs()
