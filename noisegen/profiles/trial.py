"""A profile tried on its references' own clean: generated beside measured noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from noisegen.model.classical import shape_field
from noisegen.model.config import KERNEL, WINDOW
from noisegen.model.content_network import ContentNetwork
from noisegen.model.workers import single_threaded_pool
from noisegen.noise.arrays import Floats
from noisegen.noise.content import SURROUND
from noisegen.noise.drawn_stripes import stripes_of
from noisegen.noise.field import field_key, gaussian_field
from noisegen.noise.metrics import kl_divergence, levels, sigma_error
from noisegen.noise.spectrum import correlations
from noisegen.noise.statistics import LAGS, NoiseStatistics
from noisegen.noise.windows import Windows
from noisegen.profiles.quality import ProfileQuality
from noisegen.profiles.tensors import statistics_tensors

APART = 4 * WINDOW
"""Rows of the field between one window's draw and the next."""

LEVELS = 32
"""Places, by quantiles of intensity, that levels are compared at."""

FEWEST = 512
"""Pixels of a place that tell its level."""

LEAST_LEVEL = 0.25
"""In steps of the quantisation: noiseless places compare as equal, not as infinitely far."""


@dataclass(frozen=True)
class Trial:
    """Measured and generated noise on the same windows.

    Attributes:
        windows: the references' clean and residual, N×C×32×32 in units of the white level.
        fake: generated residual, clipped and rounded like the real one.
    """

    windows: Windows
    fake: Floats

    def quality(self, estimated: float, pixels: float) -> ProfileQuality:
        """Distances of generated from measured noise.

        Args:
            estimated: share of the noise's power that no residual shows.
            pixels: share of the references' pixels that the profile rests on.
        """
        real = self.windows.residual
        seen = self.windows.clean[self.windows.unclipped]
        darkest, brightest = np.quantile(seen, (0.005, 0.995)) if seen.size else (0.0, 0.0)
        return ProfileQuality(
            sigma=sigma_error(_as_picture(real), _as_picture(self.fake)),
            level=self._level_error(),
            kld=abs(kl_divergence(_as_picture(real), _as_picture(self.fake))),
            correlation=_correlation_error(real, self.fake),
            stripes=max(_stripe_error(real, self.fake, axis) for axis in (2, 3)),
            estimated=estimated,
            pixels=pixels,
            darkest=float(darkest),
            brightest=float(brightest),
        )

    def _level_error(self) -> float:
        least = LEAST_LEVEL * np.maximum(self.windows.recording.step, 1e-6)
        errors, pixels = [], []
        for c in range(self.fake.shape[1]):
            clean = self.windows.clean[:, c].ravel()
            places = max(1, min(LEVELS, clean.size // (2 * FEWEST)))
            edges = np.unique(np.quantile(clean, np.linspace(0, 1, places + 1)))
            place = np.searchsorted(edges[1:-1], clean, side="right")
            count = np.bincount(place, minlength=max(len(edges) - 1, 1))
            sides = [
                levels(noise[:, c].ravel(), place, count)
                for noise in (self.windows.residual, self.fake)
            ]
            ratio = np.log2(np.maximum(sides[1], least[c]) / np.maximum(sides[0], least[c]))
            seen = count >= FEWEST
            errors.append(ratio[seen] ** 2)
            pixels.append(count[seen])
        weights = np.concatenate(pixels)
        if not weights.sum():
            return 0.0
        return float(np.sqrt((np.concatenate(errors) * weights).sum() / weights.sum()))


def draw_measured(
    measured: NoiseStatistics, windows: Windows, network: ContentNetwork | None, key: str = "trial"
) -> Floats:
    """Noise of the measured model on windows' clean, as their instrument records it.

    Args:
        measured: the model.
        windows: whose clean and places count; N×C×32×32.
        network: of the learned content, where that may count; on the CPU.
        key: of the field that is drawn from; always the same for the same key.
    """
    statistics = statistics_tensors(measured, windows.clean.shape[1])
    counts = network if measured.features.any() else None
    around = ((0, 0), (0, 0), (SURROUND, SURROUND), (SURROUND, SURROUND))
    clean = torch.from_numpy(np.pad(windows.clean, around, mode="reflect"))
    side = WINDOW + KERNEL - 1
    noise = np.empty_like(windows.clean)

    def draw(index: int) -> None:
        top = index * APART + SURROUND
        field = gaussian_field(field_key(0, key, 0), top, SURROUND, side, side, len(measured.sigma))
        white = torch.from_numpy(field[None])
        with torch.inference_mode():
            shaped = shape_field(white, clean[index : index + 1], statistics, network=counts)
        noise[index] = shaped.noise[0].numpy()

    with single_threaded_pool() as workers:
        list(workers.map(draw, range(len(windows))))
    return as_recorded(noise + _stripes(measured, windows, key), windows)


def as_recorded(noise: Floats, windows: Windows) -> Floats:
    """Noise as the references' files would hold it: clipped, and rounded to their steps."""
    noisy = windows.recording.record(windows.clean + noise, channel_axis=1)
    return np.asarray((noisy - windows.clean).astype(np.float32))


def standardised(noise: Floats) -> Floats:
    """Noise of no mean and unit variance per channel."""
    mean, deviation = (f((0, 2, 3), keepdims=True) for f in (noise.mean, noise.std))
    return np.asarray((noise - mean) / np.maximum(deviation, 1e-9))


def _stripes(measured: NoiseStatistics, windows: Windows, key: str) -> Floats:
    """N×C×32×32, offsets of rows and columns where the windows lie in their pictures."""
    offsets = np.zeros_like(windows.clean)
    if measured.stripes.any():
        for index, (picture, row, column) in enumerate(windows.places.tolist()):
            corner = row * WINDOW, column * WINDOW
            clean = windows.clean[index].transpose(1, 2, 0)
            found = stripes_of(measured, field_key(0, key, picture), corner, clean)
            if found is not None:
                offsets[index] = found.transpose(2, 0, 1)
    return offsets


def _as_picture(windows: Floats) -> Floats:
    """N×C×32×32 → 32N×32×C."""
    return np.ascontiguousarray(windows.transpose(0, 2, 3, 1)).reshape(-1, WINDOW, windows.shape[1])


def _correlation_error(real: Floats, fake: Floats) -> float:
    index = np.ix_(*[np.arange(-LAGS, LAGS + 1) % WINDOW] * 2)
    errors = [correlations(standardised(x))[index] for x in (real, fake)]
    return float(np.sqrt(np.mean((errors[0] - errors[1]) ** 2)))


def _stripe_error(real: Floats, fake: Floats, axis: int) -> float:
    """Relative error of the standard deviation that lines' means have within windows."""
    sides = [noise.mean(axis).std(-1).mean() for noise in (real, fake)]
    return abs(float(sides[1] / max(sides[0], 1e-9)) - 1)
