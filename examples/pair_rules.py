"""Pairs that lie on each other and pairs that do not, under three rules of what is left out.

    python examples/pair_rules.py [--scenes 3]

Instruments of the bench, whose noise is known, take a noisy shot of a drawn scene, so it needs no
data. Its clean is given whole, or damaged as cleans of real pairs are. Of each such pair a profile
is made: with nothing left out; with every window left out whose residual follows the clean's edges;
and as noisegen does it. Its noise is compared with a shot of another scene, whose clean is whole.
Mean over instruments and scenes of KLD / AKLD / σ error; 0 is perfect.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from noisegen.evaluation.instruments.catalogue import INSTRUMENTS
from noisegen.evaluation.instruments.sensors import Instrument
from noisegen.evaluation.side_by_side import noise_of
from noisegen.files import to_float
from noisegen.model.weights import Weights, load_weights
from noisegen.noise.arrays import Pixels
from noisegen.noise.metrics import Scores, compare
from noisegen.noise.windows import Windows
from noisegen.profiles.fit import encode_profile, measure_cut
from noisegen.references.check import Reference
from noisegen.references.windows import CutReferences, Repair, cut_references
from noisegen.synthesis.synthesizer import Synthesizer
from noisegen.training.realdata import follow_gradient

Damage = Callable[[Pixels], Pixels]
Rule = Callable[[Reference], CutReferences]

SEED = 20270203
CAMERAS = ("phone raw", "phone JPEG", "DSLR JPEG")
SIDE = 384
"""Of the references."""

TARGET = 320
"""Side of the targets."""

GRADIENT_CORRELATIONS = (0.08, 0.12, 0.2)
"""Of a residual with the clean's gradients: the first that a tenth of the windows keeps to is the
limit of the rule that leaves out all that follows edges."""


def half_shifted(clean: Pixels) -> Pixels:
    """The lower half lies a pixel too far to the right."""
    damaged, half = clean.copy(), len(clean) // 2
    damaged[half:] = np.roll(clean[half:], 1, axis=1)
    return damaged


def shifted(clean: Pixels) -> Pixels:
    """All of it lies half a pixel too low."""
    return as_bytes(ndimage.shift(clean.astype(np.float64), (0.5, 0, 0), mode="nearest"))


def moved_object(clean: Pixels) -> Pixels:
    """A sixteenth of it shows what is elsewhere in the scene."""
    damaged, side = clean.copy(), len(clean)
    patch, there, here = side // 4, side // 8 + 5, side // 2 + 11
    damaged[here : here + patch, here : here + patch] = clean[
        there : there + patch, here : here + patch
    ]
    return damaged


def drifting(clean: Pixels) -> Pixels:
    """It is brighter by 2 % on the left and darker by 2 % on the right."""
    return as_bytes(clean * np.linspace(1.02, 0.98, clean.shape[1])[:, None])


def as_bytes(values: NDArray[np.float64]) -> Pixels:
    """Rounded and clipped to 8 bits."""
    return np.rint(values).clip(0, 255).astype(np.uint8)


PAIRS: dict[str, Damage] = {
    "registered": lambda clean: clean,
    "half of the clean shifted by 1 px": half_shifted,
    "all of it shifted by 0.5 px": shifted,
    "an object moved": moved_object,
    "its brightness drifts by 2 %": drifting,
}


def nothing_left_out(reference: Reference) -> CutReferences:
    """The pair as it is."""
    return cut_references([reference], repair=Repair.NONE)


def edges_left_out(reference: Reference) -> CutReferences:
    """The pair without all windows whose residual follows the clean's edges."""
    cut = nothing_left_out(reference)
    return replace(
        cut, each=tuple(replace(part, windows=_without_edges(part.windows)) for part in cut.each)
    )


def _without_edges(windows: Windows) -> Windows:
    """As strictly as the pair allows; all of them where hardly any keeps to the last limit."""
    follows = follow_gradient(windows.residual, windows.clean)
    for limit in GRADIENT_CORRELATIONS:
        if (follows <= limit).mean() >= 0.1:
            return windows.where(follows <= limit)
    return windows


RULES: dict[str, Rule] = {
    "nothing left out": nothing_left_out,
    "all that follows edges left out": edges_left_out,
    "noisegen": lambda reference: cut_references([reference]),
}


def score(
    instrument: Instrument, damage: Damage, rule: Rule, scene: int, synthesizer: Synthesizer
) -> Scores:
    """Errors of a profile of one pair, on another scene; the number of the scene decides all."""
    rng = np.random.default_rng([SEED, scene, *instrument.name.encode()])
    (noisy, clean), (shot, target) = (
        (instrument.process.shoot(drawn, rng), instrument.process.clean(drawn))
        for drawn in (
            instrument.scene(SEED + scene, SIDE),
            instrument.scene(SEED - 1 - scene, TARGET),
        )
    )
    weights = synthesizer.weights
    cut = rule(Reference("pair", noisy, damage(clean)))
    profile = encode_profile(measure_cut(cut, weights.content), weights)
    fake = synthesizer.synthesize(target, profile, key=f"{scene}")
    return compare(noise_of(shot, target), noise_of(fake, target), to_float(target, 255))


def rows(scenes: int, weights: Weights) -> Iterator[tuple[str, list[str]]]:
    """Names of pairs with their cells, one for each rule."""
    synthesizer = Synthesizer(weights)
    cameras = [instrument for instrument in INSTRUMENTS if instrument.name in CAMERAS]
    for name, damage in PAIRS.items():
        cells = []
        for rule in RULES.values():
            scores = [
                score(instrument, damage, rule, scene, synthesizer)
                for instrument in cameras
                for scene in range(scenes)
            ]
            means = np.mean([(one.kld, one.akld, one.sigma) for one in scores], 0)
            cells.append("{:.4f} / {:.3f} / {:.3f}".format(*means))
        yield name, cells


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=3)
    print(f"| pair | {' | '.join(RULES)} |\n|---|{'---|' * len(RULES)}")
    for name, cells in rows(parser.parse_args().scenes, load_weights()):
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
