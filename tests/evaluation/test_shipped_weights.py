"""The shipped weights: what is promised of them, on a few pictures."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from fitted import create_profile
from pictures import add_gaussian, scene

from noisegen.evaluation.protocol import polyu_cases
from noisegen.evaluation.rows import compare_rows, standard_rows, summarise
from noisegen.model.weights import Weights, load_weights
from noisegen.references.check import Reference
from noisegen.synthesis.synthesizer import Synthesizer


@pytest.fixture(scope="module")
def base() -> Weights:
    return load_weights("base")


@pytest.mark.parametrize("sigma", [5, 15, 25, 50])
@pytest.mark.parametrize("channels", [1, 3])
def test_gaussian_noise_keeps_its_strength(base: Weights, sigma: float, channels: int) -> None:
    reference = scene(256, 256, channels, seed=1)
    profile = create_profile([Reference("r", add_gaussian(reference, sigma), reference)], base)
    clean = scene(256, 256, channels, seed=2)
    fake = Synthesizer(base).synthesize(clean, profile).astype(float) - clean
    real = add_gaussian(clean, sigma, seed=9).astype(float) - clean
    assert abs(fake.std() / real.std() - 1) < 0.05


def test_weights_are_small_enough_to_ship(base: Weights) -> None:
    folder = Path(__file__).parents[2] / "weights"
    sizes = [path.stat().st_size for path in folder.glob("*.safetensors")]
    assert sizes
    assert max(sizes) < 16e6
    assert sum(sizes) < 40e6
    assert base.card["steps"] > 0


@pytest.mark.realdata
def test_polyu_scores_are_better_than_gaussian_noise(base: Weights, real_data: Path) -> None:
    cases = (
        replace(case, targets=tuple(islice(case.targets, 2)))
        for case in polyu_cases(real_data, "seen")
    )
    scores = summarise(compare_rows(standard_rows(base), cases))
    ours, gaussian = scores["noisegen"], scores["gaussian"]
    for metric in ("kld", "akld", "ks", "correlation", "level"):
        assert ours[metric]["mean"] < gaussian[metric]["mean"]
