"""Rows of a table of scores: named ways to put noise on a target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from noisegen.evaluation import baselines
from noisegen.evaluation.comparison import Comparison
from noisegen.evaluation.protocol import Case, Target
from noisegen.images import Pixels
from noisegen.model.weights import Weights
from noisegen.references.create import (
    Measured,
    Reference,
    Repair,
    encode_profile,
    measure_references,
)
from noisegen.references.profile import NoiseProfile
from noisegen.synthesis.synthesizer import Synthesizer

Draw = Callable[[Target, NoiseProfile], Pixels]
"""A target and its case's profile → a noisy picture like the target's clean, H×W×C of its type."""


Fit = Callable[[NoiseProfile, Measured, Weights], NoiseProfile]
"""What is done to an encoded profile with what was measured before it is used."""


def as_encoded(profile: NoiseProfile, _: Measured, __: Weights) -> NoiseProfile:
    """Nothing."""
    return profile


def real_noisy(target: Target, _: NoiseProfile) -> Pixels:
    """The target's own noisy picture."""
    return target.noisy


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        name: of the line.
        weights: that its profiles are made with; rows of several weights may share a table.
        fake: what is scored.
        real: what it is scored against.
        fit: what its profiles are corrected by.
    """

    name: str
    weights: Weights
    fake: Draw
    real: Draw = real_noisy
    fit: Fit = as_encoded


def generated(weights: Weights, device: str = "cpu", variant: int = 0) -> Draw:
    """Noise by a network's weights; another variant is another draw."""
    synthesizer = Synthesizer(weights, device)

    def draw(target: Target, profile: NoiseProfile) -> Pixels:
        return synthesizer.synthesize(
            target.clean,
            profile,
            key=target.name,
            variant=variant,
            white_level=target.white_level,
        )

    return draw


def gaussian_row(weights: Weights) -> Row:
    """White Gaussian noise of the reference's σ."""

    def draw(target: Target, profile: NoiseProfile) -> Pixels:
        return baselines.gaussian(target.clean, profile, target.name, target.white_level)

    return Row("gaussian", weights, draw)


def classical_row(weights: Weights, device: str = "cpu") -> Row:
    """The classical model: what the network starts from."""
    return Row("classical", weights, generated(baselines.classical(weights), device))


def network_row(weights: Weights, device: str = "cpu", name: str = "noisegen") -> Row:
    """The network's noise."""
    return Row(name, weights, generated(weights, device))


def floor_row(weights: Weights, device: str = "cpu") -> Row:
    """Two draws of one process: of the real one where it can be drawn again, else of ours."""
    ours, ours_again = generated(weights, device), generated(weights, device, variant=1)

    def first(target: Target, profile: NoiseProfile) -> Pixels:
        return ours(target, profile) if target.again is None else target.noisy

    def second(target: Target, profile: NoiseProfile) -> Pixels:
        return ours_again(target, profile) if target.again is None else target.again

    return Row("floor", weights, fake=second, real=first)


def standard_rows(weights: Weights, device: str = "cpu") -> list[Row]:
    """Ours with the three lines that always stand beside it (design.md, *Measuring*)."""
    return [
        gaussian_row(weights),
        classical_row(weights, device),
        network_row(weights, device),
        floor_row(weights, device),
    ]


def compare_rows(
    rows: Sequence[Row], cases: Iterable[Case], blind: bool = False
) -> Iterator[Comparison]:
    """Tries every row on every target.

    Args:
        rows: with names of their own.
        cases: references and targets.
        blind: withhold the references' clean, so that it is estimated.
    """
    for case in cases:
        reference = case.reference
        if blind:
            reference = Reference(reference.name, reference.noisy)
        profiles = _profiles(reference, rows)
        for target in case.targets:
            for row in rows:
                profile = profiles[row.weights.sha256, row.fit]
                real, fake = row.real(target, profile), row.fake(target, profile)
                yield Comparison(row.name, case.name, target, real, fake)


def _profiles(reference: Reference, rows: Sequence[Row]) -> dict[tuple[str, Fit], NoiseProfile]:
    """The reference's profiles as the rows use them; weights share its measuring if they can."""
    encoded: dict[str, tuple[NoiseProfile, Measured]] = {}
    profiles: dict[tuple[str, Fit], NoiseProfile] = {}
    measured = None
    for row in rows:
        weights, key = row.weights, row.weights.sha256
        if key not in encoded:
            if measured is None or reference.clean is None:
                # Real targets keep their shifts too: what a repair takes away belongs to the truth.
                measured = measure_references([reference], None, Repair.MASK, weights.denoiser)
            encoded[key] = encode_profile(measured, weights), measured
        if (key, row.fit) not in profiles:
            profiles[key, row.fit] = row.fit(*encoded[key], weights)
    return profiles
