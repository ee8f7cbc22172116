"""A noisy picture alone → windows with an estimated clean, and a residual that is made up for it.

A denoiser's residual lacks what the denoiser took for picture. For the mean of all pictures that
would look so noisy, x̂ = E[x | y], the residual's variance is σ² less the squared error that is left
(E[(y − x̂)²] = σ² − E[(x − x̂)²], as the two are orthogonal), and the denoiser says how large that
error is: added back, σ is right on average. Where the error is large the grain is still the
denoiser's, so of similar brightness only windows with the smaller ones are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from noisegen.model.config import WINDOW
from noisegen.model.denoiser import Denoiser
from noisegen.model.weights import load_weights
from noisegen.model.workers import single_threaded_pool
from noisegen.noise.arrays import Floats, Places
from noisegen.noise.record import Recording
from noisegen.noise.statistics import MEASURED
from noisegen.noise.stripes import find_stripes, without_stripes
from noisegen.noise.windows import Windows, cut, cut_places, put_together, spread_evenly
from noisegen.references.clean_estimate import EstimatedBlock, estimated_blocks
from noisegen.references.even_places import CoarseNoise
from noisegen.references.pixel_blocks import fit_surfaces, of_similar
from noisegen.references.stretch import Stretch

KEPT = 0.5
"""Share of the windows of similar brightness that is kept."""

NEIGHBOURS = 64
"""Windows of similar brightness that a window's power is compared with."""

FEWEST_ALIKE = 8
"""Windows of similar brightness, at least, that its expected error is compared with: an eighth of
all, up to NEIGHBOURS, so that no brightness is left out whole for being harder to estimate."""

LOUDEST = 3.0
"""A window of more than so many times the variance of the quiet ones of similar brightness is
texture that passes for noise, unless the picture itself is lively there: cameras that denoise
leave more noise on detail."""

LIVELY = 1.5
"""Standard deviation of a lively window's clean estimate, in those of its residual."""

QUIET = 0.1
"""Quantile of the variances of similar brightness that counts as quiet."""

MOST_MADE_UP = 5.0
"""Of a residual's variance, what is added at most. Beyond, the expected error is that of pictures
with more texture than this one has: quiet simulated cameras came out up to 10 times too loud
without a limit. On 14 of PolyU's Canon and Nikon shots noise levels were off, in powers of two, by
0.315 with a limit of 2, by 0.296 with this one, by 0.292 without any."""

NEARBY = 7
"""Side of the surroundings that a pixel's residual is made up for by, in pixels."""


def lone_windows(noisy: Floats, recording: Recording, denoiser: Denoiser | None = None) -> Windows:
    """Windows of a noisy picture with an estimated clean; see :func:`denoised_picture`."""
    return denoised_picture(noisy, recording, denoiser).windows


@dataclass(frozen=True)
class DenoisedPicture:
    """A denoised reference, and the way to denoise parts of it again with other noise.

    Attributes:
        windows: to measure.
        blocks: some of the picture, evenly spread, as the denoiser looks at them.
        stretch: curve that they went through before, if any.
        denoiser: that estimated them.
        coarse: slow variations of the whole picture, if it is large enough.
    """

    windows: Windows
    blocks: tuple[EstimatedBlock, ...]
    stretch: Stretch | None
    denoiser: Denoiser
    coarse: CoarseNoise | None

    def again(self, noise_of: Callable[[Floats], Floats]) -> tuple[Windows, Windows]:
        """Windows of the estimated clean with known noise: as they are estimated, and as they are.

        Args:
            noise_of: noise of a clean h×w×C in units of the white level, before it is recorded.
        """
        recording, stretch = self.windows.recording, self.stretch
        cleans = [
            (stretch.back(block.clean) if stretch else block.clean).clip(0, 1)
            for block in self.blocks
        ]
        noisy = [recording.record(clean + noise_of(clean), channel_axis=2) for clean in cleans]

        def estimated(block: EstimatedBlock, other: Floats) -> EstimatedBlock:
            seen = stretch.forward(other) if stretch else other
            return block.estimated_again(seen, self.denoiser)

        with single_threaded_pool() as workers:
            blocks = list(workers.map(estimated, self.blocks, noisy))
        windows = _windows_of(blocks, noisy, stretch)
        chosen = surest(windows)
        windows, clean = windows.where(chosen), np.concatenate([cut(x) for x in cleans])[chosen]
        guess = _made_up(windows, recording)
        return guess, replace(guess, residual=windows.noisy - clean, clean=clean)


def denoised_picture(
    noisy: Floats, recording: Recording, denoiser: Denoiser | None = None, kept: int = 0
) -> DenoisedPicture:
    """Denoise a noisy picture.

    Args:
        noisy: H×W×C in units of the white level, at most 1.
        recording: how it was clipped and rounded.
        denoiser: that estimates the clean; the shipped one where not given.
        kept: blocks of the picture that can be denoised again.
    """
    denoiser = denoiser or shipped_denoiser()
    even = _even_lines(noisy, recording)
    stretch, blocks = _estimated(noisy, even, recording, denoiser)
    windows = _windows_of(blocks, [noisy[block.place] for block in blocks], stretch)
    some = tuple(blocks[index] for index in spread_evenly(len(blocks), kept))
    return DenoisedPicture(
        made_up_windows(windows, recording), some, stretch, denoiser, CoarseNoise.of(even)
    )


def made_up_windows(estimated: EstimatedWindows, recording: Recording) -> Windows:
    """The windows to measure of a denoised picture."""
    return _made_up(estimated.where(surest(estimated)), recording)


def _made_up(estimated: EstimatedWindows, recording: Recording) -> Windows:
    residual = estimated.residual * np.sqrt(1 + estimated.made_up())
    clean = estimated.clean.clip(0, 1)
    made_up = 1 - float((estimated.residual**2).sum() / (residual**2).sum())
    return Windows(residual, clean, True, recording, estimated.places, made_up=made_up)


@cache
def shipped_denoiser() -> Denoiser:
    """Load the denoiser of the shipped ``base`` weights, once a process."""
    return load_weights().denoiser


@dataclass(frozen=True)
class EstimatedWindows:
    """Windows of a denoised picture.

    Attributes:
        noisy: N×C×32×32 in units of the white level.
        clean: its estimate.
        squared_error: N×C×32×32, to expect of the estimate.
        places: N×3, as of :class:`Windows`.
    """

    noisy: Floats
    clean: Floats
    squared_error: Floats
    places: Places

    @property
    def residual(self) -> Floats:
        """The plain residual."""
        return self.noisy - self.clean

    @property
    def power(self) -> Floats:
        """N, mean square of the plain residual."""
        return np.asarray(np.maximum((self.residual**2).mean((1, 2, 3)), 1e-12))

    @property
    def error(self) -> Floats:
        """N, mean squared error to expect."""
        return np.asarray(self.squared_error.mean((1, 2, 3)))

    def made_up(self) -> Floats:
        """N×1×32×32, what is added to the residual's variance, in units of that, to be the noise's.

        Edges and the even places between them differ in what the denoiser takes, so both are looked
        at nearby; half of the power is the whole window's, because that of few pixels is unsure.
        """
        here = 0.5 * nearby(self.residual**2) + 0.5 * self.power[:, None, None, None]
        return np.asarray(np.minimum(nearby(self.squared_error) / here, MOST_MADE_UP))

    def where(self, index: NDArray[np.bool_]) -> EstimatedWindows:
        """Some of the windows."""
        return EstimatedWindows(
            self.noisy[index], self.clean[index], self.squared_error[index], self.places[index]
        )


def estimated_windows(noisy: Floats, recording: Recording, denoiser: Denoiser) -> EstimatedWindows:
    """Estimate the clean of all windows that the denoiser looks at."""
    even = _even_lines(noisy, recording)
    stretch, blocks = _estimated(noisy, even, recording, denoiser)
    return _windows_of(blocks, [noisy[block.place] for block in blocks], stretch)


def _estimated(
    noisy: Floats, even: Floats, recording: Recording, denoiser: Denoiser
) -> tuple[Stretch | None, list[EstimatedBlock]]:
    """Estimate the blocks of a picture whose lines are even."""
    stretch = Stretch.of(noisy, recording)
    return stretch, estimated_blocks(stretch.forward(even) if stretch else even, denoiser)


def _windows_of(
    blocks: Sequence[EstimatedBlock], noisy: Sequence[Floats], stretch: Stretch | None
) -> EstimatedWindows:
    """Windows of estimated blocks whose noisy pixels, in units of the white level, are these."""
    pixels = np.concatenate([cut(one) for one in noisy])
    clean = np.concatenate([cut(block.clean) for block in blocks])
    error = np.concatenate([cut(block.error) for block in blocks])
    if stretch:
        clean, error = stretch.back(clean), error * stretch.slope(clean) ** 2
    # A channel that is the same all over a window, as black is, is known: it has no noise.
    flat = pixels.max((2, 3), keepdims=True) == pixels.min((2, 3), keepdims=True)
    return EstimatedWindows(
        pixels,
        np.where(flat, pixels, clean),
        np.where(flat, np.float32(0), error),
        np.concatenate([_places(block) for block in blocks]),
    )


def _even_lines(noisy: Floats, recording: Recording) -> Floats:
    """The picture without row and column noise, which a denoiser takes for the scene's."""
    pixels = cut(noisy)
    whole = Windows(pixels, pixels, True, recording, cut_places(*noisy.shape[:2]))
    stripes = find_stripes(_rough(whole.take_blocks(MEASURED)))
    if not stripes.any:
        return noisy
    rough = _rough(whole)
    return put_together(rough.clean + without_stripes(rough, stripes).residual, noisy)


def _rough(windows: Windows) -> Windows:
    """Windows of a picture whose clean is its smooth part, and whose residual is all else."""
    smooth = fit_surfaces(windows.residual)
    return replace(windows, residual=windows.residual - smooth, clean=smooth)


def _places(block: EstimatedBlock) -> Places:
    """Places of a block's windows in the picture's grid of windows."""
    corner = np.array([0, block.top // WINDOW, block.left // WINDOW])
    return np.asarray(cut_places(*block.clean.shape[:2]) + corner)


def nearby(values: Floats) -> Floats:
    """N×C×32×32 → N×1×32×32: mean over the channels and 7×7 pixels of the window."""
    planes = torch.from_numpy(values.mean(1, keepdims=True))
    reach = NEARBY // 2
    return np.asarray(F.avg_pool2d(planes, NEARBY, 1, reach, count_include_pad=False).numpy())


def surest(windows: EstimatedWindows) -> NDArray[np.bool_]:
    """Windows whose expected error is among the smallest of similar brightness, to their noise.

    Texture as white as noise cannot be told from it within a window, but beside others it is loud.
    Of windows that are the same all over, neither loud nor quiet, every other one is kept.
    """
    flat = windows.error == 0
    sure = np.zeros(len(flat), bool)
    sure[np.flatnonzero(flat)[::2]] = True
    if not flat.all():
        sure[~flat] = _surest(windows.where(~flat))
    return sure


def _surest(windows: EstimatedWindows) -> NDArray[np.bool_]:
    total, brightness = windows.power + windows.error, windows.clean.mean((1, 2, 3))
    detail = windows.clean.std((2, 3)).mean(1)
    lively = detail >= LIVELY * np.sqrt(windows.power)
    count = min(NEIGHBOURS, len(total))
    quiet = of_similar(total, brightness, count // 2 * 2, partial(np.quantile, q=QUIET, axis=1))
    telling = (total <= LOUDEST * quiet) | lively
    # Others do not count, so they stand below any share.
    share = np.where(telling, windows.error / total, np.float32(-1))

    def usual(near: Floats) -> Floats:
        rows = [row[row >= 0] for row in near]
        return np.array([np.quantile(row, KEPT) if len(row) else -np.inf for row in rows])

    alike = min(max(FEWEST_ALIKE, len(total) // 8), count) // 2 * 2
    return np.asarray(telling & (share <= of_similar(share, brightness, alike, usual)))
