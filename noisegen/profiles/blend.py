"""A camera between cameras: a weighted mix of noise profiles, and a sweep from one to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisegen.errors import ProfileError, UsageError
from noisegen.model.config import MARGINALS
from noisegen.noise.arrays import Doubles
from noisegen.noise.curves import NARROWEST
from noisegen.noise.intensities import level_at, read_at
from noisegen.noise.marginal import unit_variance
from noisegen.noise.record import Recording, widest
from noisegen.noise.spectrum import colouring_kernel, field_correlation
from noisegen.noise.statistics import NoiseStatistics
from noisegen.profiles.profile import NoiseProfile
from noisegen.profiles.profile_check import LONGEST_NAME, safe_name

ALIKE = ("channels", "gray", "white_level", "dtype", "weights_sha256", "maps")
"""What profiles must have in common to be mixed."""

HALF_A_NAME = LONGEST_NAME // 2 - 8
"""Characters of each end's name in that of a sweep's step."""


def blend(profiles: Sequence[NoiseProfile], shares: Sequence[float], name: str) -> NoiseProfile:
    """The profile of a camera between others.

    Variances are mixed, not levels: those of photons and of amplifiers grow linearly with gain, so
    a mix of two ISO settings is a setting between, and its σ grows with the louder one's share on
    every picture. Grain and colour are mixed as the noises' powers, marginals as quantiles.

    Args:
        profiles: one or more, alike in channels, depth, white level and weights.
        shares: of each, positive or 0; only their ratios count.
        name: of the mix.

    Raises:
        ProfileError: the profiles are not alike.
        UsageError: the shares are not what they should be.
    """
    total = float(sum(shares))
    if len(shares) != len(profiles) or min(shares, default=-1) < 0 or not 0 < total < np.inf:
        raise UsageError(f"{name}: shares must be 0 or more, one a profile, and not all 0")
    _refuse_unlike(profiles)
    kept = [profile for profile, share in zip(profiles, shares, strict=True) if share > 0]
    if len(kept) == 1:
        return replace(kept[0], name=safe_name(name))
    weights = np.array([share / total for share in shares if share > 0])
    said: dict[str, Any] = {
        what: tuple(dict.fromkeys(entry for p in kept for entry in getattr(p, what)))
        for what in ("references", "repairs", "warnings")
    }
    blended = replace(kept[0], name=safe_name(name), kind="blend", quality=None, **said)
    return replace(
        blended,
        pixels=sum(p.pixels for p in kept),
        tokens=_mean([p.tokens for p in kept], weights).astype(np.float32),
        measured=_statistics([p.measured for p in kept], weights),
        recording=_finest([p.recording for p in kept]),
        white_level_given=any(p.white_level_given for p in kept),
        lowest=min(p.lowest for p in kept),
    )


def _refuse_unlike(profiles: Sequence[NoiseProfile]) -> None:
    first = profiles[0]
    way_out = {
        "white_level": ": make both again with the one white level that their camera has",
        "weights_sha256": ": make both again with the same --weights",
        "channels": ": mix gray with gray and RGB with RGB",
    }
    for profile in profiles[1:]:
        for what in ALIKE:
            mine, other = getattr(first, what), getattr(profile, what)
            if mine != other:
                raise ProfileError(
                    f"{profile.name}: its {what} is {other}, that of {first.name} is {mine}; "
                    f"only profiles alike in this can be mixed{way_out.get(what, '')}"
                )


def sweep(low: NoiseProfile, high: NoiseProfile, steps: int) -> list[NoiseProfile]:
    """Profiles from one to the other, both included, their σ in equal ratios.

    Args:
        low: one setting of a camera.
        high: another, as of a higher ISO.
        steps: profiles, 2 or more.

    Raises:
        ProfileError: as for :func:`blend`, or the two are equally loud.
    """
    start, end = (float((p.sigma.astype(np.float64) ** 2).mean()) for p in (low, high))
    if steps < 2 or np.isclose(start, end, rtol=1e-3):
        raise ProfileError(
            f"{high.name}: a sweep needs two steps or more, and profiles of different strength"
        )
    profiles = []
    for step, target in enumerate(np.geomspace(start, end, steps)):
        share = float((target - start) / (end - start))
        share = 0.0 if step == 0 else 1.0 if step == steps - 1 else share
        name = f"{low.name[:HALF_A_NAME]}-{high.name[:HALF_A_NAME]}-{step + 1:02d}"
        profiles.append(blend([low, high], [1 - share, share], name))
    return profiles


def _statistics(parts: Sequence[NoiseStatistics], shares: Doubles) -> NoiseStatistics:
    def each(name: str) -> list[NDArray[np.float32]]:
        return [getattr(part, name) for part in parts]

    nodes = _nodes(parts)
    mixed = {
        name: _mean(each(name), shares)
        for name in ("activity", "colour", "colour_reach", "features", "stripe_shared")
    }
    for name in ("mean", "coverage", "pixels"):
        mixed[name] = _mean([read_at(getattr(p, name), p, nodes) for p in parts], shares)
    for name in ("level", "usual"):
        mixed[name] = _root([level_at(p, nodes, getattr(p, name)) for p in parts], shares)
    # Pixels are shared among the nodes that they were seen near.
    mixed["pixels"] /= np.maximum(mixed["pixels"].sum(1, keepdims=True), 1e-9)
    at = np.quantile(nodes, np.linspace(0, 1, MARGINALS), axis=1).T
    mixed |= {
        "nodes": nodes,
        "sigma": _root(each("sigma"), shares),
        "marginal_at": at,
        "marginals": unit_variance(_mean([_marginals(p, at) for p in parts], shares)),
        "stripes": _root([_stripes(p, nodes) for p in parts], shares),
        "stripe_kernel": each("stripe_kernel")[int(np.argmax(shares))].astype(np.float64),
    }
    # Of each part, how much of each channel's power is its own, P×C and P×C×C.
    powers = shares[:, None] * np.stack(each("sigma")).astype(np.float64) ** 2
    powers /= np.maximum(powers.sum(0), 1e-300)
    pairs = np.stack([_pairwise(power) for power in powers])
    fields = [
        p * field_correlation(kernel) for p, kernel in zip(pairs, each("kernel"), strict=True)
    ]
    mixed |= {
        "kernel": colouring_kernel(np.sum(fields, axis=0)),
        "autocorrelation": np.einsum("pc,pcyx->cyx", powers, np.stack(each("autocorrelation"))),
        "colour_correlation": np.einsum("pcd,pcd->cd", pairs, np.stack(each("colour_correlation"))),
    }
    return NoiseStatistics(**{name: value.astype(np.float32) for name, value in mixed.items()})


def _nodes(parts: Sequence[NoiseStatistics]) -> Doubles:
    """C×n, of all parts together: every node's neighbours keep their places."""
    joined = np.sort(np.concatenate([part.nodes for part in parts], axis=1), axis=1)
    share = np.linspace(0, 1, parts[0].nodes.shape[1])
    spread = np.stack([np.quantile(row, share) for row in joined])
    return np.maximum.accumulate(spread + NARROWEST * np.arange(spread.shape[1]), axis=1)


def _stripes(part: NoiseStatistics, nodes: Doubles) -> Doubles:
    """Strength of one part's rows and columns at other nodes, C×2×n."""
    return np.stack([read_at(part.stripes[:, axis], part, nodes) for axis in (0, 1)], 1)


def _marginals(part: NoiseStatistics, at: Doubles) -> Doubles:
    """Marginals of one part at other intensities, C×MARGINALS×QUANTILE_NODES."""
    tables = np.empty(part.marginals.shape)
    for c, (of, table) in enumerate(zip(part.marginal_at, part.marginals, strict=True)):
        for q in range(table.shape[1]):
            tables[c, :, q] = np.interp(at[c], of, table[:, q])
    return tables


def _finest(recordings: Sequence[Recording]) -> Recording:
    """Recording of the finest steps, with the ends farthest out."""
    finest = min(recordings, key=lambda recording: float(recording.step.max()))
    return replace(widest(recordings), step=finest.step, origin=finest.origin)


def _pairwise(power: Doubles) -> Doubles:
    """C×C geometric means of the channels' shares: correlations stay possible ones."""
    return np.asarray(np.sqrt(power[:, None] * power[None]))


def _mean(values: Sequence[NDArray[np.floating[Any]]], shares: Doubles) -> Doubles:
    return np.asarray(np.tensordot(shares, np.stack(values).astype(np.float64), 1))


def _root(levels: Sequence[NDArray[np.floating[Any]]], shares: Doubles) -> Doubles:
    """The level of mixed variances."""
    return np.asarray(np.sqrt(_mean([level.astype(np.float64) ** 2 for level in levels], shares)))
