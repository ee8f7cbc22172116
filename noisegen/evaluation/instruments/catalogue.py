"""The instruments of the bench: every kind that people have."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from noisegen.evaluation.instruments.cameras import Camera
from noisegen.evaluation.instruments.instrument import Doubles, Instrument, Pixels
from noisegen.evaluation.instruments.scenes import dark_photograph, microscope, photograph
from noisegen.evaluation.instruments.sensors import (
    ElectronMultiplying,
    PhotonCounter,
    Scientific,
    Textbook,
)

PHONE = Camera(full_well=500, read=5)
PHONE_JPEG = Camera(
    full_well=600, read=5, gradients=True, chroma_blur=4.0, luma_blur=0.5, quality=92
)
DSLR = Camera(full_well=1800, read=8, gradients=True, quality=96, subsampling="4:2:2")


def _multiples(steps: int, noisy: Pixels) -> NDArray[np.bool_]:
    """Where values are whole multiples of so many."""
    whole: NDArray[np.bool_] = noisy % steps == 0
    return whole


def _equal_channels(noisy: Pixels) -> NDArray[np.bool_]:
    """Where red, green and blue are the same."""
    equal: NDArray[np.bool_] = noisy == noisy[..., :1]
    return np.broadcast_to(equal.all(2, keepdims=True), noisy.shape)


def _blue_is_black(noisy: Pixels) -> NDArray[np.bool_]:
    """Everywhere but where blue is not 0."""
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
