"""A profile judged on windows of its references that its fit has not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fitted import measure_references
from pictures import add_gaussian, scene

from noisegen.errors import BadReferenceError
from noisegen.model.weights import Weights, untrained_model
from noisegen.noise.record import Recording
from noisegen.noise.statistics import NoiseStatistics, measure
from noisegen.noise.windows import Windows, cut_places
from noisegen.profiles.fit import FEWEST_WINDOWS, Measured, fit_profiles, halves, judge
from noisegen.profiles.quality import ProfileQuality
from noisegen.profiles.trial import Trial, draw_measured
from noisegen.references.check import Reference

CLEAN = scene(192, 256)
GOOD = (0.01, 0.1, 0.001, 0.01, 0.1, 0.0, 1.0, 0.1, 0.9)


@pytest.fixture(scope="module")
def measured() -> Measured:
    return measure_references([Reference("a.png", add_gaussian(CLEAN, 12), CLEAN)])


def quality(statistics: NoiseStatistics, windows: Windows) -> ProfileQuality:
    return Trial(windows, draw_measured(statistics, windows, untrained_model().content)).quality(
        0.0, 1.0
    )


def test_true_statistics_are_good(measured: Measured) -> None:
    found = quality(measured.statistics, measured.windows)
    assert found.overall == "good"
    assert found.sigma < 0.03


def test_too_loud_statistics_are_poor(measured: Measured) -> None:
    loud = replace(measured.statistics, level=measured.statistics.level * 1.5)
    found = quality(loud, measured.windows)
    assert found.word("sigma") == found.word("level") == found.overall == "poor"
    assert found.sigma == pytest.approx(0.5, abs=0.08)


def test_a_wrong_grain_is_not_good(measured: Measured) -> None:
    blurred = np.zeros_like(measured.statistics.kernel)
    for c in range(3):
        blurred[c, c, 6:9, 6:9] = 1 / 3
    found = quality(replace(measured.statistics, kernel=blurred), measured.windows)
    assert found.correlation > 0.05
    assert found.word("sigma") == "good"


def test_missing_stripes_are_poor() -> None:
    rows = np.random.default_rng(0).normal(0, 8, (192, 1, 1))
    noisy = np.clip(np.rint(CLEAN * 0.6 + 50 + rows), 0, 255)
    noisy = add_gaussian(noisy, 6)
    reference = Reference("a.png", noisy, np.rint(CLEAN * 0.6 + 50).astype(np.uint8))
    measured = measure_references([reference])
    assert quality(measured.statistics, measured.windows).word("stripes") == "good"
    without = replace(measured.statistics, stripes=np.zeros_like(measured.statistics.stripes))
    assert quality(without, measured.windows).word("stripes") == "poor"


def test_a_profile_has_the_quality_that_is_judged(
    measured: Measured, classical_weights: Weights
) -> None:
    reference = Reference("a.png", add_gaussian(CLEAN, 12), CLEAN)
    (profile,) = fit_profiles([reference], classical_weights)
    assert profile.quality == judge(measured, classical_weights.content)
    assert profile.quality.overall == "good"


def test_quality_is_judged_on_what_the_fit_has_not_seen(
    measured: Measured, classical_weights: Weights
) -> None:
    """One half of the windows is another camera's: the fit of the other half is far from it."""
    windows = measured.windows
    _, judging = halves(windows)
    theirs = (windows.places[:, None] == judging.places[None]).all(2).any(1)
    residual = np.where(theirs[:, None, None, None], 2 * windows.residual, windows.residual)
    changed = replace(measured, windows=replace(windows, residual=residual))
    changed = replace(changed, statistics=measure(changed.windows))
    found = judge(changed, classical_weights.content)
    assert found.sigma == pytest.approx(0.5, abs=0.05)


def test_few_windows_are_tried(weights: Weights) -> None:
    clean = CLEAN[:64, :96]
    (profile,) = fit_profiles([Reference("a.png", add_gaussian(clean, 12), clean)], weights)
    assert FEWEST_WINDOWS > (64 // 32) * (96 // 32)
    assert profile.quality is not None


def test_the_same_references_make_the_same_profile(weights: Weights) -> None:
    references = [Reference("a.png", add_gaussian(CLEAN, 12), CLEAN)]
    one, two = (fit_profiles(references, weights)[0] for _ in range(2))
    assert one.quality is not None
    assert one.sha256 == two.sha256


def test_a_blind_profile_is_tried_on_its_estimate(classical_weights: Weights) -> None:
    (profile,) = fit_profiles([Reference("a.png", add_gaussian(CLEAN, 12))], classical_weights)
    assert profile.kind == "estimated"
    assert profile.quality is not None
    assert profile.quality.word("sigma") == "good"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, "good"),
        ({0: 0.1}, "fair"),
        ({2: 0.2, 3: 0.05}, "poor"),
        ({4: 0.3}, "fair"),
        ({4: 0.6}, "poor"),
        ({5: 0.6}, "poor"),
        ({6: 0.01}, "good"),
    ],
)
def test_the_worst_word_counts(changes: dict[int, float], word: str) -> None:
    assert ProfileQuality(*(changes.get(i, value) for i, value in enumerate(GOOD))).overall == word


@pytest.mark.parametrize(
    ("height", "width"), [(640, 512), (512, 320), (128, 640), (32, 512), (96, 192)]
)
def test_no_window_both_teaches_and_judges(height: int, width: int) -> None:
    places = cut_places(height, width)
    numbered = np.arange(len(places), dtype=np.float32)[:, None, None, None]
    numbered = 1 + numbered + np.zeros((1, 1, 32, 32), np.float32)
    learned, judging = halves(Windows(numbered, numbered, False, Recording.even(1, 0), places))
    taught, judged = (set(part.residual[:, 0, 0, 0].tolist()) for part in (learned, judging))
    assert not taught & judged
    assert len(taught) + len(judged) == len(places)
    assert 0.25 <= len(judged) / len(places) <= 0.75


@pytest.mark.parametrize("black", [np.s_[:, :96], np.s_[:, 96:], np.s_[48:], np.s_[:, 32:]])
def test_black_margins_neither_judge_nor_spoil_a_profile(
    black: tuple[slice, ...], classical_weights: Weights
) -> None:
    clean = CLEAN[:96, :192].copy()
    noisy = add_gaussian(clean, 8)
    clean[black] = noisy[black] = 0
    (profile,) = fit_profiles([Reference("a.png", noisy, clean)], classical_weights)
    assert profile.quality is not None
    assert profile.quality.sigma < 0.15
    assert profile.fault() is None


def test_a_dark_field_makes_a_profile_that_can_be_read(classical_weights: Weights) -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        photons = np.zeros((96, 192))
        photons[20:70, 20:120] = 0.4
        clean = np.rint(photons * 20).astype(np.uint8)
        noisy = np.clip(20 * rng.poisson(photons), 0, 255).astype(np.uint8)
        (profile,) = fit_profiles([Reference("a.png", noisy, clean)], classical_weights)
        assert profile.fault() is None


def test_what_no_profile_can_hold_is_refused_when_it_is_made(
    classical_weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("noisegen.profiles.profile.NoiseProfile.fault", lambda self: "too much")
    with pytest.raises(
        BadReferenceError, match=r"a\.png: its noise cannot be described \(too much"
    ):
        fit_profiles([Reference("a.png", add_gaussian(CLEAN, 12), CLEAN)], classical_weights)


@pytest.mark.slow
def test_noise_in_one_place_of_a_large_picture_is_found_by_the_trial(
    classical_weights: Weights,
) -> None:
    clean = np.full((2048, 2048, 1), 100, np.uint8)
    clean[::2] += 20
    noisy, place = clean.copy(), np.s_[896:1056, 896:1056]
    noisy[place] = add_gaussian(clean[place], 8)
    (profile,) = fit_profiles([Reference("a.png", noisy, clean)], classical_weights)
    assert profile.quality is not None
    assert profile.quality.sigma < 0.3
