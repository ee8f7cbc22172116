"""The instruments of the bench, every kind that people have, and the scenes that they look at.

Photographs are drawn in display values, microscopes' fields in linear signal, both from seeds.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from noisegen.evaluation.instruments.cameras import Camera
from noisegen.evaluation.instruments.sensors import (
    ElectronMultiplying,
    Instrument,
    PhotonCounter,
    Scientific,
    Textbook,
)
from noisegen.noise.arrays import Doubles, Pixels


def photograph(seed: int, side: int, channels: int = 3) -> Doubles:
    """Shading from black to white, discs, stripes and texture.

    Args:
        seed: of the drawing.
        side: height and width, in pixels.
        channels: 3 for colour, 1 for gray.

    Returns:
        side×side×channels in [0, 1], display values.
    """
    rng = np.random.default_rng([11, seed])
    y, x = np.mgrid[:side, :side] / side
    turn = rng.uniform(0, 2 * np.pi)
    along = x * np.cos(turn) + y * np.sin(turn)
    shading = (along - along.min()) / np.ptp(along)
    planes = np.stack([shading + rng.uniform(-0.12, 0.12) for _ in range(channels)], -1)
    for _ in range(40):
        centre, radius = rng.uniform(0, 1, 2), rng.uniform(0.02, 0.12)
        inside = np.hypot(x - centre[0], y - centre[1]) < radius
        planes[inside] = rng.uniform(0, 1) + rng.uniform(-0.25, 0.25, channels)
    band = (x > 0.6) & (y > 0.6)
    planes += np.where(band, 0.1 * np.sign(np.sin(along * 150)), 0.0)[..., None]
    planes += _texture(rng, side)[..., None] * ((x < 0.4) & (y < 0.5))[..., None]
    return planes.clip(0.0, 1.0)


def dark_photograph(seed: int, side: int) -> Doubles:
    """A dim room: most of it at 4 to 14 % of white, a few discs brighter; side×side×3."""
    planes = photograph(seed, side)
    return 0.045 + 0.1 * planes + 0.3 * (planes > 0.97)


def microscope(seed: int, side: int, brightest: float, channels: int = 1) -> Doubles:
    """Cells and spots on a dim, uneven ground.

    Args:
        seed: of the drawing.
        side: height and width, in pixels.
        brightest: signal of the brightest spots; the ground has 5 to 35.
        channels: drawn apart from each other.

    Returns:
        side×side×channels, at most ``brightest``.
    """
    rng = np.random.default_rng([12, seed])
    y, x = np.mgrid[:side, :side].astype(float)
    planes = []
    for _ in range(channels):
        phase = rng.uniform(0, 6, 2)
        signal = 20 + 15 * np.sin(x / 90 + phase[0]) * np.cos(y / 70 + phase[1])
        for count, widths, most in ((70, (1.5, 6.0), 1.0), (15, (20.0, 50.0), 0.06)):
            for _ in range(count):
                across, down = rng.uniform(0, side, 2)
                width, height = rng.uniform(*widths), rng.uniform(0.1, 1) * most * brightest
                signal += height * np.exp(-((x - across) ** 2 + (y - down) ** 2) / (2 * width**2))
        planes.append(signal)
    scene: Doubles = np.minimum(np.stack(planes, -1), brightest)
    return scene


def _texture(rng: np.random.Generator, side: int) -> Doubles:
    """Fine texture of a few pixels, σ 0.05."""
    coarse = rng.standard_normal((side // 2 + 1, side // 2 + 1))
    fine = np.repeat(np.repeat(coarse, 2, 0), 2, 1)[:side, :side]
    smooth = fine + np.roll(fine, 1, 0) + np.roll(fine, 1, 1)
    texture: Doubles = 0.05 * smooth / smooth.std()
    return texture


PHONE = Camera(full_well=500, read=5)
PHONE_JPEG = Camera(
    full_well=600, read=5, gradients=True, chroma_blur=4.0, luma_blur=0.5, quality=92
)
DSLR = Camera(full_well=1800, read=8, gradients=True, quality=96, subsampling="4:2:2")


def _multiples(steps: int, noisy: Pixels) -> NDArray[np.bool_]:
    """Mask of the values that are whole multiples of ``steps``."""
    whole: NDArray[np.bool_] = noisy % steps == 0
    return whole


def _equal_channels(noisy: Pixels) -> NDArray[np.bool_]:
    """Mask of the pixels whose red, green and blue are the same."""
    equal: NDArray[np.bool_] = noisy == noisy[..., :1]
    return np.broadcast_to(equal.all(2, keepdims=True), noisy.shape)


def _blue_is_black(noisy: Pixels) -> NDArray[np.bool_]:
    """Mask of everything but blue samples that are not 0."""
    possible = np.ones(noisy.shape, bool)
    possible[..., 2] = noisy[..., 2] == 0
    return possible


def _stained(seed: int, side: int) -> Doubles:
    """A microscope's field in red and green, without blue, in [0, 1]."""
    scene = microscope(seed, side, 900.0, channels=3) / 1000
    return scene * [1.0, 1.0, 0.0]


def _in_8_bits(seed: int, side: int) -> Doubles:
    """A microscope's field in [0, 1], its ground at 4 to 15 % of white."""
    return 0.03 + microscope(seed, side, 250.0) / 280


def _electrons(seed: int, side: int) -> Doubles:
    """A microscope's field in photoelectrons."""
    return microscope(seed, side, 4000.0) / 10


_GRAY = partial(photograph, channels=1)

INSTRUMENTS = (
    Instrument("phone raw", PHONE, photograph),
    Instrument("phone JPEG", PHONE_JPEG, photograph),
    Instrument("DSLR JPEG", DSLR, photograph),
    Instrument("dark scene", PHONE, dark_photograph),
    Instrument("row banding raw", Camera(full_well=900, read=5, row=5), photograph),
    Instrument("row banding RGB", Textbook(photons=250, gaussian=0.014, row=0.03), photograph),
    Instrument("Gauss-Poisson", Textbook(photons=80, gaussian=0.02), photograph),
    Instrument(
        "gray as RGB",
        Textbook(photons=250, gaussian=0.014, copies=3),
        _GRAY,
        possible=_equal_channels,
    ),
    Instrument(
        "blue is black", Textbook(photons=60, gaussian=0.015), _stained, possible=_blue_is_black
    ),
    Instrument(
        "stretched 8 bit",
        Textbook(photons=90, gaussian=0.02, coarse=8),
        _in_8_bits,
        step=8,
        possible=partial(_multiples, 8),
    ),
    Instrument("sCMOS 12 bit", Scientific(), partial(microscope, brightest=3000.0), 4095.0),
    Instrument(
        "sCMOS 16 bit",
        Scientific(largest=65535),
        partial(microscope, brightest=40000.0),
        65535.0,
    ),
    Instrument(
        "12 in 16 bit",
        Scientific(shift=16),
        partial(microscope, brightest=3000.0),
        65535.0,
        step=16,
        possible=partial(_multiples, 16),
    ),
    Instrument("EMCCD", ElectronMultiplying(), _electrons, 16383.0),
    Instrument(
        "photon counts",
        PhotonCounter(),
        partial(microscope, brightest=250.0),
        400.0,
        possible=partial(_multiples, 1),
    ),
)
"""Instruments of the bench, in the order of its table."""
