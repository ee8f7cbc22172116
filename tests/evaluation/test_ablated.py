"""What completing a profile is worth: the row ``uncompleted``."""

from __future__ import annotations

import numpy as np
from pictures import scene

from noisegen.evaluation.ablated import uncompleted_row
from noisegen.evaluation.protocol import Case, Target
from noisegen.evaluation.rows import compare_rows, shipped_row, summarise
from noisegen.model.weights import load_weights
from noisegen.noise.arrays import Bytes
from noisegen.noise.record import as_stored
from noisegen.references.check import Reference


def shot(clean: Bytes, seed: int) -> Bytes:
    """Photon noise, 150 of them at white, with read noise of σ 2."""
    rng = np.random.default_rng(seed)
    seen = rng.poisson(clean / 255 * 150) / 150 * 255
    return as_stored(seen + rng.normal(0, 2, clean.shape), np.uint8)


def test_completion_helps_where_the_reference_shows_few_intensities() -> None:
    middle = (scene(192, 192, seed=3) // 10 + 110).astype(np.uint8)
    dark = (scene(160, 160, seed=4) // 4).astype(np.uint8)
    target = Target("dark", "dark", shot(dark, 1), dark)
    case = Case("middle", (Reference("middle", shot(middle, 2), middle),), (target,))
    base = load_weights("base")
    found = summarise(compare_rows([shipped_row(base), uncompleted_row(base)], [case]))
    assert found["noisegen"]["level"]["mean"] < 0.7 * found["uncompleted"]["level"]["mean"]
