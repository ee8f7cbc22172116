"""What is known of cameras in general, and what it says of one that was seen in part.

Noise grows with the signal in a way that shot noise, read noise and tone curve decide. Curves of
many drawn cameras are at hand: a Gaussian around those that are nearest to what a reference shows
gives the rest of its curves. Beside it stands a random walk that knows no camera and holds what was
seen, for instruments that are none of these: whichever had better foretold what is seen counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
import torch

from noisegen.noise.arrays import Doubles
from noisegen.noise.curves import NARROWEST

INTENSITIES = np.concatenate(
    [[0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.27], np.linspace(0.35, 0.83, 7), [0.9, 0.95, 0.98, 1]]
)
"""Where the cameras' curves are given, of white: closer at the ends, where noise is clipped."""

FAINT_LEVEL = 0.05 / 255
"""Added to a level before its logarithm is taken: what is far below is as good as none."""

KERNEL = 0.1
"""Distance of curves at which drawn cameras count as near, beside the error of what is seen."""

NEAREST = 300
"""Drawn cameras that the Gaussian is fitted around."""

INDEPENDENT = 0.1
"""Share of the Gaussian's covariance that only its diagonal is kept of."""

OF_ALL = 0.02
"""Share of all cameras' covariance that is added to it."""

UNLIKELY = 0.05
"""Probability, before it is seen, that an instrument is of no drawn camera's kind."""


class Kind(Enum):
    """Kinds of a reference's clean: what its curves stand against."""

    PAIR = auto()
    """Given: free of noise, or a mean of clipped shots."""
    BURST = auto()
    """The mean of its own clipped shots: the curves stand where the noise is centred."""
    LONE = auto()
    """Estimated: the same."""


@dataclass(frozen=True)
class Cameras:
    """Drawn cameras as vectors of C channels and G intensities, d = C·G.

    Attributes:
        rows: N×d, logarithms of levels.
        covariance: d×d, of all of them.
        start: d, where the random walk starts.
        walk: d×d, its covariance.
    """

    rows: Doubles
    covariance: Doubles
    start: Doubles
    walk: Doubles

    @classmethod
    def of(cls, curves: Doubles, kind: Kind) -> Cameras:
        """Make it of mean and level before clipping, N×2×C×G, around cleans free of noise."""
        if kind is Kind.PAIR:
            curves = np.concatenate([curves, around_means(curves)])
        else:
            curves = around_centres(curves)
        rows = np.log(curves[:, 1] + FAINT_LEVEL).reshape(len(curves), -1)
        return cls(rows, np.cov(rows.T), *_random_walk(rows))


def around_means(curves: Doubles) -> Doubles:
    """Mean and level, N×2×C×G, of the same noise around the mean of many clipped shots."""
    mean, level = curves[:, 0], np.maximum(curves[:, 1], 1e-9)
    centre = INTENSITIES + mean
    ends = (-centre / level, (1 - centre) / level)
    density = [np.exp(-0.5 * end**2) / np.sqrt(2 * np.pi) for end in ends]
    below, above = (torch.special.ndtr(torch.from_numpy(end)).numpy() for end in ends)
    shown = centre * (above - below) + level * (density[0] - density[1]) + 1 - above
    return _read_again(np.stack([centre - shown, level], 1), shown)


def around_centres(curves: Doubles) -> Doubles:
    """Mean and level, N×2×C×G, against where the noise is centred, off the clean by its mean."""
    return _read_again(curves, INTENSITIES + curves[:, 0])


def _read_again(curves: Doubles, at: Doubles) -> Doubles:
    """Curves, N×2×C×G, that stand at other intensities, N×C×G, read at INTENSITIES."""
    rising = np.maximum.accumulate(at, -1) + NARROWEST * np.arange(at.shape[-1])
    read = np.empty_like(curves)
    for n, k, c in np.ndindex(curves.shape[:3]):
        read[n, k, c] = np.interp(INTENSITIES, rising[n, c], curves[n, k, c])
    return read


def _random_walk(rows: Doubles) -> tuple[Doubles, Doubles]:
    """Mean and covariance of curves that start anywhere and go on from there by chance."""
    count = len(INTENSITIES)
    curves = rows.reshape(len(rows), -1, count)
    covariance = np.zeros((rows.shape[1],) * 2)
    for c in range(curves.shape[1]):
        steps = (np.diff(curves[:, c], axis=1) ** 2).mean(0)
        along = np.tril(np.ones((count, count))) * np.append(4 * curves[:, c].var(), steps)
        block = slice(c * count, (c + 1) * count)
        covariance[block, block] = along @ np.tril(np.ones((count, count))).T
    return np.repeat(curves.mean((0, 2)), count), covariance


@dataclass(frozen=True)
class Observed:
    """Observation of a camera's vector: values = reading · vector + error.

    Attributes:
        reading: m×d.
        values: m.
        error: m×m, the error's covariance.
    """

    reading: Doubles
    values: Doubles
    error: Doubles


def posterior(cameras: Cameras, seen: Observed) -> tuple[Doubles, Doubles]:
    """Mean and variance of a camera's whole vector, d each, given what is seen of it."""
    own = np.diag(seen.error) + KERNEL**2
    distance = ((cameras.rows @ seen.reading.T - seen.values) ** 2 / own).mean(1)
    near = np.argsort(distance, kind="stable")[:NEAREST]
    weight = np.exp(-0.5 * (distance[near] - distance[near[0]]))
    weight /= weight.sum()
    centre = weight @ cameras.rows[near]
    spread = cameras.rows[near] - centre
    covariance = (spread * weight[:, None]).T @ spread
    covariance += INDEPENDENT * (np.diag(np.diag(covariance)) - covariance)
    camera = _given(centre, covariance + OF_ALL * cameras.covariance, seen)
    walk = _given(cameras.start, cameras.walk, seen)
    odds = np.log(UNLIKELY / (1 - UNLIKELY)) + walk.evidence - camera.evidence
    share = float(1 / (1 + np.exp(-np.clip(odds, -50, 50))))
    mean = (1 - share) * camera.mean + share * walk.mean
    apart = share * (1 - share) * (camera.mean - walk.mean) ** 2
    return mean, (1 - share) * camera.variance + share * walk.variance + apart


@dataclass(frozen=True)
class _Given:
    """A Gaussian given what is seen: mean and variance, and how well it had foretold that."""

    mean: Doubles
    variance: Doubles
    evidence: float


def _given(centre: Doubles, covariance: Doubles, seen: Observed) -> _Given:
    """Rasmussen and Williams, *Gaussian processes for machine learning*, 2006, Eq. A.6."""
    across = covariance @ seen.reading.T
    total = seen.reading @ across + seen.error
    missed = seen.values - seen.reading @ centre
    solved = np.linalg.solve(total, np.column_stack([missed, across.T]))
    variance = np.diag(covariance) - np.einsum("dm,md->d", across, solved[:, 1:])
    evidence = -0.5 * (missed @ solved[:, 0] + np.linalg.slogdet(total)[1])
    return _Given(centre + across @ solved[:, 0], variance, float(evidence))
