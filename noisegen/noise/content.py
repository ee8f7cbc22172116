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

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from noisegen.model.config import ACTIVITY_NODES, BESIDE_MAPS
from noisegen.model.content_network import ContentNetwork
from noisegen.model.surroundings import Surroundings
from noisegen.model.workers import of_each_channel, single_threaded_pool
from noisegen.noise.arrays import Doubles, Floats
from noisegen.noise.censoring import read_level
from noisegen.noise.gamma_fit import (
    FARTHEST,
    LARGEST,
    Begun,
    GammaFit,
    likelihood_gain,
    log_factors,
)
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


@dataclass(frozen=True)
class Usual:
    """Prior of the factor by activity, over cameras: what pulls a fit where few pixels are seen.

    Attributes:
        mean: ACTIVITY_NODES, natural logarithm of the factor on the variance.
        covariance: ACTIVITY_NODES×ACTIVITY_NODES, over cameras.
        pixels: that it weighs as much as, where it varies by a factor of e.
    """

    mean: Doubles
    covariance: Doubles
    pixels: float = KNOWN

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
        return np.asarray(self.pixels * np.linalg.inv(self.covariance + own))


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

    @classmethod
    def of(cls, rows: list[Doubles], reach: Doubles, features: Doubles, usual: Doubles) -> Content:
        """By each channel's coefficients: of activities, the other channels, and maybe maps."""
        # At an activity that is hardly seen, anything fits.
        activity = np.stack([row[:ACTIVITY_NODES].clip(-FARTHEST, FARTHEST) for row in rows])
        others = slice(ACTIVITY_NODES, ACTIVITY_NODES + len(rows) - 1)
        colour = np.stack([np.insert(row[others], c, 0) for c, row in enumerate(rows)])
        return cls(activity, colour, reach, features, usual)

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


def fit_content(
    noise: Floats,
    sample: Sample,
    level: Doubles,
    network: ContentNetwork | None = None,
    known: Usual | None = None,
) -> tuple[Content, Doubles, Floats]:
    """Fits the level against intensity and content in turn.

    Args:
        noise: N×C×h×w, less its mean.
        sample: that it is of.
        level: C×n, against intensity alone, to start from.
        network: whose maps it may follow too.
        known: of cameras; nothing where it is not given.

    Returns:
        What it follows; its curve against intensity, C×n, where all factors are 1; and natural
        logarithms of the factors on the variance, N×C×h×w.
    """
    clean, channels = sample.clean, range(noise.shape[1])
    part = slice(None, None, -(-noise[:, 0].size // JUDGED))
    reach = np.array([[_reach(clean[part], c, d) for d in channels] for c in channels])
    pull, to = _pull(len(channels), known or Usual.unknown())
    fits = [
        GammaFit(noise[:, c].astype(np.float64) ** 2, sample.cells.channel(c), (design,), pull, to)
        for c, design in enumerate(_designs(clean, reach))
    ]
    few = [fit.where(part) for fit in fits]
    begun = _each(few, lambda c, fit: fit.begin(level[c : c + 1]))
    maps = None
    if network is not None and len(few[0].square) >= FEWEST_WINDOWS:
        usual = read_level(level, sample.position)
        tried = _Maps.of(network, clean[part], usual[part])
        wider = tried.beside(few)
        black = sample.windows.where(np.arange(len(noise))[part]).chessboard()
        if _gain(few, wider, begun, black) > LEAST_GAIN:
            begun = _each(wider, lambda c, fit: fit.begin(begun[c].level))
            maps = tried if part.step == 1 else _Maps.of(network, clean, usual)
            fits = maps.beside(fits)
    # What a part of the windows has begun, all of them finish.
    found = begun if part.step == 1 else _each(fits, lambda c, fit: fit.finish(begun[c]))
    rows, fitted = [fit.row for fit in found], np.concatenate([fit.level for fit in found])
    plain = [log_factors(fits[c].design[:1], rows[c][: len(to)]) for c in channels]
    follows = np.stack(plain, 1)
    features = np.zeros((len(rows), BESIDE_MAPS + (network.config.features if network else 0)))
    if maps is not None:
        features, learned = maps.counted(rows)
        follows += learned
    followed = np.asarray(follows.clip(-LARGEST, LARGEST), np.float32)
    return Content.of(rows, reach, features, level), fitted, followed


def _each(fits: list[GammaFit], work: Callable[[int, GammaFit], Begun]) -> list[Begun]:
    """Do some work on each channel's fit."""
    return of_each_channel(lambda c: work(c, fits[c]), len(fits), fits[0].square.size)


def _gain(
    plain: list[GammaFit], wider: list[GammaFit], begun: list[Begun], black: NDArray[np.bool_]
) -> float:
    """What maps gain on windows left out; a pixel of all channels."""

    def gain(c: int) -> Doubles:
        return likelihood_gain(plain[c], wider[c], begun[c].level, black)

    return float(np.mean(of_each_channel(gain, len(plain), plain[0].square.size)))


@dataclass(frozen=True)
class _Maps:
    """The network's maps of windows, for regressions of their noise; C channels.

    Attributes:
        maps: N×C×K×h×w, less their means.
        usually: C×K, those means.
        pull: K, pixels that a change by a factor of e by one map weighs as much as.
    """

    maps: Floats
    usually: Doubles
    pull: Doubles

    @classmethod
    def of(cls, network: ContentNetwork, clean: Floats, usual: Floats) -> _Maps:
        """Have a network look at windows, as :func:`window_maps` does."""
        maps = window_maps(network, clean, usual)
        usually = maps.mean((0, 3, 4), dtype=np.float64)
        maps -= usually[..., None, None].astype(np.float32)
        return cls(maps, usually, np.exp(network.log_pull.double().numpy()))

    def beside(self, fits: list[GammaFit]) -> list[GammaFit]:
        """Add them to each channel's regression."""
        return [fit.beside(self.maps[:, c], self.pull) for c, fit in enumerate(fits)]

    def counted(self, rows: list[Doubles]) -> tuple[Doubles, Doubles]:
        """C×(K + 3) of a profile by regressions' coefficients, and what follows, N×C×h×w."""
        numbers = np.stack([row[-self.maps.shape[2] :] for row in rows])
        added = -(numbers * self.usually).sum(1, keepdims=True)
        together = np.einsum("nckhw,ck->nchw", self.maps, numbers)
        ends = np.quantile(together, (SELDOM, 1 - SELDOM), axis=(0, 2, 3)).T
        least, most = ends.T[..., None, None]
        return np.concatenate([numbers, added, ends], 1), together.clip(least, most)


def window_maps(network: ContentNetwork, clean: Floats, usual: Floats) -> Floats:
    """The network's maps of windows, N×C×K×h×w.

    Args:
        network: on the CPU.
        clean: N×C×h×w, each window mirrored at its borders.
        usual: N×C×h×w, level that is usual at the clean's intensity.
    """
    inner = slice(SURROUND, -SURROUND)
    count, channels, height, width = clean.shape
    maps = np.empty((count, channels, network.config.features, height, width), np.float32)

    def look(first: int) -> None:
        planes = [torch.from_numpy(x[first : first + AT_ONCE].copy()) for x in (clean, usual)]
        wide, level = (F.pad(p, (SURROUND,) * 4, mode="reflect") for p in planes)
        with torch.inference_mode():
            seen = network(wide, Surroundings.of(wide), level)[..., inner, inner]
        maps[first : first + AT_ONCE] = seen.numpy()

    with single_threaded_pool() as workers:
        list(workers.map(look, range(0, count, AT_ONCE)))
    return maps


def _reach(clean: Floats, channel: int, other: int) -> Doubles:
    reach: Doubles = np.quantile(clean[:, other] - clean[:, channel], (SELDOM, 1 - SELDOM))
    return reach


def _designs(clean: Floats, reach: Doubles) -> list[Floats]:
    """Regressors of each channel's log variance, N×(ACTIVITY_NODES + C − 1)×h×w.

    Args:
        clean: N×C×h×w.
        reach: C×C×2, of the differences between channels.
    """
    active = Surroundings.of(torch.from_numpy(clean)).position[:, 0].numpy()
    nodes = np.arange(ACTIVITY_NODES, dtype=np.float32)
    place = active.clip(0, ACTIVITY_NODES - 1)[:, None]
    hats = np.maximum(1 - np.abs(place - nodes[:, None, None]), 0)

    def of(c: int) -> Floats:
        others = [d for d in range(clean.shape[1]) if d != c]
        differences = [(clean[:, [d]] - clean[:, [c]]).clip(*reach[c][d]) for d in others]
        return np.concatenate([hats, *differences], 1, dtype=np.float32)

    return of_each_channel(of, len(reach), clean[:, 0].size)


def _pull(channels: int, known: Usual) -> tuple[Doubles, Doubles]:
    """Pull of activities and colours, (K, K), and to what, K; colours for their usual size."""
    others = channels - 1
    pull = np.diag(np.repeat([0.0, FAINT * FAINTER], [ACTIVITY_NODES, others]))
    pull[:ACTIVITY_NODES, :ACTIVITY_NODES] = known.pull()
    return pull, np.concatenate([known.mean, np.zeros(others)])
