"""What a user may put noise on pictures with instead of noisegen, fitted to the same reference.

Each peer is fitted to the windows that the plain classical model is fitted to, of a lone shot with
the estimated clean. None knows the target.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from noisegen.errors import from_checkout
from noisegen.evaluation.av1_grain import draw_grain, fit_grain
from noisegen.evaluation.protocol import Target
from noisegen.evaluation.rows import Known, Row, fitted_row
from noisegen.files import Pixels, quantise
from noisegen.model.weights import Weights
from noisegen.noise.arrays import Doubles, Floats, Rng
from noisegen.noise.windows import Windows
from noisegen.profiles.drawn import draw_profiles, parse_draws
from noisegen.synthesis.synthesizer import Synthesizer

PATCH = 16
"""Side of the resampled patches."""

MOST_PATCHES, NEAREST = 8192, 16
"""Patches of the reference to choose from, and how many of like intensity are drawn among."""

ISO_WINDOWS, ISO_STEPS = 64, 14
"""ISONoise is fitted to so many windows, by so many halvings of each parameter's range."""

LARGEST_INTENSITY = 2.0

DRAWS = "phone,compact,dslr,mirrorless", "microscope,industrial"
"""What cameras are drawn from for targets with colour and for gray ones."""


def peer_rows(weights: Weights) -> list[Row]:
    """The peers' rows; weights make the unused profile."""
    rows = [
        fitted_row("poisson-gaussian", weights, fit_poisson_gaussian, draw_poisson_gaussian),
        fitted_row("av1-grain", weights, fit_grain, draw_grain),
        fitted_row("resampled", weights, cut_patches, resample),
        drawn_row(weights),
    ]
    if missing_peer() is None:
        rows.insert(1, fitted_row("iso-noise", weights, fit_iso_noise, draw_iso_noise))
    return rows


def missing_peer() -> str | None:
    """Words for the row that an uninstalled package leaves out, and how to get it."""
    if importlib.util.find_spec("albumentations") is not None:
        return None
    return f"iso-noise is left out: albumentations is missing ({from_checkout('bench')})"


def drawn_row(weights: Weights) -> Row:
    """The row of cameras that know nothing of the reference: one drawn for each target, by name."""
    synthesizer = Synthesizer(weights)

    def draw(target: Target, _: Known) -> Pixels:
        gray = target.clean.shape[2] == 1
        seed = int.from_bytes(hashlib.sha256(target.name.encode()).digest()[:4], "big")
        (camera,) = draw_profiles(parse_draws(DRAWS[gray]), 1, seed, weights, gray)
        return synthesizer.synthesize(
            target.clean, camera, key=target.name, white_level=target.white_level
        )

    return Row("drawn", weights, draw)


@dataclass(frozen=True)
class PoissonGaussian:
    """Variance ``slope``·x + ``floor`` at intensity x, C each, in units of the white level."""

    slope: Doubles
    floor: Doubles


def fit_poisson_gaussian(windows: Windows) -> PoissonGaussian:
    """Regresses the squared residual on the clean, channel by channel."""
    fitted = []
    for channel in range(windows.clean.shape[1]):
        clean = windows.clean[:, channel].astype(np.float64).ravel()
        residual = windows.residual[:, channel].astype(np.float64).ravel()
        fitted.append(_line(clean, (residual - residual.mean()) ** 2))
    slope, floor = np.array(fitted).T
    return PoissonGaussian(slope, floor)


def _line(x: Doubles, squares: Doubles) -> tuple[float, float]:
    """Slope and value at 0 of the squares by least squares, neither below 0; their mean is kept."""
    mean, square = float(x.mean()), float(squares.mean())
    spread = max(float(((x - mean) ** 2).mean()), 1e-12)
    slope = float(((x - mean) * squares).mean()) / spread
    slope = min(max(slope, 0.0), square / max(mean, 1e-6))
    return slope, square - slope * mean


def draw_poisson_gaussian(
    model: PoissonGaussian, clean: Pixels, white_level: float, rng: Rng
) -> Pixels:
    """Draws photons and read noise."""
    picture = clean / white_level
    photon = np.maximum(model.slope, 1e-12)
    seen = np.where(model.slope > 0, rng.poisson(picture / photon) * photon, picture)
    noisy = seen + rng.standard_normal(clean.shape) * np.sqrt(model.floor.clip(0))
    return quantise(noisy.astype(np.float32), white_level, clean.dtype)


@dataclass(frozen=True)
class Patches:
    """Residuals of a reference's patches, N×16×16×C, and the means of their cleans, N×C."""

    residual: Floats
    mean: Floats


def cut_patches(windows: Windows) -> Patches:
    """Patches of a reference's windows, evenly spread where there are too many."""
    windows = windows.take(MOST_PATCHES * PATCH**2 // windows.clean[0, 0].size)
    residual, clean = (_tiles(x.transpose(0, 2, 3, 1)) for x in (windows.residual, windows.clean))
    return Patches(residual, clean.mean((1, 2)))


def resample(patches: Patches, clean: Pixels, white_level: float, rng: Rng) -> Pixels:
    """Lays patches' residuals beside each other, each one of those of like intensity and colour."""
    picture = (clean / white_level).astype(np.float32)
    height, width, channels = picture.shape
    padding = [(0, -side % PATCH) for side in (height, width)]
    padded = np.pad(picture, [*padding, (0, 0)], mode="edge")
    means = _tiles(padded[None]).mean((1, 2))
    count = min(NEAREST, len(patches.mean))
    chosen = []
    for mean in means:
        distance = ((patches.mean - mean) ** 2).sum(1)
        chosen.append(rng.choice(np.argpartition(distance, count - 1)[:count]))
    rows, columns = (side // PATCH for side in padded.shape[:2])
    tiles = patches.residual[chosen].reshape(rows, columns, PATCH, PATCH, channels)
    noise = tiles.transpose(0, 2, 1, 3, 4).reshape(padded.shape)[:height, :width]
    return quantise(picture + noise, white_level, clean.dtype)


def _tiles(pictures: Floats) -> Floats:
    """N×H×W×C → M×16×16×C, whole tiles in reading order."""
    count, height, width, channels = pictures.shape
    split = pictures.reshape(count, height // PATCH, PATCH, width // PATCH, PATCH, channels)
    return split.transpose(0, 1, 3, 2, 4, 5).reshape(-1, PATCH, PATCH, channels)


@dataclass(frozen=True)
class ISO:
    """ISONoise's two parameters."""

    color_shift: float
    intensity: float


def fit_iso_noise(windows: Windows) -> ISO:
    """Intensity by the noise's σ, then the colours' shift by that of their differences.

    Both are found by halving: σ grows with each of them. In grey pictures the shift does nothing.
    """
    windows = windows.take(ISO_WINDOWS)
    residual, clean = (x.transpose(2, 0, 3, 1) for x in (windows.residual, windows.clean))
    side, count, _, channels = clean.shape
    picture = clean.reshape(side, count * side, channels).astype(np.float64)
    real = residual.reshape(picture.shape).astype(np.float64)

    def drawn(color_shift: float, intensity: float) -> Doubles:
        made = _iso(ISO(color_shift, intensity), picture, np.random.default_rng(0))
        return made - picture

    strength, colour = _strength(real), _colour(real)
    intensity = _halve(lambda x: _strength(drawn(0, x)) < strength, LARGEST_INTENSITY)
    shift = _halve(lambda x: _colour(drawn(x, intensity)) < colour, 1.0)
    return ISO(shift, _halve(lambda x: _strength(drawn(shift, x)) < strength, LARGEST_INTENSITY))


def draw_iso_noise(model: ISO, clean: Pixels, white_level: float, rng: Rng) -> Pixels:
    """ISONoise of albumentations; grey pictures are shown to it as three equal colours."""
    made = _iso(model, clean / white_level, rng)
    return quantise(made.astype(np.float32), white_level, clean.dtype)


def _iso(model: ISO, picture: Doubles, rng: Rng) -> Doubles:
    from albumentations import ISONoise

    transform: Any = ISONoise((model.color_shift,) * 2, (model.intensity,) * 2, p=1.0)
    transform.set_random_seed(int(rng.integers(2**31)))
    channels = picture.shape[2]
    shown = picture if channels == 3 else picture.repeat(3, 2)
    made: Doubles = transform(image=shown.clip(0, 1).astype(np.float32))["image"][..., :channels]
    return made


def _strength(noise: Doubles) -> float:
    return float(noise.std((0, 1)).mean())


def _colour(noise: Doubles) -> float:
    """σ of what a channel's noise has of its own."""
    return float((noise - noise.mean(2, keepdims=True)).std())


def _halve(below: Callable[[float], bool], largest: float) -> float:
    """The place where a condition that holds from 0 on ends, by halving."""
    low, high = 0.0, largest
    for _ in range(ISO_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return low
