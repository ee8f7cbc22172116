"""Instruments, and those that are read out plainly: microscopes' cameras and textbook noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from noisegen.noise.arrays import Doubles, Pixels, Rng


class Process(Protocol):
    """Physics of an instrument; a scene is H×W×C in the process's own unit of light."""

    def shoot(self, scene: Doubles, rng: Rng) -> Pixels:
        """One noisy shot, H×W×C as the file holds it."""

    def clean(self, scene: Doubles) -> Pixels:
        """The scene without noise, rounded to the file's type only, not to coarser steps."""


def anything(noisy: Pixels) -> NDArray[np.bool_]:
    """Mask of everything: each value of the file's type can occur."""
    return np.ones(noisy.shape, bool)


@dataclass(frozen=True)
class Instrument:
    """An instrument with a way to draw what it looks at.

    Attributes:
        name: of the instrument.
        process: its physics.
        scene: seed and side in pixels → scene.
        white_level: of its files.
        step: between neighbouring values of its files.
        possible: noisy pixels, H×W×C → where it could have given them.
    """

    name: str
    process: Process
    scene: Callable[[int, int], Doubles]
    white_level: float = 255.0
    step: float = 1.0
    possible: Callable[[Pixels], NDArray[np.bool_]] = anything


@dataclass(frozen=True)
class Scientific:
    """An sCMOS or CCD camera. A scene is signal in ADU above the offset.

    ADU = (Poisson(signal · electrons) + read noise) / electrons + offset, rounded, clipped; so
    σ² = signal / electrons + (read / electrons)² + 1/12 where nothing is clipped.

    Attributes:
        electrons: for one ADU.
        read: σ of the read noise, in electrons.
        offset: in ADU.
        largest: of its converter, in ADU.
        shift: factor of the file on the ADU: 16 for 12 bits shifted into 16.
    """

    electrons: float = 0.46
    read: float = 1.6
    offset: float = 100.0
    largest: int = 4095
    shift: int = 1

    def shoot(self, scene: Doubles, rng: Rng) -> Pixels:
        """One noisy shot, H×W×C uint16."""
        charge = rng.poisson(scene * self.electrons) + self.read * rng.standard_normal(scene.shape)
        adu = np.rint(charge / self.electrons + self.offset).clip(0, self.largest)
        return (adu * self.shift).astype(np.uint16)

    def clean(self, scene: Doubles) -> Pixels:
        """The scene without noise, H×W×C uint16, between the shifted converter's steps too."""
        adu = (scene + self.offset).clip(0, self.largest)
        pixels: Pixels = np.rint(adu * self.shift).astype(np.uint16)
        return pixels

    def variance(self, scene: Doubles) -> Doubles:
        """Variance of a shot where nothing is clipped, in ADU²."""
        return scene / self.electrons + (self.read / self.electrons) ** 2 + 1 / 12


@dataclass(frozen=True)
class ElectronMultiplying:
    """An EMCCD. A scene is in photoelectrons.

    The gain register multiplies n electrons to a gamma-distributed charge of shape n: the excess
    noise factor is 2, so σ² = 2 · signal · gain² + read² (+ 1/12), in ADU².

    Attributes:
        gain: ADU for one electron, multiplied.
        read: σ, in ADU.
        offset: in ADU.
        largest: of its converter, in ADU.
    """

    gain: float = 25.0
    read: float = 8.0
    offset: float = 200.0
    largest: int = 16383

    def shoot(self, scene: Doubles, rng: Rng) -> Pixels:
        """One noisy shot, H×W×C uint16."""
        electrons = rng.poisson(scene)
        charge = np.where(electrons > 0, rng.gamma(np.maximum(electrons, 1), self.gain), 0.0)
        adu = charge + self.read * rng.standard_normal(scene.shape) + self.offset
        return np.rint(adu).clip(0, self.largest).astype(np.uint16)

    def clean(self, scene: Doubles) -> Pixels:
        """The scene without noise, H×W×C uint16."""
        adu = scene * self.gain + self.offset
        return np.rint(adu).clip(0, self.largest).astype(np.uint16)

    def variance(self, scene: Doubles) -> Doubles:
        """Variance of a shot where nothing is clipped, in ADU²."""
        return 2 * scene * self.gain**2 + self.read**2 + 1 / 12


@dataclass(frozen=True)
class PhotonCounter:
    """Counts of photons saved as floats, as of a confocal microscope. A scene is in photons."""

    def shoot(self, scene: Doubles, rng: Rng) -> Pixels:
        """One noisy shot, H×W×C float32, whole numbers."""
        return rng.poisson(scene).astype(np.float32)

    def clean(self, scene: Doubles) -> Pixels:
        """The scene without noise, H×W×C float32, the expected counts."""
        return scene.astype(np.float32)


@dataclass(frozen=True)
class Textbook:
    """Poisson and Gaussian noise in 8 bits. A scene is in [0, 1].

    Attributes:
        photons: at white; σ² = scene / photons + gaussian².
        gaussian: σ, of white.
        row: σ of an offset that all pixels of a row share, of white.
        coarse: only every so many values occur, as after a contrast stretch.
        copies: of the one channel that is shot: 3 for gray saved as RGB.
    """

    photons: float
    gaussian: float
    row: float = 0.0
    coarse: int = 1
    copies: int = 1

    def shoot(self, scene: Doubles, rng: Rng) -> Pixels:
        """One noisy shot, H×W×C uint8."""
        noisy = rng.poisson(scene * self.photons) / self.photons
        noisy = noisy + self.gaussian * rng.standard_normal(scene.shape)
        noisy = noisy + self.row * rng.standard_normal((len(scene), 1, 1))
        # A channel that sees no light at all is not read: it is black in every shot.
        noisy = np.where((scene > 0).any((0, 1)), noisy, 0.0)
        steps = np.rint(noisy * 255 / self.coarse).clip(0, 255 // self.coarse)
        return np.repeat((steps * self.coarse).astype(np.uint8), self.copies, 2)

    def clean(self, scene: Doubles) -> Pixels:
        """The scene without noise, H×W×C uint8, between the coarse steps too."""
        return np.repeat(np.rint(scene * 255).clip(0, 255).astype(np.uint8), self.copies, 2)
