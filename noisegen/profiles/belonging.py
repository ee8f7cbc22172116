"""References that do not belong together: their noises lie further apart than the halves of each.

Every reference is halved, and each half measured alone. What the two halves of one reference
differ by is the spread that chance and the scene make; references of one setting lie about as far
apart. The measured level says how strong the noise is, the correlations and the local half of the
prompt how it is grained. The global half is left out: it shows the scene, and hardly the strength.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from noisegen.model.weights import Weights
from noisegen.noise.arrays import Doubles
from noisegen.noise.intensities import EVEN, read_at
from noisegen.noise.statistics import LAGS, NoiseStatistics, measure
from noisegen.noise.windows import Windows, spread_evenly
from noisegen.profiles.tensors import encode_locally
from noisegen.references.windows import CutReference, CutReferences

MOST_COMPARED = 32
"""References that are compared with each other, spread evenly over all: the rest is only looked at
where these fall apart, so that a long stack costs no more than a short one."""

MOST_WINDOWS = 128
"""Windows that are looked at of a reference (0.13 Mpx)."""

FEWEST_WINDOWS = 8
"""Windows of a reference below which it says too little to be told apart."""

NEAR = 3
"""Autocorrelation is compared within ±NEAR pixels."""

SHOWN = 4
"""Names of a group that a message lists."""

QUIETEST = 1 / 3 / 255
"""Level, of the white level, below which all noise is alike: a third of a step of 8 bits."""

LARGEST_DISTANCE = 3.0
"""Distance beyond which references do not belong together, in spreads within one."""

ESTIMATED = 1.35
"""Times a spread where a clean was estimated: what it lacks differs from scene to scene."""


FLOOR = np.array([0.2, 0.3, 0.12, 0.2]) ** 2
"""Spread of :func:`difference` that references of one setting have even where their halves agree,
by another scene or another day: W2S's level and PolyU's grain decided."""


@dataclass(frozen=True)
class Belonging:
    """Which references are of one setting.

    Attributes:
        groups: places of the references, by the first of each group; one or more.
        sigmas: overall standard deviation of each group, in units of the white level.
        distance: between the two nearest groups, in spreads within one; 0 for a single group.
    """

    groups: tuple[tuple[int, ...], ...]
    sigmas: tuple[float, ...]
    distance: float = 0.0


@dataclass(frozen=True)
class Traits:
    """Traits of windows' noise that tell settings apart; C channels.

    Attributes:
        level: C×16, log₂ of the level against intensity.
        pixels: C×16, share of the pixels at an intensity.
        autocorrelation: C×7×7.
        colour: C×C.
        tokens: local half of the prompt, L×D.
    """

    level: Doubles
    pixels: Doubles
    autocorrelation: Doubles
    colour: Doubles
    tokens: Doubles


@dataclass(frozen=True)
class _Seen:
    """A reference's two halves, and how far they differ."""

    halves: tuple[Traits, Traits]
    spread: Doubles
    estimated: bool


def belonging(cut: CutReferences, weights: Weights) -> Belonging:
    """Groups references by how far their noises are apart; nothing is measured of a single one.

    Average linkage: the two nearest groups become one until they lie too far apart. A reference of
    too few windows goes with the largest group.

    Args:
        cut: one or more references.
        weights: whose encoder makes the prompts.
    """
    telling = [i for i, each in enumerate(cut.each) if len(each.windows) >= FEWEST_WINDOWS]
    if len(telling) < 2:
        return _of([list(range(len(cut.each)))], cut, 0.0)
    compared = [telling[i] for i in spread_evenly(len(telling), MOST_COMPARED)]
    seen = {place: _seen(cut.each[place].windows, weights) for place in compared}
    groups, nearest = _linked(compared, seen)
    rest = [place for place in range(len(cut.each)) if place not in seen]
    if len(groups) == 1:
        groups[0].extend(rest)
        return _of(groups, cut, 0.0)
    largest = max(groups, key=len)
    found = [list(group) for group in groups]
    for place in rest:
        if place in telling:
            one = _seen(cut.each[place].windows, weights)
            apart = [np.mean([_apart(one, seen[other]) for other in group]) for group in found]
            groups[int(np.argmin(apart))].append(place)
        else:
            largest.append(place)
    return _of(groups, cut, nearest)


def doubt(cut: CutReferences, found: Belonging) -> str | None:
    """Warning about references that fall into several groups, one line; None for one group."""
    if len(found.groups) == 1:
        return None
    named = " | ".join(_names([cut.each[place] for place in group]) for group in found.groups)
    sigmas = " against ".join(f"{255 * sigma:.1f}" for sigma in found.sigmas)
    return (
        f"these references do not seem to be of one setting: {named} (σ {sigmas} of 255, distance "
        f"{found.distance:.1f} times the spread within one); make a profile each with noisegen "
        "profile create --split"
    )


def traits(windows: Windows, weights: Weights) -> Traits:
    """Measure and encode windows by themselves."""
    shown = measure(windows)
    near = slice(LAGS - NEAR, LAGS + NEAR + 1)
    return Traits(
        level=np.log2(np.maximum(read_at(shown.level, shown, EVEN), QUIETEST)),
        pixels=_even_pixels(shown),
        autocorrelation=shown.autocorrelation[:, near, near].astype(np.float64),
        colour=shown.colour_correlation.astype(np.float64),
        tokens=encode_locally(windows, shown, weights),
    )


def _even_pixels(shown: NoiseStatistics) -> Doubles:
    """C×16, share of the pixels nearest to each even intensity."""
    place = np.rint(shown.nodes.clip(0, 1) * (len(EVEN) - 1)).astype(int)
    return np.stack(
        [np.bincount(p, w, len(EVEN)) for p, w in zip(place, shown.pixels, strict=True)]
    )


def difference(one: Traits, other: Traits) -> Doubles:
    """Distance of two references, trait by trait.

    Returns:
        4: mean squared log₂ ratio of the levels, over intensities that both show; summed squared
        difference of autocorrelation within 3 px, each lag once; mean squared difference of the
        correlation between channels; the same of the local prompt's tokens.
    """
    shared = np.minimum(one.pixels, other.pixels)
    ratio = (one.level - other.level) ** 2
    lags = (one.autocorrelation - other.autocorrelation) ** 2
    tokens = (one.tokens - other.tokens) ** 2
    level = (shared * ratio).sum() / max(shared.sum(), 1e-9)
    # The other half of the lags is the same again.
    grain, colour = lags.sum((1, 2)).mean() / 2, ((one.colour - other.colour) ** 2).mean()
    return np.array([level, grain, colour, tokens.mean() if tokens.size else 0.0])


def _names(group: Sequence[CutReference]) -> str:
    shown = ", ".join(each.name for each in group[:SHOWN])
    return shown if len(group) <= SHOWN else f"{shown} and {len(group) - SHOWN} more"


def _linked(places: Sequence[int], seen: dict[int, _Seen]) -> tuple[list[list[int]], float]:
    """Groups, and the distance between the nearest two of them; 0 for a single one."""
    apart = {}
    for one, other in combinations(places, 2):
        apart[one, other] = apart[other, one] = _apart(seen[other], seen[one])
    groups = [[place] for place in places]
    while len(groups) > 1:
        distance, i, j = min(
            (float(np.mean([apart[pair] for pair in product(groups[i], groups[j])])), i, j)
            for i, j in combinations(range(len(groups)), 2)
        )
        if distance > LARGEST_DISTANCE:
            return groups, distance
        groups[i] += groups.pop(j)
    return groups, 0.0


def _of(groups: Sequence[list[int]], cut: CutReferences, nearest: float) -> Belonging:
    ordered = sorted(tuple(sorted(group)) for group in groups)
    sigmas = []
    for group in ordered:
        residuals = [cut.each[place].windows.residual for place in group]
        power = sum(float((r.astype(np.float64) ** 2).sum()) for r in residuals)
        sigmas.append(float(np.sqrt(power / sum(r.size for r in residuals))))
    return Belonging(tuple(ordered), tuple(sigmas), nearest)


def _seen(windows: Windows, weights: Weights) -> _Seen:
    """A reference's upper and lower half: of different parts of the scene."""
    taken = windows.take(MOST_WINDOWS)
    middle = len(taken) // 2
    upper, lower = (
        traits(taken.where(np.arange(*span)), weights)
        for span in ((0, middle), (middle, len(taken)))
    )
    return _Seen((upper, lower), difference(upper, lower), windows.estimated)


def _apart(one: _Seen, other: _Seen) -> float:
    """Distance of two references, in spreads within one."""
    between = np.mean([difference(a, b) for a in one.halves for b in other.halves], 0)
    within = (one.spread + other.spread) / 2
    total = (between / (FLOOR + within)).sum()
    wider = ESTIMATED if one.estimated or other.estimated else 1.0
    return float(np.sqrt(total)) / wider
