"""Which windows of a reference and its clean lie on each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from noisegen.model.config import WINDOW
from noisegen.noise.arrays import Doubles, Floats, Places
from noisegen.noise.record import Recording
from noisegen.noise.windows import Windows, cut, cut_places

LARGEST_MISPLACED = 0.02
"""Share of a window's power that a shift may explain. On PolyU windows above it are half of a
picture and double the error; on pairs that lie on each other chance explains a thousandth."""

SMALLEST_REGISTERED_SHARE = 0.1
"""Share of the windows that must be fit for use: of fewer, the pair is taken as it is."""

KEPT_OF_ALIKE = 0.25
"""Share of the windows of like brightness that is kept in any case: those that lie best."""

WORST_KEPT = 0.15
"""Share of a window's power that a shift explains, from which it is left out in any case: then more
is spoilt by it than is lost without it."""

BRIGHTNESSES = 8
"""Groups of like brightness, by what is brightest in a window."""

SMOOTH = 1.5
"""Standard deviation, in windows, of the surroundings that a window's shift is found with: shifts
vary slowly over a frame, what follows edges by chance does not."""


def paired_windows(noisy: Floats, clean: Floats, recording: Recording) -> Windows:
    """Windows of a reference that lie on its clean, both H×W×C in units of the white level."""
    windows = all_windows(noisy, clean, recording)
    return windows.where(registered(windows, misplaced(windows)))


def all_windows(noisy: Floats, clean: Floats, recording: Recording) -> Windows:
    """Windows of a reference with its clean, both H×W×C in units of the white level."""
    places = cut_places(*clean.shape[:2])
    return Windows(cut(noisy - clean), cut(clean), False, recording, places)


def registered(windows: Windows, share: Doubles) -> NDArray[np.bool_]:
    """Windows to keep, by :func:`misplaced`.

    Of like brightness some stay, those that lie best, if they do not lie far off: bright places
    are edges more often than dark ones, and noise at intensities that are all left out would be
    guessed.
    """
    brightest = np.quantile(windows.clean.mean(1), 0.95, axis=(1, 2))
    kept = np.zeros(len(windows), bool)
    for alike in np.array_split(np.argsort(brightest, kind="stable"), BRIGHTNESSES):
        if len(alike):
            best = float(np.quantile(share[alike], KEPT_OF_ALIKE))
            kept[alike] = share[alike] <= max(LARGEST_MISPLACED, min(best, WORST_KEPT))
    if not kept.any():
        # Nothing lies well: then those that lie best, and the verdict judges what comes of it.
        kept = share <= np.quantile(share, SMALLEST_REGISTERED_SHARE)
    return kept


def misplaced(windows: Windows) -> Doubles:
    """Share of each window's power that a shift between the pictures explains.

    To first order a shift adds its product with the clean's gradient to the residual. It is found
    by least squares over a window and its surroundings; noise that merely
    follows edges, as in-camera denoising leaves it, has no direction that its surroundings share.

    Args:
        windows: of one picture.

    Returns:
        N values in [0, 1].
    """
    residual = windows.residual - windows.residual.mean((2, 3), keepdims=True)
    across, down = _gradients(windows)
    power = np.maximum((residual.astype(np.float64) ** 2).mean((2, 3)), 1e-12)
    # One measure for all windows: those that lie badly must not count less for it.
    typical = np.median(power, axis=0)
    sums = {
        name: (np.einsum("ncyx,ncyx->nc", one, other) / typical).sum(1)
        for name, one, other in (
            ("aa", across, across),
            ("ad", across, down),
            ("dd", down, down),
            ("ar", across, residual),
            ("dr", down, residual),
        )
    }
    near = {name: _smoothed(values, windows.places) for name, values in sums.items()}
    # A faint pull to no shift, where there is no edge to see one by.
    faint = 1e-6 + 1e-3 * (near["aa"] + near["dd"])
    aa, dd, ad = near["aa"] + faint, near["dd"] + faint, near["ad"]
    determinant = aa * dd - ad**2
    right = (dd * near["ar"] - ad * near["dr"]) / determinant
    below = (aa * near["dr"] - ad * near["ar"]) / determinant
    moved = sums["aa"] * right**2 + 2 * sums["ad"] * right * below + sums["dd"] * below**2
    # What a window's own residual loses by the shift: a neighbour's shift explains nothing here.
    explained = 2 * (sums["ar"] * right + sums["dr"] * below) - moved
    own = (power / typical).sum(1) * residual[0, 0].size
    return np.asarray(np.clip(explained / own, 0, 1))


def _gradients(windows: Windows) -> tuple[Floats, Floats]:
    """Gradients of the clean, across and down, N×C×h×w, over borders where a neighbour is."""
    rows, columns = windows.places[:, 1], windows.places[:, 2]
    count = rows.max() + 1, columns.max() + 1
    laid = np.full((*count, *windows.clean.shape[1:]), np.nan, np.float32)
    laid[rows, columns] = windows.clean
    whole = laid.transpose(2, 0, 3, 1, 4).reshape(-1, *(number * WINDOW for number in count))
    found = []
    for axis in (2, 1):
        gradient = _slopes(whole.swapaxes(axis, 2)).swapaxes(axis, 2)
        split = gradient.reshape(-1, count[0], WINDOW, count[1], WINDOW)
        found.append(split.transpose(1, 3, 0, 2, 4)[rows, columns])
    return found[0], found[1]


def _slopes(planes: Floats) -> Floats:
    """Slopes along the last axis, between both neighbours where there are two.

    Where there is no neighbour there is no number; nothing is said there.
    """
    slopes = np.empty_like(planes)
    np.subtract(planes[..., 2:], planes[..., :-2], out=slopes[..., 1:-1])
    slopes[..., 1:-1] /= 2
    slopes[..., 0] = planes[..., 1] - planes[..., 0]
    slopes[..., -1] = planes[..., -1] - planes[..., -2]
    slopes[np.isnan(slopes)] = 0
    return slopes


def _smoothed(values: Doubles, places: Places) -> Doubles:
    """N values summed under a Gaussian of SMOOTH windows over their picture's grid."""
    rows, columns = places[:, 1], places[:, 2]
    grid = np.zeros((rows.max() + 1, columns.max() + 1))
    grid[rows, columns] = values
    weighted = _nearby(grid.shape[0]) @ grid @ _nearby(grid.shape[1])
    return np.asarray(weighted[rows, columns])


def _nearby(count: int) -> Doubles:
    apart = np.subtract.outer(np.arange(count), np.arange(count))
    return np.asarray(np.exp(-0.5 * (apart / SMOOTH) ** 2))
