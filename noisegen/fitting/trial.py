"""A profile tried on its references' own clean: generated beside measured noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from noisegen.evaluation.metrics import kl_divergence, noise_level_error, sigma_error
from noisegen.model.conditioning import Conditioning
from noisegen.model.config import KERNEL, WINDOW
from noisegen.model.weights import Weights
from noisegen.model.workers import single_threaded_pool
from noisegen.references.profile import NoiseProfile
from noisegen.references.quality import Quality
from noisegen.references.spectrum import correlations
from noisegen.references.statistics import LAGS
from noisegen.references.tensors import statistics_tensors
from noisegen.references.windows import Windows
from noisegen.synthesis.field import field_key, gaussian_field

Floats = NDArray[np.float32]

TRIED = 96
"""Windows that a profile is tried on, spread evenly over the references (0.1 Mpx)."""

SURROUND = WINDOW
"""Mirrored pixels around each window: what the generator sees beyond it."""

APART = 4 * WINDOW
"""Rows of the field between one window's draw and the next."""


@dataclass(frozen=True)
class Trial:
    """Measured and generated noise on the same windows.

    Attributes:
        windows: the references' clean and residual, N×C×32×32 in units of the white level.
        fake: generated residual, clipped and rounded like the real one.
    """

    windows: Windows
    fake: Floats

    @property
    def clean(self) -> Floats:
        """N×C×32×32 in [0, 1]."""
        return self.windows.clean

    @property
    def real(self) -> Floats:
        """The measured residual, N×C×32×32."""
        return self.windows.residual

    def where(self, index: slice) -> Trial:
        """Some of the windows."""
        chosen = np.arange(len(self.windows))[index]
        return Trial(self.windows.where(chosen), self.fake[index])

    def quality(self) -> Quality:
        """How far the two are apart."""
        real, fake, clean = (_as_picture(x) for x in (self.real, self.fake, self.clean))
        return Quality(
            sigma=sigma_error(real, fake),
            level=noise_level_error(real, fake, clean),
            kld=kl_divergence(real, fake),
            correlation=_correlation_error(self.real, self.fake),
        )


def tried_windows(windows: Windows) -> Windows:
    """The windows that a profile is tried on, in a fixed random order: any part shows them all."""
    order = np.random.default_rng(0).permutation(len(windows))
    return windows.where(order[:TRIED])


def learned_windows(windows: Windows) -> Windows:
    """The windows that a profile may learn from: those not tried, and those that judge nothing."""
    order = np.random.default_rng(0).permutation(len(windows))
    return windows.where(np.concatenate([order[:TRIED:2], order[TRIED:]]))


def judged(trial: Trial) -> Quality:
    """The distances on every other window, which no correction is taken from."""
    return trial.where(slice(1, None, 2)).quality()


def try_profile(profile: NoiseProfile, windows: Windows, weights: Weights) -> Trial:
    """Puts the profile's noise on the windows' clean; always the same field.

    Args:
        profile: of the windows' references, made with these weights.
        windows: few; see :func:`tried_windows`.
        weights: whose generator is used, on the CPU.
    """
    conditioning = Conditioning(
        torch.from_numpy(profile.tokens).unsqueeze(0),
        statistics_tensors(profile.applied),
        profile.trust,
    )
    planes = torch.from_numpy(mirrored(windows.clean))

    def generate(index: int) -> Floats:
        with torch.inference_mode():
            noise = weights.generator(
                planes[index : index + 1], window_field(index, "trial"), conditioning
            )
        values: Floats = inner(noise)[0].numpy()
        return values.mean(0, keepdims=True) if profile.channels == 1 else values

    with single_threaded_pool() as workers:
        noise = np.stack(list(workers.map(generate, range(len(windows)))))
    return Trial(windows, as_recorded(noise, windows))


def mirrored(clean: Floats) -> Floats:
    """N×C×32×32 → N×3×96×96: mirrored at its borders, gray repeated."""
    around = ((0, 0), (0, 0), (SURROUND, SURROUND), (SURROUND, SURROUND))
    padded = np.pad(clean, around, mode="symmetric")
    # A copy: a broadcast view is read-only, and torch warns of that.
    return np.broadcast_to(padded, (len(clean), 3, *padded.shape[2:])).copy()


def inner(picture: torch.Tensor) -> torch.Tensor:
    """The window in the middle of what :func:`mirrored` gave."""
    return picture[..., SURROUND:-SURROUND, SURROUND:-SURROUND]


def window_field(index: int, key: str) -> torch.Tensor:
    """The Gaussian field of one window with its surround, 1×4×h×w."""
    side = WINDOW + 2 * SURROUND + KERNEL - 1
    field = gaussian_field(field_key(0, key, 0), index * APART, 0, side, side)
    return torch.from_numpy(field).unsqueeze(0)


def as_recorded(noise: Floats, windows: Windows) -> Floats:
    """Noise as the references' files would hold it: clipped, and rounded to their steps."""
    noisy = (windows.clean + noise).clip(0, 1)
    if windows.step:
        noisy = np.rint(noisy / np.float32(windows.step)) * np.float32(windows.step)
    recorded: Floats = (noisy - windows.clean).astype(np.float32)
    return recorded


def _as_picture(windows: Floats) -> Floats:
    """N×C×32×32 → 32N×32×C."""
    return np.ascontiguousarray(windows.transpose(0, 2, 3, 1)).reshape(-1, WINDOW, windows.shape[1])


def _correlation_error(real: Floats, fake: Floats) -> float:
    index = np.ix_(*[np.arange(-LAGS, LAGS + 1) % WINDOW] * 2)
    errors = [correlations(standardised(x), 0.0)[index] for x in (real, fake)]
    return float(np.sqrt(np.mean((errors[0] - errors[1]) ** 2)))


def standardised(noise: Floats) -> Floats:
    """Noise of no mean and unit variance per channel."""
    mean, deviation = (f((0, 2, 3), keepdims=True) for f in (noise.mean, noise.std))
    scaled: Floats = (noise - mean) / np.maximum(deviation, 1e-9)
    return scaled
