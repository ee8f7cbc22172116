"""A profile seen: its generated noise beside what was measured, gathered for a plot.

The crop that is shown is the part of a picture that tells most of its noise: hardly clipped, and of
many intensities.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from noisegen.errors import BadReferenceError
from noisegen.model.config import WINDOW
from noisegen.model.weights import Weights
from noisegen.noise.arrays import Doubles, Floats
from noisegen.noise.record import Recording
from noisegen.noise.statistics import NoiseStatistics, measure
from noisegen.noise.windows import Windows, cut, cut_places
from noisegen.profiles.fit import TRIED, measure_cut
from noisegen.profiles.profile import NoiseProfile
from noisegen.profiles.trial import Trial, draw_measured, standardised
from noisegen.references.check import Reference, scaled, with_channels
from noisegen.references.clean_estimate import estimated_blocks
from noisegen.references.pixel_blocks import pooled
from noisegen.references.repair import GROSS, repair_pair
from noisegen.references.windows import Repair, cut_references
from noisegen.synthesis.levels import in_unit_range
from noisegen.synthesis.synthesizer import Synthesizer

BUILT_IN = 320
"""Side of the built-in clean, in pixels: a hundred windows."""

TEXTURE = 0.05
"""Amplitude of its texture, of the white level."""

PATCH = 5
"""Side of its patches, in pixels."""

CROP_SIDE = 192
"""Side of the crop in pixels; a smaller picture gives all it has."""

BLOCK = 8
STRIDE = 4
"""Blocks between one crop and the next that is tried."""

CLIPPED_MORE = 0.01
"""Share of clipped pixels beyond the least that a crop may have."""


def telling_crop(noisy: Floats) -> tuple[slice, slice]:
    """Rows and columns of the most varied crop among the least clipped, on the 8×8 grid.

    Args:
        noisy: H×W×C in units of the white level, H and W 8 or more.
    """
    clipped = pooled(((noisy <= 0) | (noisy >= 1)).mean(2), BLOCK)
    # Means of 64 pixels: what varies is the picture, not its noise.
    light = pooled(noisy.mean(2).astype(np.float64), BLOCK)
    height, width = (min(CROP_SIDE // BLOCK, blocks) for blocks in light.shape)
    share, mean, square = (
        np.lib.stride_tricks.sliding_window_view(values, (height, width))[::STRIDE, ::STRIDE].mean(
            (2, 3)
        )
        for values in (clipped, light, light**2)
    )
    varied = np.where(share <= share.min() + CLIPPED_MORE, square - mean**2, -np.inf)
    row, column = np.unravel_index(int(varied.argmax()), varied.shape)
    top, left = int(row) * STRIDE * BLOCK, int(column) * STRIDE * BLOCK
    return slice(top, top + height * BLOCK), slice(left, left + width * BLOCK)


@dataclass(frozen=True)
class Noise:
    """Noise on the windows that are looked at.

    Attributes:
        residual: N×C×32×32 in units of the white level, clipped and rounded as files hold it.
        statistics: measured, as a profile's are: before clipping and rounding.
    """

    residual: Floats
    statistics: NoiseStatistics


@dataclass(frozen=True)
class Crop:
    """The part of a reference that is shown; all h×w×C in units of the white level.

    Attributes:
        name: of the reference.
        noisy: as it is.
        residual: less its clean.
        generated: noise on the same clean.
        estimated: the clean was estimated by the denoiser.
    """

    name: str
    noisy: Floats
    residual: Floats
    generated: Floats
    estimated: bool


@dataclass(frozen=True)
class ProfileView:
    """Content of a profile's plot.

    Attributes:
        profile: that is looked at.
        measured: the reference's noise; without one, the measured statistics, and noise drawn
            from them.
        generated: on the same clean.
        step: of the quantisation, in units of the white level; 0 for none.
        crop: of the reference, if there is one.
    """

    profile: NoiseProfile
    measured: Noise
    generated: Noise
    step: float
    crop: Crop | None = None


def view_alone(profile: NoiseProfile, weights: Weights) -> ProfileView:
    """Shows a profile on a built-in clean: ramps from black to white, smooth and textured.

    Args:
        profile: made with these weights.
        weights: on the CPU.
    """
    recording = profile.recording.scaled(1 / profile.white_level)
    clean = recording.record(built_in_clean(len(profile.sigma)), channel_axis=2)
    places = cut_places(*clean.shape[:2])
    clean = cut(clean.astype(np.float32))
    windows = Windows(np.zeros_like(clean), clean, False, recording, places)
    made = Trial(windows, draw_measured(profile.measured, windows, weights.content))
    measured, step = Noise(made.fake, profile.measured), float(recording.step.max())
    return ProfileView(profile, measured, _generated(made), step)


def view_on_reference(profile: NoiseProfile, reference: Reference, weights: Weights) -> ProfileView:
    """Shows a profile beside a reference, best one of its own.

    Args:
        profile: made with these weights.
        reference: with or without its clean; one that comes without is denoised by the weights.
        weights: on the CPU.

    Raises:
        BadReferenceError: it cannot be measured, or is gray where the profile is RGB.
    """
    reference = with_channels(reference)
    _refuse_other_kind(reference.name, reference.noisy.shape[-1], False, profile)
    dtype = "float32" if reference.noisy.dtype.kind == "f" else reference.noisy.dtype.name
    level = profile.white_level if dtype == profile.dtype else None
    found = measure_cut(cut_references([reference], level, Repair.GROSS, weights.denoiser))
    _refuse_other_kind(reference.name, reference.noisy.shape[-1], found.cut.samples.gray, profile)
    shown = found.windows.take_blocks(TRIED)
    trial = Trial(shown, draw_measured(profile.measured, shown, weights.content))
    real = Noise(trial.windows.residual, measure(trial.windows))
    recording = found.windows.recording
    crop = _crop(profile, reference, found.cut.samples.white_level, recording, weights)
    return ProfileView(profile, real, _generated(trial), float(recording.step.max()), crop)


def built_in_clean(channels: int) -> Floats:
    """Draws the built-in clean, H×W×C in [0, 1]: ramps; from above smooth, wavy, in patches."""
    y, x = np.mgrid[:BUILT_IN, :BUILT_IN]
    ramp = 0.04 + 0.92 * x / (BUILT_IN - 1)
    waves = (np.sin(0.9 * x + 0.3 * y) + np.sin(0.25 * x - 0.7 * y)) / 2
    row, column = y // PATCH, x // PATCH
    patches = ((3 * row + 5 * column + row * column) % 7 - 3) / 3
    third = 3 * y // BUILT_IN
    texture = TEXTURE * np.select([third == 1, third == 2], [waves, patches], 0.0)
    plane = np.clip(ramp + texture, 0, 1).astype(np.float32)
    return np.repeat(plane[..., None], channels, axis=2)


def radial_power(residual: Floats) -> tuple[Doubles, Doubles]:
    """Power of the noise against frequency, averaged over channels and directions.

    Args:
        residual: N×C×32×32; its strength does not count.

    Returns:
        16 frequencies in cycles a pixel, and their powers; white noise has a power of 1.
    """
    hann = np.hanning(WINDOW + 1)[:WINDOW]
    taper = np.outer(hann, hann)
    taper /= np.sqrt((taper**2).sum())
    power = np.abs(np.fft.fft2(standardised(residual).astype(np.float64) * taper)) ** 2
    turns = np.fft.fftfreq(WINDOW, 1 / WINDOW)
    ring = np.rint(np.hypot(turns[:, None], turns)).astype(int).ravel()
    totals = np.bincount(ring, power.mean((0, 1)).ravel()) / np.bincount(ring)
    # The middle is the mean, and beyond half a cycle lie corners alone.
    rings = np.arange(1, WINDOW // 2 + 1)
    return rings / WINDOW, totals[rings]


def _generated(trial: Trial) -> Noise:
    return Noise(trial.fake, measure(replace(trial.windows, residual=trial.fake)))


def _refuse_other_kind(name: str, channels: int, gray: bool, profile: NoiseProfile) -> None:
    """Refuses a reference that cannot be of the profile's camera.

    Args:
        name: of the reference.
        channels: of its pixels; other numbers than 1 and 3 are refused elsewhere.
        gray: its three channels are known to be one.
        profile: beside which it is to be shown.

    Raises:
        BadReferenceError: one is gray, or gray saved as RGB, and the other is not.
    """
    kinds = {(1, False): "gray", (3, False): "RGB", (3, True): "gray saved as RGB"}
    theirs = kinds[profile.channels, profile.gray]
    ours = kinds.get((channels, gray), theirs)
    if ours != theirs and (gray or channels != profile.channels):
        raise BadReferenceError(
            f"{name}: is {ours}, but profile {profile.name} is {theirs}; give a reference of its "
            "camera"
        )


def _crop(
    profile: NoiseProfile,
    reference: Reference,
    white_level: float,
    recording: Recording,
    weights: Weights,
) -> Crop:
    noisy = scaled(reference.noisy, white_level)
    if reference.clean is None:
        noisy = noisy[telling_crop(noisy)]
        clean = estimated_blocks(noisy, weights.denoiser)[0].clean
    else:
        clean = scaled(reference.clean, white_level)
        pair = repair_pair(noisy, clean, reference.name, recording, GROSS)
        place = telling_crop(pair.noisy)
        noisy, clean = pair.noisy[place], pair.clean[place]
    clean = np.ascontiguousarray(clean.clip(0, 1))
    fake = Synthesizer(weights).synthesize(clean, in_unit_range(profile), key="profile plot")
    fake = recording.record(fake, channel_axis=2)
    return Crop(reference.name, noisy, noisy - clean, fake - clean, reference.clean is None)
