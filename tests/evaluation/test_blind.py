"""σ without a clean against σ with it, and the families of noise that no training has seen."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import add_gaussian, scene

from noisegen.evaluation.blind import sigma_errors
from noisegen.evaluation.protocol import FAMILIES, Case
from noisegen.references.check import Burst, Reference
from noisegen.references.lone import shipped_denoiser

CLEAN = scene(192, 256)


def case(name: str, sigma: float) -> Case:
    return Case(name, (Reference(name, add_gaussian(CLEAN, sigma), CLEAN),), ())


def test_sigma_of_plain_gaussian_noise_is_known_without_the_clean() -> None:
    found = sigma_errors([case("a", 10), case("b", 25)], shipped_denoiser())
    assert found is not None
    assert found.references == 2
    assert found.corrected < 0.05
    assert found.corrected <= found.plain


def test_each_reference_counts_once() -> None:
    found = sigma_errors([case("a", 10), case("a", 10)], shipped_denoiser())
    assert found is not None
    assert found.references == 1


def test_bursts_have_no_sigma_against_their_clean() -> None:
    shots = tuple(add_gaussian(CLEAN, 10, seed=seed) for seed in range(2))
    burst = Case("b", (Burst("b", ("0", "1"), shots),), ())
    assert sigma_errors([burst], shipped_denoiser()) is None


@pytest.mark.parametrize("name", FAMILIES)
def test_unseen_noise_is_drawn_from_its_seed(name: str) -> None:
    one, two, other = (FAMILIES[name](CLEAN, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert one.dtype == np.uint8
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
    assert 3 < (one.astype(float) - CLEAN).std() < 60


def test_bands_are_three_rows_high() -> None:
    flat = np.full((60, 64, 3), 128, np.uint8)
    rows = FAMILIES["banding"](flat, np.random.default_rng(0)).mean((1, 2)).reshape(20, 3)
    assert rows.std(1).mean() < 2 < rows.mean(1).std()
