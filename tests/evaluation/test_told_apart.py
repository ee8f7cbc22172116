"""The classifier that tells real from generated noise, and the folds it is trained in."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import torch
from comparisons import comparisons, grain, white
from PIL import Image
from scipy.stats import bootstrap

from noisegen.evaluation.looks import looks_of
from noisegen.evaluation.report.draw_looks import looks_png
from noisegen.evaluation.side_by_side import scene_folds
from noisegen.evaluation.told_apart import (
    ClassifierConfig,
    bootstrap_interval,
    evidence,
    patch_classifier,
    told_apart,
)

QUICK = ClassifierConfig(width=16, steps=50, pairs=24, folds=2)
FEW = ClassifierConfig(width=8, steps=5, pairs=4, folds=2)


def test_one_process_cannot_be_told_apart() -> None:
    told = told_apart(comparisons(grain(10), grain(10)), QUICK)
    assert abs(told.accuracy - 0.5) < 0.06
    assert told.low <= told.accuracy <= told.high


@pytest.mark.parametrize("channels", [1, 3])
def test_grain_is_told_from_white_noise_of_equal_strength(channels: int) -> None:
    told = told_apart(comparisons(white(10), grain(10), channels=channels), QUICK)
    assert told.accuracy > 0.9
    assert told.low > 0.85


def test_the_interval_is_scipys_bootstrap() -> None:
    right = np.random.default_rng(0).uniform(0.4, 0.9, 20)
    expected = bootstrap((right,), np.mean, method="percentile", rng=0).confidence_interval
    scenes = [str(target) for target in range(20)]
    assert bootstrap_interval(right, scenes) == pytest.approx(tuple(expected), abs=0.01)


def test_targets_of_one_scene_are_drawn_together() -> None:
    """Many targets of few scenes are no surer than the few scenes are."""
    right = np.repeat([0.5, 0.7, 0.9], 30)
    scenes = [scene for scene in "abc" for _ in range(30)]
    low, high = bootstrap_interval(right, scenes)
    assert low < 0.52
    assert high > 0.88


def test_noise_on_other_pictures_is_told_by_its_own_clean() -> None:
    """Generated noise that lies on another clean than the target's."""
    one, two = (comparisons(white(10), white(10), scenes=4, side=side) for side in (96, 96))
    shifted = [*two[1:], two[0]]
    apart = [
        replace(a, fake=b.fake, fake_clean=b.target.clean)
        for a, b in zip(one, shifted, strict=True)
    ]
    assert all(
        np.array_equal(a.fake_noise, b.fake_noise) for a, b in zip(apart, shifted, strict=True)
    )
    assert abs(told_apart(apart, FEW).accuracy - 0.5) < 0.1


def test_same_seed_same_answer() -> None:
    pictures = comparisons(white(10), white(10.5), scenes=2)
    assert told_apart(pictures, FEW) == told_apart(pictures, FEW)


def test_no_scene_is_trained_on_and_asked_about() -> None:
    scenes = ["a", "b", "a", "c", "d", "b", "e"]
    folds = scene_folds(scenes, 3)
    assert sorted(index for fold in folds for index in fold) == list(range(len(scenes)))
    shown = [{scenes[index] for index in fold} for fold in folds]
    assert sum(map(len, shown)) == len(set(scenes))
    assert min(map(len, shown)) >= 1


def test_one_scene_alone_is_refused() -> None:
    first, *_ = comparisons(white(10), white(10), scenes=1)
    with pytest.raises(ValueError, match="two or more"):
        told_apart([first, first], QUICK)


def test_looks_show_unseen_crops_and_the_answer_place_by_place() -> None:
    """Grain beside white noise: the maps lean their way, and a gray picture is drawn as well."""
    pictures = comparisons(white(10), grain(10), channels=1)
    rows = [replace(one, row=row) for row in ("classical", "start", "noisegen") for one in pictures]
    looks = looks_of(rows, config=QUICK)
    assert [one.row for one in looks] == ["noisegen", "classical"]
    held_out, _ = scene_folds([one.target.scene for one in pictures], 2)
    unseen = {pictures[index].target.name for index in held_out}
    for one in looks:
        assert {crop.name for crop in one.crops} == unseen
        for crop in one.crops:
            real, fake = crop.evidence.mean((1, 2))
            assert real < 0 < fake
            assert crop.evidence.shape == (2, 24, 24)
            assert crop.noises.shape == (2, 96, 96, 1)
        assert np.isfinite(one.power).all()
    drawn = looks_png("a split", looks)
    assert drawn == looks_png("a split", looks_of(rows, config=QUICK))
    with Image.open(BytesIO(drawn)) as image:
        image.load()
        assert image.width > 8 * 96


def test_the_maps_mean_is_the_classifiers_answer() -> None:
    network = patch_classifier(3, 4).eval()
    noise = torch.randn(2, 3, 40, 36, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        places = evidence(network, noise)
        torch.testing.assert_close(places.mean((1, 2)), network(noise)[:, 0])
