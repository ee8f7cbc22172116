"""Facts measured of real cameras, as distributions to draw from.

White balance: 3,593 presets of 440 models (darktable 4.2.1, ``wb_presets.json``). Colour: 394 of
406 different matrices of 1,009 cameras, outliers left out (rawspeed, ``cameras.xml``). Response:
201 curves (Grossberg and Nayar, *What is the space of camera response functions?*, CVPR 2003,
database DoRF), the mean and the three principal components that hold 99.5 % of their variance.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from noisegen.noise.arrays import Doubles, Rng

CURVE_NODES = 65
"""Values that a tone curve is given at, even on sRGB's scale, straight between."""

_GAINS_MEAN = (0.645, 0.550)
_GAINS_SPREAD = (0.279, 0.305)
_GAINS_CORRELATION = -0.55
"""Of the natural logarithms of red and blue gain."""

_GAINS_RANGE = (1.0, 3.3)

_COLOUR_MEAN = np.array([-0.4936, -0.1175, -0.1492, -0.3903, 0.0228, -0.4493])
_COLOUR_SPREAD = np.array(
    [
        [0.2893, 0, 0, 0, 0, 0],
        [-0.0898, 0.0861, 0, 0, 0, 0],
        [-0.0119, 0.0210, 0.0939, 0, 0, 0],
        [0.0229, 0.0175, 0.0597, 0.0818, 0, 0],
        [-0.0035, -0.0019, 0.0066, 0.0078, 0.0294, 0],
        [0.0264, 0.0283, 0.0778, 0.0128, -0.0422, 0.0797],
    ]
)
"""Of white-balanced camera RGB → linear sRGB: red from green and blue, green from red and blue,
blue from red and green, and the Cholesky factor of their covariance."""

_RESPONSE_MEAN = (
    *(0.0000, 0.0371, 0.0743, 0.1114, 0.1663, 0.2296, 0.3029, 0.3835, 0.4675),
    *(0.5500, 0.6284, 0.7012, 0.7695, 0.8333, 0.8923, 0.9482, 1.0000),
)
_RESPONSE_COMPONENTS = (
    (
        *(0, 0.0181, 0.0362, 0.0544, 0.0777, 0.1023, 0.1258, 0.1437, 0.1527),
        *(0.1526, 0.1447, 0.1308, 0.1129, 0.0913, 0.0657, 0.0352, 0),
    ),
    (
        *(0, 0.0193, 0.0387, 0.0580, 0.0683, 0.0700, 0.0585, 0.0360, 0.0075),
        *(-0.0197, -0.0409, -0.0536, -0.0579, -0.0541, -0.0427, -0.0241, 0),
    ),
    (
        *(0, -0.0084, -0.0167, -0.0251, -0.0205, -0.0092, 0.0073, 0.0204, 0.0232),
        *(0.0170, 0.0061, -0.0058, -0.0155, -0.0207, -0.0204, -0.0144, 0),
    ),
)
"""Output at 17 even values of sRGB's curve, and one standard deviation of each component."""

_FARTHEST = 2.0
"""Standard deviations that a drawn number keeps within."""

_LEAST_SLOPE = 0.1
"""Of a drawn response against sRGB's curve: film is flat at its ends, cameras are not."""


def draw_gains(rng: Rng) -> tuple[float, float]:
    """Draws the white balance of red and blue; warm light needs little of the first."""
    first, second = rng.standard_normal(2)
    mixed = _GAINS_CORRELATION * first + (1 - _GAINS_CORRELATION**2) ** 0.5 * second
    logs = np.array(_GAINS_MEAN) + np.array(_GAINS_SPREAD) * (first, mixed)
    red, blue = np.exp(logs).clip(*_GAINS_RANGE)
    return float(red), float(blue)


def draw_colour(rng: Rng) -> tuple[float, ...]:
    """Draws six numbers of a camera's colour matrix, as of :class:`CameraSetting`."""
    drawn = rng.standard_normal(6).clip(-_FARTHEST, _FARTHEST)
    return tuple((_COLOUR_MEAN + _COLOUR_SPREAD @ drawn).tolist())


def draw_response(rng: Rng) -> tuple[float, ...]:
    """Draws a tone curve of a camera, as of :class:`CameraSetting`."""
    drawn = rng.standard_normal(3).clip(-_FARTHEST, _FARTHEST)
    return smooth_curve(np.array(_RESPONSE_MEAN) + drawn @ np.array(_RESPONSE_COMPONENTS))


@cache
def srgb_curve() -> tuple[float, ...]:
    """Tone curve of a camera that has no other than sRGB's."""
    return tuple(np.linspace(0, 1, CURVE_NODES).tolist())


@cache
def gamma_curve(gamma: float) -> tuple[float, ...]:
    """Tone curve that is a power of linear light alone."""
    coded = np.linspace(0, 1, CURVE_NODES)
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    return smooth_curve(linear ** (1 / gamma))


def smooth_curve(values: Sequence[float] | Doubles) -> tuple[float, ...]:
    """Tone curve through about these values at even places of sRGB's curve.

    Noise is as strong as the curve is steep: corners would be seen in it.

    Args:
        values: two or more, from black to white.
    """
    fine = np.linspace(0, 1, 4 * CURVE_NODES - 3)
    slopes = np.diff(np.interp(fine, np.linspace(0, 1, len(values)), values))
    wide = np.pad(slopes, 8, mode="edge")
    even = np.convolve(wide, np.full(17, 1 / 17), mode="valid")
    even = np.maximum(even, _LEAST_SLOPE / len(slopes))
    curve = np.concatenate([[0.0], np.cumsum(even)])[::4]
    return tuple((curve / curve[-1]).tolist())
