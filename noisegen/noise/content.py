"""How the noise level follows the picture beside intensity: its activity, colour and learned maps.

In-camera denoising leaves more noise on texture, and errors of a reference's clean lie there too.
A sensor's noise depends on the other channels, through colour matrix and demosaicing. What else
cameras follow, the content network's maps show. All are factors on the variance: a log-linear model
of it beside its curve against intensity, fitted to the squared noise as a gamma regression with log
link (McCullagh and Nelder, *Generalized Linear Models*, 1989, Sec. 8.3). The maps count only where
windows that the regression has not seen are likelier with them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from noisegen.model.config import ACTIVITY_NODES, BESIDE_MAPS
from noisegen.model.content_network import ContentNetwork
from noisegen.model.surroundings import Surroundings
from noisegen.model.workers import of_each_channel
from noisegen.noise.arrays import Doubles, Floats
from noisegen.noise.censoring import read_level
from noisegen.noise.gamma_fit import FARTHEST, LARGEST, GammaFit, likelihood_gain, log_factors
from noisegen.noise.sample import Sample

FAINT = 300.0
"""Pixels that a factor of e weighs as much as: what fewer say is not believed."""

KNOWN = 10.0
"""Pixels that what is usual of cameras weighs as much as, where it varies by a factor of e."""

LONELY = 0.01
"""Variance of a camera's coefficient that no other camera foretells."""

JUDGED = 2**19
"""Pixels that tell whether maps count; their numbers are fitted to all."""

SELDOM = 0.005
"""Share of the pixels that may show more than what is held, of a colour or of the learned maps."""

FAINTER = 0.1
"""Of the pull on colours: their differences are far smaller than 1. On PolyU's seen cameras, one
crop the reference, KLD 0.0456 at a tenth of it, 0.0404 so, 0.0391 at ten times, where simulated
cameras lose a hundredth."""

LEAST_GAIN = 0.0
"""Natural logarithm of the likelihood a pixel that maps must gain on windows left out, to count. No
more than that: they bring most where a target shows content that its references do not."""

FEWEST_WINDOWS = 16
"""Windows that can tell whether maps count."""

SURROUND = 8
"""Mirrored pixels around a window, for the network to look at."""

AT_ONCE = 128
"""Windows that the network looks at together."""


Result = TypeVar("Result")


@dataclass(frozen=True)
class Usual:
    """Prior of the factor by activity, over cameras: what pulls a fit where few pixels are seen.

    Attributes:
        mean: ACTIVITY_NODES, natural logarithm of the factor on the variance.
        covariance: ACTIVITY_NODES×ACTIVITY_NODES, over cameras.
    """

    mean: Doubles
    covariance: Doubles

    @classmethod
    def of(cls, activities: Doubles) -> Usual:
        """Estimate it from the activities of many cameras' channels, N×ACTIVITY_NODES."""
        return cls(activities.mean(0), np.cov(activities.T))

    @classmethod
    def unknown(cls) -> Usual:
        """Prior for unknown cameras: no factor, held as firmly as FAINT pixels would."""
        spread = (KNOWN / FAINT - LONELY) * np.eye(ACTIVITY_NODES)
        return cls(np.zeros(ACTIVITY_NODES), spread)

    def pull(self) -> Doubles:
        """Precision of the coefficients, in pixels."""
        own = LONELY * np.eye(ACTIVITY_NODES)
        return np.asarray(KNOWN * np.linalg.inv(self.covariance + own))


@dataclass(frozen=True)
class Content:
    """Factors on the variance by activity, colour and learned maps; C channels.

    Attributes:
        activity: C×ACTIVITY_NODES, natural logarithm of the factor on the variance at an activity.
        colour: C×C, of the same for a unit by which another channel is brighter than this one.
        reach: C×C×2, smallest and largest such difference that was seen: beyond, it is held.
        features: C×(K + 3), of the same for a unit of each learned map, what is added, so that
            all maps together change nothing on average, and the least and the most that they were
            seen to change: beyond, it is held. 0 where they do not count.
        usual: C×n, level against intensity over all content, which the maps are made with.
    """

    activity: Doubles
    colour: Doubles
    reach: Doubles
    features: Doubles
    usual: Doubles

    def log_factor(self, sample: Sample, network: ContentNetwork | None = None) -> Floats:
        """Natural logarithm of the factor on the variance, N×C×h×w, in a sample's windows."""
        clean = sample.clean
        followed = _with_designs(
            clean, self.reach, lambda c, design: log_factors(design, self._row(c))
        )
        factor = np.stack(followed, 1)
        if network is not None and self.features.any():
            usual = read_level(self.usual, sample.position)
            numbers = torch.from_numpy(self.features.astype(np.float32))[None]
            factor += _in_windows(partial(network.log_factor, numbers=numbers), clean, usual)
        return factor.clip(-LARGEST, LARGEST).astype(np.float32)

    @property
    def factors(self) -> dict[str, Doubles]:
        """What ``NoiseStatistics`` holds of it, by its names there."""
        return {
            "usual": self.usual,
            "activity": self.activity,
            "colour": self.colour,
            "colour_reach": self.reach,
            "features": self.features,
        }

    def _row(self, channel: int) -> Doubles:
        return np.concatenate([self.activity[channel], np.delete(self.colour[channel], channel)])


def fit_content(
    noise: Floats,
    sample: Sample,
    level: Doubles,
    network: ContentNetwork | None = None,
    known: Usual | None = None,
) -> tuple[Content, Doubles]:
    """Fits the level against intensity and content in turn.

    Args:
        noise: N×C×h×w, less its mean.
        sample: that it is of.
        level: C×n, against intensity alone, to start from.
        network: whose maps it may follow too.
        known: of cameras; nothing where it is not given.

    Returns:
        What it follows, and its curve against intensity, C×n, where all factors are 1.
    """
    clean, channels, usual = sample.clean, noise.shape[1], level
    part = slice(None, None, -(-noise[:, 0].size // JUDGED))
    reach = np.array(
        [[_reach(clean[part], c, d) for d in range(channels)] for c in range(channels)]
    )
    pull, to = _pull(channels, known or Usual.unknown())
    plain = _with_designs(
        clean,
        reach,
        lambda c, design: GammaFit(
            noise[:, c].astype(np.float64) ** 2, sample.cells.channel(c), design, pull, to
        ),
    )
    found = _alternated(plain, level)
    features = np.zeros((channels, BESIDE_MAPS + (network.config.features if network else 0)))
    if network is not None and len(clean[part]) >= FEWEST_WINDOWS:
        maps = window_maps(network, clean, read_level(usual, sample.position))
        usually = maps.mean((0, 3, 4), keepdims=True, dtype=np.float64).astype(np.float32)
        maps -= usually
        pull_maps = np.exp(network.log_pull.double().numpy())
        wider = [fit.beside(maps[:, c], pull_maps) for c, fit in enumerate(plain)]
        black = sample.windows.where(np.arange(len(noise))[part]).chessboard()
        if _gain(plain, wider, found[1], black, part) > LEAST_GAIN:
            found = _alternated(wider, found[1])
            features = _features(found[0], maps, usually)
    rows, fitted = found
    # At an activity that is hardly seen, anything fits.
    activity = np.stack([row[:ACTIVITY_NODES].clip(-FARTHEST, FARTHEST) for row in rows])
    others = slice(ACTIVITY_NODES, ACTIVITY_NODES + channels - 1)
    colour = np.stack([np.insert(row[others], c, 0) for c, row in enumerate(rows)])
    return Content(activity, colour, reach, features, usual), fitted


def _alternated(fits: list[GammaFit], level: Doubles) -> tuple[list[Doubles], Doubles]:
    """Coefficients of each channel, and the level against intensity, C×n."""

    def alternate(c: int) -> tuple[Doubles, Doubles]:
        return fits[c].alternate(level[c : c + 1])

    rows, fitted = zip(*of_each_channel(alternate, len(fits), fits[0].square.size), strict=True)
    return list(rows), np.concatenate(fitted)


def _gain(
    plain: list[GammaFit],
    wider: list[GammaFit],
    level: Doubles,
    black: NDArray[np.bool_],
    part: slice,
) -> float:
    """What maps gain on windows left out, of a part of all; a pixel of all channels."""

    def gain(c: int) -> Doubles:
        fits = plain[c].where(part), wider[c].where(part)
        return likelihood_gain(*fits, level[c : c + 1], black)

    return float(np.mean(of_each_channel(gain, len(plain), plain[0].square.size)))


def _features(rows: list[Doubles], maps: Floats, usually: Floats) -> Doubles:
    """Numbers of maps that count, what is added, and the ends of all together, C×(K + 3)."""
    numbers = np.stack([row[-maps.shape[2] :] for row in rows])
    added = -(numbers * usually[0, :, :, 0, 0]).sum(1, keepdims=True)
    together = np.einsum("nckhw,ck->cnhw", maps, numbers).reshape(len(rows), -1)
    ends = np.quantile(together, (SELDOM, 1 - SELDOM), axis=1).T
    return np.concatenate([numbers, added, ends], 1)


def window_maps(network: ContentNetwork, clean: Floats, usual: Floats) -> Floats:
    """The network's maps of windows, N×C×K×h×w.

    Args:
        network: on the CPU.
        clean: N×C×h×w, each window mirrored at its borders.
        usual: N×C×h×w, level that is usual at the clean's intensity.
    """
    return _in_windows(network, clean, usual)


def _in_windows(
    look: Callable[[Tensor, Surroundings, Tensor], Tensor], clean: Floats, usual: Floats
) -> Floats:
    """Run a network on windows, AT_ONCE of them at a time."""
    inner = slice(SURROUND, -SURROUND)
    shown = []
    for first in range(0, len(clean), AT_ONCE):
        planes = [torch.from_numpy(x[first : first + AT_ONCE].copy()) for x in (clean, usual)]
        wide, level = (F.pad(p, (SURROUND,) * 4, mode="reflect") for p in planes)
        with torch.inference_mode():
            shown.append(look(wide, Surroundings.of(wide), level)[..., inner, inner].numpy())
    return np.concatenate(shown)


def _reach(clean: Floats, channel: int, other: int) -> Doubles:
    reach: Doubles = np.quantile(clean[:, other] - clean[:, channel], (SELDOM, 1 - SELDOM))
    return reach


def _with_designs(
    clean: Floats, reach: Doubles, work: Callable[[int, Floats], Result]
) -> list[Result]:
    """Do some work with the regressors of each channel's log variance.

    Args:
        clean: N×C×h×w.
        reach: C×C×2, of the differences between channels.
        work: on a channel's number and its regressors, N×h×w×(ACTIVITY_NODES + C − 1).
    """
    active = Surroundings.of(torch.from_numpy(clean)).position[:, 0].numpy()
    nodes = np.arange(ACTIVITY_NODES, dtype=np.float32)
    hats = np.maximum(1 - np.abs(active.clip(0, ACTIVITY_NODES - 1)[..., None] - nodes), 0)

    def of(c: int) -> Result:
        others = [d for d in range(clean.shape[1]) if d != c]
        differences = [(clean[:, d] - clean[:, c]).clip(*reach[c][d])[..., None] for d in others]
        return work(c, np.concatenate([hats, *differences], -1, dtype=np.float32))

    return of_each_channel(of, len(reach), clean[:, 0].size)


def _pull(channels: int, known: Usual) -> tuple[Doubles, Doubles]:
    """Pull of activities and colours, (K, K), and to what, K; colours for their usual size."""
    others = channels - 1
    pull = np.diag(np.repeat([0.0, FAINT * FAINTER], [ACTIVITY_NODES, others]))
    pull[:ACTIVITY_NODES, :ACTIVITY_NODES] = known.pull()
    return pull, np.concatenate([known.mean, np.zeros(others)])
