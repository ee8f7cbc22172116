"""The loop closed: a profile tried on references that its fit has not seen, and tuned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pictures import add_gaussian, scene

from noisegen.fitting.close import FEWEST_WINDOWS, close_loop, halves
from noisegen.fitting.groups import fitted_groups
from noisegen.fitting.trial import Trial, draw_measured, try_profile
from noisegen.fitting.tune import tune
from noisegen.model.weights import Weights, load_weights, untrained_model
from noisegen.noise.record import Recording
from noisegen.noise.statistics import NoiseStatistics, measure
from noisegen.noise.windows import Windows, cut_places
from noisegen.references.create import Measured, Reference, encode_profile, measure_references
from noisegen.references.quality import Quality

CLEAN = scene(192, 256)
GOOD = (0.01, 0.1, 0.001, 0.01, 0.1, 0.0, 1.0, 0.1, 0.9)


@pytest.fixture(scope="module")
def measured() -> Measured:
    return measure_references([Reference("a.png", add_gaussian(CLEAN, 12), CLEAN)])


def quality(statistics: NoiseStatistics, windows: Windows) -> Quality:
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


def test_closing_adds_the_quality_and_nothing_else(
    measured: Measured, classical_weights: Weights
) -> None:
    encoded = encode_profile(measured, classical_weights)
    fitted = close_loop(encoded, measured, classical_weights)
    assert fitted.profile == replace(encoded, quality=fitted.before)
    assert fitted.before.overall == "good"


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
    encoded = encode_profile(changed, classical_weights)
    found = close_loop(encoded, changed, classical_weights).before
    assert found.sigma == pytest.approx(0.5, abs=0.05)


def test_tuning_mends_a_spoiled_prompt_and_nothing_else() -> None:
    weights = load_weights()
    measured = measure_references([Reference("a.png", add_gaussian(CLEAN, 12), CLEAN)])
    encoded = encode_profile(measured, weights)
    moved = encoded.tokens + np.random.default_rng(0).normal(0, 8, encoded.tokens.shape)
    wrong = replace(encoded, tokens=moved.astype(np.float32), trust=1.0)
    before = {name: value.clone() for name, value in weights.model.state_dict().items()}
    tuned = tune(wrong, measured.windows, weights, 40)
    assert tuned.tuned > 0
    distances = [
        try_profile(profile, measured.windows, weights).quality(0.0, 1.0).distance
        for profile in (tuned, wrong)
    ]
    assert distances[0] < distances[1]
    assert replace(tuned, tokens=wrong.tokens, tuned=0) == wrong
    assert all(before[name].equal(value) for name, value in weights.model.state_dict().items())


def test_tuning_counts_only_where_it_comes_closer(measured: Measured, weights: Weights) -> None:
    """The test's network has random last layers: hardly any prompt makes it better than none."""
    fitted = close_loop(encode_profile(measured, weights), measured, weights, 0.5)
    quality = fitted.profile.quality
    assert quality is not None
    assert quality.distance <= fitted.before.distance
    assert (fitted.profile.trust == 0) == (quality == fitted.before)


def test_few_windows_are_tried(weights: Weights) -> None:
    clean = CLEAN[:64, :96]
    (fitted,) = fitted_groups([Reference("a.png", add_gaussian(clean, 12), clean)], weights)
    assert FEWEST_WINDOWS > (64 // 32) * (96 // 32)
    assert fitted.profile.quality == fitted.before


def test_the_same_references_make_the_same_profile(weights: Weights) -> None:
    references = [Reference("a.png", add_gaussian(CLEAN, 12), CLEAN)]
    one, two = (fitted_groups(references, weights)[0].profile for _ in range(2))
    assert one.quality is not None
    assert one.sha256 == two.sha256


def test_a_blind_profile_is_tried_on_its_estimate(classical_weights: Weights) -> None:
    (fitted,) = fitted_groups([Reference("a.png", add_gaussian(CLEAN, 12))], classical_weights)
    assert fitted.profile.kind == "estimated"
    assert fitted.profile.quality is not None
    assert fitted.profile.quality.word("sigma") == "good"


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
    assert Quality(*(changes.get(i, value) for i, value in enumerate(GOOD))).overall == word


def test_without_trust_the_generator_is_the_classical_model(
    weights: Weights, classical_weights: Weights, measured: Measured
) -> None:
    distrusted = encode_profile(measured, weights)
    assert distrusted.trust == 0
    classical = replace(encode_profile(measured, classical_weights), trust=1.0)
    one = try_profile(distrusted, measured.windows, weights).fake
    other = try_profile(classical, measured.windows, classical_weights).fake
    # Two sizes of field are drawn: alike in distribution, not in each pixel.
    assert one.std() == pytest.approx(other.std(), rel=0.01)
    trusted = try_profile(replace(distrusted, trust=1.0), measured.windows, weights).fake
    assert abs(trusted.std() / one.std() - 1) > 0.05


@pytest.mark.parametrize(
    ("height", "width"), [(640, 512), (512, 320), (128, 640), (32, 512), (96, 192)]
)
def test_no_window_both_teaches_and_judges(height: int, width: int) -> None:
    places = cut_places(height, width)
    numbered = np.arange(len(places), dtype=np.float32)[:, None, None, None]
    numbered = numbered + np.zeros((1, 1, 32, 32), np.float32)
    learned, judging = halves(Windows(numbered, numbered, False, Recording.even(1, 0), places))
    taught, judged = (set(part.residual[:, 0, 0, 0].tolist()) for part in (learned, judging))
    assert not taught & judged
    assert len(taught) + len(judged) == len(places)
    assert 0.25 <= len(judged) / len(places) <= 0.75
