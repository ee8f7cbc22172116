"""AV1's film grain: the decoder's model, fitted to a reference and put on another picture.

The model is the published one (AV1 Bitstream & Decoding Process Specification, 7.18.3): Gaussian
noise through an autoregressive filter of lag 3 makes a template of grain, 73×82, of which every
32×32 block of the picture takes a part at random, times a piecewise-linear function of the luma.
The fit is our own, by least squares, not libaom's estimator, which no packaged tool offers. Given
a fit's numbers, libaom's decoder makes noise whose level in each plane is within 4 % of this one's.
Colours are full-range BT.601's; the picture itself is not rounded to YCbCr, so that nothing but the
grain is judged. A decoder's table of Gaussian values is replaced by the random generator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noisegen.files import Pixels, quantise
from noisegen.noise.arrays import Doubles, Rng
from noisegen.noise.windows import Windows

LAG = 3
TEMPLATE = 73, 82
BLOCK, OVERLAP = 32, 2
FIRST, LARGEST_OFFSET = 9, 15
"""Of a block in the template, in pixels, and from there in steps of two."""

LOWEST, HIGHEST = -128, 127
"""Ends of the template's values."""

DEVIATIONS = 32, 16, 8, 4
"""Standard deviations that its white noise may have (``grain_scale_shift``)."""

ENDS = 3.2
"""Standard deviations of the filtered template that its ends must leave room for."""

POINTS = 14, 10, 10
"""Of the scaling function of Y, Cb and Cr: as many as the format holds."""

FADE = 27 / 32, 17 / 32
"""Weights of a block's last two lines, where the next one begins with them the other way round."""

SHIFTS = {"filter": (6, 9), "scaling": (8, 11)}
"""Fewest and most bits behind the point that the format can give the two, of all planes."""

TRIES = 4
"""Templates that their strength is averaged over: one's may be off by a twentieth."""

MOST_WINDOWS = 512
"""Windows that the filter is fitted to: 386,000 equations of 25 unknowns."""

TO_YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])


@dataclass(frozen=True)
class Grain:
    """Parameters of the grain of one reference, P planes: Y alone, or Y, Cb and Cr.

    Attributes:
        deviation: of the template's white noise.
        filters: P×25, of the 24 pixels before a pixel in reading order, and of the luma's grain.
        nodes: P×n luma intensities in [0, 1], of each plane's scaling function.
        scaling: P×n, by what the template is multiplied there, for noise in steps of 8 bits.
    """

    deviation: int
    filters: Doubles
    nodes: tuple[Doubles, ...]
    scaling: tuple[Doubles, ...]


def fit_grain(windows: Windows) -> Grain:
    """The grain of a reference's windows, of one channel or three."""
    windows = windows.take(MOST_WINDOWS)
    residual = 255 * _planes(windows.residual.astype(np.float64), axis=1)
    luma = _planes(windows.clean.astype(np.float64), axis=1)[:, 0]
    residual -= residual.mean((0, 2, 3), keepdims=True)
    planes = residual.swapaxes(0, 1)
    nodes = tuple(np.linspace(0, 1, count) for count in POINTS[: len(planes)])
    levels = [_level(plane, luma, at) for plane, at in zip(planes, nodes, strict=True)]
    known = zip(planes, nodes, levels, strict=True)
    even = np.stack([plane / np.interp(luma, at, level) for plane, at, level in known])
    taps = np.stack([_filter(even, index) for index in range(len(even))])
    filters = _fixed(taps, "filter", 127)
    for deviation in DEVIATIONS:
        power = np.mean([_power(filters, deviation, seed) for seed in range(TRIES)], 0)
        if ENDS * np.sqrt(power.max()) <= HIGHEST:
            break
    wanted = [level / max(np.sqrt(one), 1) for level, one in zip(levels, power, strict=True)]
    fixed = _fixed(np.concatenate(wanted), "scaling", 255)
    scaling = tuple(np.split(fixed, np.cumsum([len(at) for at in nodes])[:-1]))
    return Grain(deviation, filters, nodes, scaling)


def draw_grain(grain: Grain, clean: Pixels, white_level: float, rng: Rng) -> Pixels:
    """Puts the grain on a picture, H×W×C in [0, ``white_level``]."""
    picture = np.asarray(clean / white_level, np.float64)
    luma = _planes(picture, axis=2)[..., 0]
    field = _spread(grain_template(grain.filters, grain.deviation, rng), luma.shape, rng)
    noise = np.stack(
        [
            np.rint(plane * np.interp(luma, at, scaling))
            for plane, at, scaling in zip(field, grain.nodes, grain.scaling, strict=True)
        ],
        -1,
    )
    if noise.shape[-1] == 3:
        noise = noise @ np.linalg.inv(TO_YCC).T
    return quantise((picture + noise / 255).astype(np.float32), white_level, clean.dtype)


def grain_template(filters: Doubles, deviation: int, rng: Rng) -> Doubles:
    """P×73×82 grain (7.18.3.3): white noise, its inside filtered in reading order."""
    height, width = TEMPLATE
    white = np.rint(rng.normal(0, deviation, (len(filters), height, width)))
    made = white.clip(LOWEST, HIGHEST)
    for index, (plane, taps) in enumerate(zip(made, filters, strict=True)):
        above, before = taps[:21].reshape(LAG, -1), taps[21:24].tolist()
        for y in range(LAG, height):
            known = plane[y, LAG:-LAG].copy()
            if index:
                known += taps[24] * made[0, y, LAG:-LAG]
            for row, shifts in zip(plane[y - LAG : y], above, strict=True):
                known += np.convolve(row, shifts[::-1], "valid")
            last = plane[y, :LAG].tolist()
            for x, value in enumerate(known.tolist(), start=LAG):
                value += sum(tap * one for tap, one in zip(before, last, strict=True))
                last = [*last[1:], min(max(round(value), LOWEST), HIGHEST)]
                plane[y, x] = last[-1]
    return made


def _power(filters: Doubles, deviation: int, seed: int) -> Doubles:
    """Variance of each plane of what blocks see of a template."""
    template = grain_template(filters, deviation, np.random.default_rng(seed))
    return np.asarray(template[:, FIRST:, FIRST : TEMPLATE[0]].var((1, 2)))


def _planes(picture: Doubles, axis: int) -> Doubles:
    """Y, Cb and Cr of a picture of three channels; one of one channel as it is."""
    channels = picture.shape[axis]
    if channels == 1:
        return picture
    if channels != 3:
        raise ValueError(f"AV1's film grain is of 1 or 3 channels, not of {channels}")
    return np.moveaxis(np.moveaxis(picture, axis, -1) @ TO_YCC.T, -1, axis)


def _level(residual: Doubles, luma: Doubles, nodes: Doubles) -> Doubles:
    """Standard deviation at each node, from the pixels next to it; unseen nodes by the nearest."""
    nearest = np.rint(luma.ravel() * (len(nodes) - 1)).astype(int).clip(0, len(nodes) - 1)
    count = np.bincount(nearest, minlength=len(nodes))
    power = np.bincount(nearest, residual.ravel() ** 2, len(nodes))
    seen = np.flatnonzero(count >= min(count.sum() // len(nodes), 64))
    known = np.sqrt(power[seen] / count[seen])
    return np.interp(np.arange(len(nodes)), seen, known).clip(1e-3)


def _filter(even: Doubles, index: int) -> Doubles:
    """25 coefficients of one plane, of P×N×32×32 grain of even level; luma's own 25th is 0."""
    side = even.shape[-1]
    inside = np.s_[:, LAG:, LAG : side - LAG]
    reach = range(-LAG, LAG + 1)
    before = [(-row, column) for row in range(LAG, 0, -1) for column in reach]
    before += [(0, column) for column in range(-LAG, 0)]
    columns = [
        even[index][:, LAG + row : side + row, LAG + column : side - LAG + column].ravel()
        for row, column in before
    ]
    columns += [even[0][inside].ravel()] if index else []
    known = np.stack(columns)
    # A faint pull to 0, where there is no noise to learn from.
    products = known @ known.T + 1e-6 * known.shape[1] * np.eye(len(known))
    solved = np.linalg.solve(products, known @ even[index][inside].ravel())
    taps: Doubles = np.pad(solved, (0, 25 - len(solved)))
    return taps


def _fixed(values: Doubles, kind: str, largest: int) -> Doubles:
    """Rounds to the finest steps that the format has for the largest of the values."""
    fewest, most = SHIFTS[kind]
    peak = float(np.abs(values).max())
    bits = next((b for b in range(most, fewest, -1) if peak * (1 << b) <= largest), fewest)
    return np.rint(values * (1 << bits)).clip(-largest, largest) / (1 << bits)


def _spread(template: Doubles, shape: tuple[int, ...], rng: Rng) -> Doubles:
    """P×H×W: blocks from random places of the template, faded into each other (7.18.3.5)."""
    rows, columns = (-(-side // BLOCK) for side in shape)
    size = BLOCK + OVERLAP
    field = np.zeros((len(template), rows * BLOCK + OVERLAP, columns * BLOCK + OVERLAP))
    offsets = FIRST + 2 * rng.integers(0, LARGEST_OFFSET + 1, (rows, columns, 2))
    for row, column in np.ndindex(rows, columns):
        y, x = offsets[row, column]
        weights = np.outer(_taper(row == 0), _taper(column == 0))
        place = np.s_[:, row * BLOCK : row * BLOCK + size, column * BLOCK : column * BLOCK + size]
        field[place] += weights * template[:, y : y + size, x : x + size]
    return field[:, : shape[0], : shape[1]]


def _taper(first: bool) -> Doubles:
    taper = np.ones(BLOCK + OVERLAP)
    taper[-OVERLAP:] = FADE
    if not first:
        taper[:OVERLAP] = FADE[::-1]
    return taper
