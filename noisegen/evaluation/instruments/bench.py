"""The bench: every instrument by pair, by burst and by a lone shot, through the public path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from noisegen.errors import NoisegenError
from noisegen.evaluation import classical_baseline
from noisegen.evaluation.instruments.judge import KEPT, Judged, Truth, find_truth, judge, shown_by
from noisegen.evaluation.instruments.sensors import Instrument
from noisegen.model.weights import Weights
from noisegen.noise.arrays import Doubles, Pixels, Rng
from noisegen.profiles.fit import fit_profiles
from noisegen.references.check import Burst, Reference
from noisegen.synthesis.synthesizer import Synthesizer

References = Sequence[Reference] | Sequence[Burst]

SEED = 20270111

LARGEST_RATIO = {"pair": 0.1, "burst": 0.1, "lone": 0.15}
"""How far off σ may be in any decile that the reference shows."""

LARGEST_KLD = 0.003
"""Largest KLD over the floor that a profile of a pair or a burst may have."""

LARGEST_MEAN = 2.0
"""Steps of 8 bits that a lone shot's mean may be off from what clipping explains."""


class Kind(str, Enum):
    """Reference that the noise is made from. All see one scene, another than the target's."""

    GAUSSIAN = "gaussian"
    """White noise of the pair's σ."""
    CLASSICAL = "classical"
    """The plain classical model of the pair: the line to compare with."""
    START = "start"
    """The measured model of the pair alone, the network off."""
    PAIR = "pair"
    BURST = "burst"
    LONE = "lone"

    @property
    def baseline(self) -> bool:
        """Whether it stands beside ours to compare with, and has no targets."""
        return self in (Kind.GAUSSIAN, Kind.CLASSICAL, Kind.START)


@dataclass(frozen=True)
class BenchConfig:
    """Sizes of the bench.

    Attributes:
        reference: side of the reference scene, in pixels.
        target: side of the target scene.
        shots: of the target, that the truth is found from.
        burst: shots of a burst.
    """

    reference: int = 384
    target: int = 320
    shots: int = 32
    burst: int = 4


@dataclass(frozen=True)
class BenchLine:
    """One line of the table.

    Attributes:
        instrument: its name.
        kind: of the reference.
        judged: None where no profile could be made.
        refused: why, where none could be made.
        quality: the profile's own verdict, where it has one.
    """

    instrument: str
    kind: Kind
    judged: Judged | None
    refused: str | None = None
    quality: str | None = None

    @property
    def missed(self) -> tuple[str, ...]:
        """Names of missed targets: ``σ``, ``KLD``, ``mean``, ``refused``; none of a baseline."""
        if self.kind.baseline:
            return ()
        if self.judged is None:
            return ("refused",)
        found = {"σ": abs(self.judged.worst_ratio - 1) > LARGEST_RATIO[self.kind.value]}
        if self.kind is Kind.LONE:
            found["mean"] = abs(self.judged.mean_unexplained) > LARGEST_MEAN
        else:
            over = self.judged.distances.kld - self.judged.floor.kld
            found["KLD"] = over > LARGEST_KLD
        return tuple(name for name, wrong in found.items() if wrong)


def run_bench(
    instruments: Sequence[Instrument],
    weights: Weights,
    device: str = "cpu",
    config: BenchConfig | None = None,
) -> Iterator[BenchLine]:
    """Tries one instrument after the other; a line is a function of its name and the weights."""
    synthesizer = Synthesizer(weights, device)
    for instrument in instruments:
        yield from _lines(instrument, synthesizer, config or BenchConfig())


def _lines(
    instrument: Instrument, synthesizer: Synthesizer, config: BenchConfig
) -> Iterator[BenchLine]:
    rng = np.random.default_rng([SEED, *instrument.name.encode()])
    scene = instrument.scene(1, config.reference)
    clean = instrument.process.clean(scene)
    truth = find_truth(instrument, instrument.scene(2, config.target), config.shots, rng)
    shown = shown_by(clean, truth.clean, instrument.white_level)
    shots = tuple(instrument.process.shoot(scene, rng) for _ in range(config.burst))
    white = instrument.white_level
    model = classical_baseline.fit_pictures(shots[0] / white, clean / white)
    plain = [classical_baseline.draw(model, truth.clean, white, rng) for _ in range(KEPT)]
    sigma = (shots[0] - clean.astype(np.float64)).std((0, 1))
    even = [_gaussian(truth.clean, sigma, white, rng) for _ in range(KEPT)]
    for kind, drawn in ((Kind.GAUSSIAN, even), (Kind.CLASSICAL, plain)):
        yield BenchLine(instrument.name, kind, judge(instrument, truth, drawn, shown))
    references: dict[Kind, References] = {
        Kind.START: [Reference("pair", shots[0], clean)],
        Kind.PAIR: [Reference("pair", shots[0], clean)],
        Kind.BURST: [Burst("burst", tuple(map(str, range(config.burst))), shots)],
        Kind.LONE: [Reference("lone", shots[0])],
    }
    for kind, given in references.items():
        yield _line(instrument, kind, given, (truth, shown), synthesizer)


def _gaussian(clean: Pixels, sigma: Doubles, white_level: float, rng: Rng) -> Pixels:
    """White noise on a picture, clipped and, of integers, rounded."""
    noisy = (clean + rng.normal(0, sigma, clean.shape)).clip(0, white_level)
    drawn: Pixels = (noisy if clean.dtype.kind == "f" else np.rint(noisy)).astype(clean.dtype)
    return drawn


def _line(
    instrument: Instrument,
    kind: Kind,
    references: References,
    target: tuple[Truth, NDArray[np.bool_]],
    synthesizer: Synthesizer,
) -> BenchLine:
    """Tries a reference's profile on a target: its truth, and where the reference shows it."""
    truth, shown = target
    white = instrument.white_level
    try:
        (profile,) = fit_profiles(
            references, synthesizer.weights, white_level=white, learned=kind is not Kind.START
        )
        drawn = [
            synthesizer.synthesize(
                truth.clean, profile, key=instrument.name, variant=turn, white_level=white
            )
            for turn in range(KEPT)
        ]
    except NoisegenError as error:
        return BenchLine(instrument.name, kind, None, str(error))
    quality = profile.quality
    word = None if quality is None else quality.overall
    return BenchLine(instrument.name, kind, judge(instrument, truth, drawn, shown), quality=word)
