"""Two generated shots of one scene differ as two real ones do."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import add_gaussian, scene

import noisegen

SIGMA = 20.0
DRAWS = 24


@pytest.fixture(scope="module")
def clean() -> NDArray[np.float64]:
    return scene(128, 128, seed=4).astype(np.float64)


@pytest.fixture(scope="module")
def draws(clean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Generated noisy pictures of one clean: N×H×W×3."""
    generator = noisegen.load_generator(device="cpu")
    # Together these show every intensity of the clean.
    references = [scene(256, 256, seed=seed) for seed in (3, 5, 6)]
    profile = generator.profile([add_gaussian(r, SIGMA, seed=1) for r in references], references)
    picture = clean.astype(np.uint8)
    return np.stack(
        [
            generator.synthesize(picture, profile, key="scene", variant=variant)
            for variant in range(DRAWS)
        ]
    ).astype(np.float64)


def test_two_draws_differ_by_root_two(
    draws: NDArray[np.float64], clean: NDArray[np.float64]
) -> None:
    """Noise that followed the clean alone would cancel in the difference."""
    noise = float((draws - clean).std())
    assert float((draws[0] - draws[1]).std()) == pytest.approx(np.sqrt(2) * noise, rel=0.05)
    real = [add_gaussian(clean.astype(np.uint8), SIGMA, seed) for seed in (8, 9)]
    real_difference = float((real[0].astype(np.float64) - real[1]).std())
    assert float((draws[0] - draws[1]).std()) == pytest.approx(real_difference, rel=0.05)


def test_mean_of_draws_is_the_clean_as_far_as_for_real_shots(
    draws: NDArray[np.float64], clean: NDArray[np.float64]
) -> None:
    """The bias that is left, clipping's included, is the real shots' size in every region."""
    real = [add_gaussian(clean.astype(np.uint8), SIGMA, 100 + index) for index in range(DRAWS)]
    ours, theirs = (
        np.abs(_region_means(np.mean(shots, 0) - clean))
        for shots in (draws, np.stack(real).astype(np.float64))
    )
    # 16×16 pixels and all draws average the noise down to SIGMA / √(256 · DRAWS) = 0.26 steps.
    spread = SIGMA / np.sqrt(256 * DRAWS)
    assert ours.mean() < theirs.mean() + spread
    assert ours.max() < theirs.max() + 4 * spread


def _region_means(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of 16×16 regions: 8×8×3."""
    means: NDArray[np.float64] = picture.reshape(8, 16, 8, 16, 3).mean((1, 3))
    return means
