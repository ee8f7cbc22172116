"""The classifier that tells real from generated noise, and the folds it is trained in."""

from __future__ import annotations

import pytest
from comparisons import comparisons, grain, white

from noisegen.evaluation.comparison import scene_folds
from noisegen.evaluation.told_apart import ClassifierConfig, told_apart

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
