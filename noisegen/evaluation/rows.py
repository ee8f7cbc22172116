"""Rows of a table of scores: named ways to put noise on a target, and their scores on a split."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TypeVar

import numpy as np

from noisegen.evaluation import classical_baseline
from noisegen.evaluation.protocol import PROTOCOL_SEED, Case, References, Target
from noisegen.evaluation.side_by_side import SideBySide
from noisegen.evaluation.speed import timed
from noisegen.evaluation.tables import mean_and_median
from noisegen.files import Pixels, quantise, to_float
from noisegen.model.weights import Weights
from noisegen.noise.arrays import Rng
from noisegen.noise.field import field_key, gaussian_field
from noisegen.noise.metrics import compare
from noisegen.noise.windows import Windows, join
from noisegen.profiles.fit import Measured, encode_profile, measure_cut
from noisegen.profiles.profile import NoiseProfile
from noisegen.references.check import Burst, Reference
from noisegen.references.misplaced import all_windows
from noisegen.references.windows import Repair, cut_references
from noisegen.synthesis.synthesizer import Synthesizer


def gaussian(clean: Pixels, profile: NoiseProfile, key: str, white_level: float = 255) -> Pixels:
    """White Gaussian noise of the reference's σ per channel, clipped and quantised.

    Args:
        clean: H×W×C, uint8 or uint16.
        profile: whose σ is taken.
        key: of the field.
        white_level: of the clean; the noise is in units of the profile's where their types agree.
    """
    height, width, channels = clean.shape
    field = gaussian_field(field_key(0, key, 0), 0, 0, height, width)[:channels]
    scale = profile.white_level if clean.dtype.name == profile.dtype else white_level
    noise = field.transpose(1, 2, 0) * (profile.sigma * np.float32(scale / white_level))
    return quantise(to_float(clean, white_level) + noise, white_level, clean.dtype)


@dataclass(frozen=True, eq=False)
class Known:
    """Knowledge of the camera that a row may use.

    Attributes:
        profile: of the case's references.
        measured: the references, measured; None where only a saved profile is at hand.
        windows: of the references, for models that are fitted to them; None as before.
        seconds: that the profile took.
    """

    profile: NoiseProfile
    measured: Measured | None = None
    windows: Windows | None = None
    seconds: float = math.nan

    @cached_property
    def without_network(self) -> Known:
        """The same with the measured statistics alone, without learned content."""
        if self.measured is None:
            return self
        statistics = measure_cut(self.measured.cut).statistics
        return replace(self, profile=replace(self.profile, measured=statistics))


FLOOR = "floor"
"""Name of the row of two draws of one process."""

Model = TypeVar("Model")
Given = TypeVar("Given")

Draw = Callable[[Target, Known], Pixels]
"""A target and what is known of its camera → a noisy picture, H×W×C of the clean's type."""


def real_noisy(target: Target, _: Known) -> Pixels:
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
        fit: what is fitted to a case's references before its targets, where that is no profile.
    """

    name: str
    weights: Weights
    fake: Draw
    real: Draw = real_noisy
    fit: Callable[[Known], object] | None = None


def generated(weights: Weights, device: str = "cpu", variant: int = 0) -> Draw:
    """Draws noise by a network's weights; another variant is another draw."""
    synthesizer = Synthesizer(weights, device)

    def draw(target: Target, known: Known) -> Pixels:
        return synthesizer.synthesize(
            target.clean,
            known.profile,
            key=target.name,
            variant=variant,
            white_level=_white_level(target, known.profile),
        )

    return draw


def _white_level(target: Target, profile: NoiseProfile) -> float | None:
    """White level of the target, unless the profile, of the same counts, knows better."""
    if target.clean.dtype.name != profile.dtype:
        return target.white_level
    known = profile.white_level_given or profile.white_level > target.white_level
    return None if known else target.white_level


def gaussian_row(weights: Weights) -> Row:
    """The row of white Gaussian noise of the reference's σ."""

    def draw(target: Target, known: Known) -> Pixels:
        return gaussian(target.clean, known.profile, target.name, target.white_level)

    return Row("gaussian", weights, draw)


def remembered(fit: Callable[[Given], Model]) -> Callable[[Given], Model]:
    """The same function, which keeps its last result: a case's targets come one after the other."""
    last: list[tuple[Given, Model]] = []

    def fit_or_remember(given: Given) -> Model:
        if not last or last[0][0] is not given:
            last[:] = [(given, fit(given))]
        return last[0][1]

    return fit_or_remember


def fitted_row(
    name: str,
    weights: Weights,
    fit: Callable[[Windows], Model],
    draw: Callable[[Model, Pixels, float, Rng], Pixels],
) -> Row:
    """The row of a model of the references' windows; weights make the unused profile.

    Args:
        name: of the row.
        weights: of the other rows.
        fit: windows → model.
        draw: model, clean, its white level and a generator of the target's own → noisy picture.
    """
    fit_once = remembered(fit)

    def fit_known(known: Known) -> Model:
        if known.windows is None:
            raise ValueError(f"{name} is fitted on windows: none are known")
        return fit_once(known.windows)

    def draw_target(target: Target, known: Known) -> Pixels:
        rng = np.random.default_rng([PROTOCOL_SEED, *target.name.encode()])
        return draw(fit_known(known), target.clean, target.white_level, rng)

    return Row(name, weights, draw_target, fit=fit_known)


def classical_row(weights: Weights) -> Row:
    """The row of the plain classical model."""
    return fitted_row("classical", weights, classical_baseline.fit_windows, classical_baseline.draw)


def shipped_row(weights: Weights, device: str = "cpu") -> Row:
    """The row of what users get: the weights' noise with the content network on."""
    return Row("noisegen", weights, generated(weights, device))


def start_row(weights: Weights, device: str = "cpu") -> Row:
    """The row of the measured model alone: the content network off."""
    ours = generated(weights, device)

    def draw(target: Target, known: Known) -> Pixels:
        return ours(target, known.without_network)

    return Row("start", weights, draw, fit=lambda known: known.without_network)


def floor_row(weights: Weights, device: str = "cpu") -> Row:
    """The row of two draws of one process: the real one where that can be drawn, else ours."""
    ours, ours_again = generated(weights, device), generated(weights, device, variant=1)

    def first(target: Target, known: Known) -> Pixels:
        return ours(target, known) if target.again is None else target.noisy

    def second(target: Target, known: Known) -> Pixels:
        return ours_again(target, known) if target.again is None else target.again

    return Row(FLOOR, weights, fake=second, real=first)


def standard_rows(weights: Weights, device: str = "cpu") -> list[Row]:
    """The row of the weights with those that always stand beside it (design.md, *Measuring*)."""
    return [
        gaussian_row(weights),
        classical_row(weights),
        shipped_row(weights, device),
        start_row(weights, device),
        floor_row(weights, device),
    ]


def compare_rows(
    rows: Sequence[Row], cases: Iterable[Case], lone: bool = False
) -> Iterator[SideBySide]:
    """Tries every row on every target.

    Args:
        rows: with names of their own.
        cases: references and targets.
        lone: one shot is the only reference, and its clean is withheld, so that it is estimated.
    """
    for whole in cases:
        case = whole.lone() if lone else whole
        known = _known(case, rows)
        fitting = {row.name: _seconds_to_fit(row, known[row.weights.sha256]) for row in rows}
        for target in case.targets:
            for row in rows:
                knows = known[row.weights.sha256]
                real = row.real(target, knows)
                drawing, fake = timed(partial(row.fake, target, knows))
                seconds = fitting.pop(row.name, math.nan), drawing
                yield SideBySide(row.name, target, real, fake, seconds=seconds)


def _seconds_to_fit(row: Row, known: Known) -> float:
    return known.seconds if row.fit is None else timed(partial(row.fit, known))[0]


def _known(case: Case, rows: Sequence[Row]) -> dict[str, Known]:
    """Measures what the rows of each weights know; weights share the measuring if they can."""
    references = case.references
    known: dict[str, Known] = {}
    measured: Measured | None = None
    measuring = 0.0
    estimated = any(isinstance(shot, Reference) and shot.clean is None for shot in references)
    # Pairs keep their shifts: what a repair takes away belongs to the targets' truth too.
    repair = Repair.GROSS if isinstance(references[0], Burst) else Repair.MASK
    for weights in {row.weights.sha256: row.weights for row in rows}.values():
        if measured is None or estimated:
            measuring, found = timed(partial(_measured, references, repair, weights))
            measured = found
        encoding, profile = timed(partial(encode_profile, measured, weights))
        windows = _plain_windows(case, measured)
        known[weights.sha256] = Known(profile, measured, windows, measuring + encoding)
    return known


def _measured(references: References, repair: Repair, weights: Weights) -> Measured:
    cut = cut_references(references, None, repair, weights.denoiser)
    return measure_cut(cut, weights.content)


def _plain_windows(case: Case, measured: Measured) -> Windows:
    """Windows that models are fitted on: of pairs that fit, every one."""
    pairs = [
        (reference.noisy, reference.clean)
        for reference in case.references
        if isinstance(reference, Reference) and reference.clean is not None
    ]
    if case.misregistered or len(pairs) < len(case.references):
        return measured.windows
    level, recording = measured.cut.samples.white_level, measured.windows.recording
    units = [(to_float(noisy, level), to_float(clean, level)) for noisy, clean in pairs]
    return join([all_windows(*both, recording) for both in units])


def summarise(comparisons: Iterable[SideBySide]) -> dict[str, dict[str, dict[str, float]]]:
    """Scores comparisons by every distance: row → metric → mean and median over targets."""
    by_row: dict[str, list[dict[str, float]]] = {}
    for one in comparisons:
        scores = compare(one.real_noise, one.fake_noise, to_float(one.target.clean, 255))
        by_row.setdefault(one.row, []).append(scores.as_dict())
    return {
        row: {m: mean_and_median(scores[m] for scores in rows) for m in rows[0]}
        for row, rows in by_row.items()
    }
