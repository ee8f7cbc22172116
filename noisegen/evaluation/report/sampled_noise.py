"""Noise of some of a folder's pairs, measured as references are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from noisegen.errors import ImageError
from noisegen.evaluation.pair_files import PairFile
from noisegen.evaluation.pair_pictures import read_plane
from noisegen.evaluation.profile_view import Noise
from noisegen.evaluation.protocol import middle_crop
from noisegen.files import default_white_level, to_float
from noisegen.model.config import WINDOW
from noisegen.noise.arrays import Floats
from noisegen.noise.record import Recording
from noisegen.noise.statistics import measure
from noisegen.noise.windows import Windows, join
from noisegen.references.misplaced import all_windows

MOST_PAIRS = 24
"""Number of pairs, evenly chosen, that are read."""

SIDE = 512
"""Side of the middle part of a picture that is measured, in pixels."""

MOST_WINDOWS = 1536
"""32² windows that the charts are of."""


@dataclass(frozen=True, eq=False)
class ShownPair:
    """A pair in units of the white level, H×W×C.

    Attributes:
        name: of the pair.
        noisy: the noisy picture.
        clean: its clean.
        strength: factor that its noise was made with; 1 for real noise.
        step: of its quantisation.
    """

    name: str
    noisy: Floats
    clean: Floats
    strength: float
    step: float


def read_shown(
    file: PairFile, white_level: float | None = None, strength: float = 1.0
) -> ShownPair | None:
    """Reads a pair as it is shown; None where it cannot be: damaged, of two sizes, too small.

    Args:
        file: of the pair.
        white_level: of pictures of more than 8 bits; the type's largest value if left out.
        strength: factor on the noise.
    """
    try:
        noisy, clean = (read_plane(path, file.plane) for path in (file.noisy, file.clean))
    except ImageError:
        return None
    if noisy.shape != clean.shape or min(clean.shape[:2]) < WINDOW:
        return None
    largest = default_white_level(clean.dtype)
    white = largest if white_level is None or clean.dtype == np.uint8 else white_level
    shown = [to_float(pixels, white) for pixels in (noisy, clean)]
    return ShownPair(file.name, shown[0], shown[1], strength, 1 / white)


def noise_of_pairs(pairs: Iterable[ShownPair]) -> tuple[Noise, float]:
    """Noise of pairs at strength 1, and the step of its quantisation (0 where strengths differ).

    Args:
        pairs: one or more, of one number of channels.
    """
    pairs = list(pairs)
    steps = {pair.step if pair.strength == 1 else 0.0 for pair in pairs}
    step = steps.pop() if len(steps) == 1 else 0.0
    found: list[Windows] = []
    for pair in pairs:
        sides = (SIDE, SIDE)
        noisy, clean = (middle_crop(picture, sides) for picture in (pair.noisy, pair.clean))
        windows = all_windows(noisy, clean, Recording.even(clean.shape[2], step))
        residual = windows.residual
        if pair.strength != 1:
            # Of other strengths, steps would be other values: each is spread over its step.
            rng = np.random.default_rng(0)
            residual = residual + pair.step * (rng.random(residual.shape, np.float32) - 0.5)
        scaled = (residual / pair.strength).astype(np.float32)
        found.append(replace(windows, residual=scaled))
    each = max(1, MOST_WINDOWS // len(found))
    together = join([windows.take_blocks(each) for windows in found])
    return Noise(together.residual, measure(together)), step
