"""The loop closed: a profile tried on its references, calibrated and tuned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pictures import add_gaussian, scene

from noisegen.fitting.calibrate import calibrate, distance
from noisegen.fitting.close import FEWEST_WINDOWS, close_loop
from noisegen.fitting.groups import fitted_groups
from noisegen.fitting.trial import judged, learned_windows, tried_windows, try_profile
from noisegen.fitting.tune import tune
from noisegen.model.weights import Weights, load_weights
from noisegen.references.create import Measured, Reference, encode_profile, measure_references
from noisegen.references.profile import NoiseProfile
from noisegen.references.quality import Quality

CLEAN = scene(192, 256)


@pytest.fixture(scope="module")
def measured() -> Measured:
    return measure_references([Reference("a.png", add_gaussian(CLEAN, 12), CLEAN)])


@pytest.fixture(scope="module")
def profile(measured: Measured, classical_weights: Weights) -> NoiseProfile:
    return encode_profile(measured, classical_weights)


def spoiled(profile: NoiseProfile, **changes: np.ndarray) -> NoiseProfile:
    """The profile with other statistics for the generator than were measured."""
    return replace(profile, calibrated=replace(profile.measured, **changes))


def quality(profile: NoiseProfile, measured: Measured, weights: Weights) -> Quality:
    return try_profile(profile, tried_windows(measured.windows), weights).quality()


def test_a_true_profile_is_good(
    profile: NoiseProfile, measured: Measured, classical_weights: Weights
) -> None:
    found = quality(profile, measured, classical_weights)
    assert found.overall == "good"
    assert found.sigma < 0.03


def test_a_false_profile_is_poor(
    profile: NoiseProfile, measured: Measured, classical_weights: Weights
) -> None:
    loud = spoiled(
        profile, level=profile.measured.level * 1.5, surface=profile.measured.surface * 1.5
    )
    found = quality(loud, measured, classical_weights)
    assert found.word("sigma") == found.overall == "poor"
    assert found.sigma == pytest.approx(0.5, abs=0.08)


def test_good_profiles_are_left_alone(measured: Measured, classical_weights: Weights) -> None:
    encoded = encode_profile(measured, classical_weights)
    fitted = close_loop(encoded, measured, classical_weights)
    assert fitted.profile == replace(encoded, quality=fitted.before)


def test_calibration_puts_level_and_mean_right(
    profile: NoiseProfile, measured: Measured, classical_weights: Weights
) -> None:
    known = profile.measured
    wrong = spoiled(
        profile, level=known.level * 1.3, surface=known.surface * 1.3, mean=known.mean + 3 / 255
    )
    trial = try_profile(wrong, tried_windows(measured.windows), classical_weights)
    _, after = calibrate(wrong, trial, classical_weights)
    assert trial.quality().word("sigma") == "poor"
    assert after.quality().sigma < 0.03
    assert after.quality().kld < 0.2 * trial.quality().kld


def test_calibration_puts_grain_right(
    profile: NoiseProfile, measured: Measured, classical_weights: Weights
) -> None:
    blurred = np.zeros_like(profile.measured.kernel)
    for c in range(3):
        blurred[c, c, 6:9, 6:9] = 1 / 3
    wrong = spoiled(profile, kernel=blurred)
    trial = try_profile(wrong, tried_windows(measured.windows), classical_weights)
    _, after = calibrate(wrong, trial, classical_weights)
    assert trial.quality().correlation > 0.05
    assert after.quality().correlation < 0.5 * trial.quality().correlation


def test_what_is_corrected_is_judged_on_other_windows(
    profile: NoiseProfile, measured: Measured, classical_weights: Weights
) -> None:
    windows = tried_windows(measured.windows)
    trial = try_profile(profile, windows, classical_weights)
    changed = replace(windows, residual=windows.residual.copy())
    # What every other window shows is another camera: nothing of it helps the rest.
    changed.residual[::2] *= 2
    trial = replace(trial, windows=changed)
    after, _ = calibrate(profile, trial, classical_weights)
    tried = try_profile(after, changed, classical_weights)
    assert distance(judged(tried)) <= distance(judged(trial))


def test_tuning_mends_a_spoiled_prompt_and_nothing_else() -> None:
    weights = load_weights()
    reference = Reference("a.png", add_gaussian(CLEAN, 12), CLEAN)
    measured = measure_references([reference])
    encoded = encode_profile(measured, weights)
    moved = encoded.tokens + np.random.default_rng(0).normal(0, 2, encoded.tokens.shape)
    wrong = replace(encoded, tokens=moved.astype(np.float32))
    before = {name: value.clone() for name, value in weights.model.state_dict().items()}
    trial = try_profile(wrong, tried_windows(measured.windows), weights)
    tuned, after = tune(wrong, trial, measured.windows, weights, 12)
    assert tuned.tuned > 0
    assert distance(judged(after)) < distance(judged(trial))
    assert tuned.measured is wrong.measured
    assert tuned.calibrated is None
    assert all(before[name].equal(value) for name, value in weights.model.state_dict().items())


def test_few_windows_are_tried_but_not_corrected(weights: Weights) -> None:
    clean = CLEAN[:64, :96]
    (fitted,) = fitted_groups([Reference("a.png", add_gaussian(clean, 12), clean)], weights)
    assert FEWEST_WINDOWS > (64 // 32) * (96 // 32)
    assert fitted.profile.calibrated is None
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
    ("values", "word"),
    [
        ((0.01, 0.1, 0.001, 0.01), "good"),
        ((0.1, 0.1, 0.001, 0.01), "fair"),
        ((0.01, 0.1, 0.2, 0.05), "poor"),
    ],
)
def test_the_worst_word_counts(values: tuple[float, ...], word: str) -> None:
    assert Quality(*values).overall == word


def test_a_network_that_misleads_is_trusted_less(weights: Weights, measured: Measured) -> None:
    """The test's network has random last layers: without them its noise is the measured one."""
    encoded = encode_profile(measured, weights)
    fitted = close_loop(encoded, measured, weights)
    assert fitted.profile.trust == 0
    assert fitted.before.overall == "poor"
    assert fitted.profile.quality is not None
    assert fitted.profile.quality.overall == "good"


def test_without_trust_the_generator_is_the_classical_model(
    weights: Weights, classical_weights: Weights, measured: Measured
) -> None:
    windows = tried_windows(measured.windows)
    distrusted = replace(encode_profile(measured, weights), trust=0.0)
    classical = encode_profile(measured, classical_weights)
    one = try_profile(distrusted, windows, weights).fake
    other = try_profile(classical, windows, classical_weights).fake
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("count", [20, 96, 300])
def test_no_window_both_teaches_and_judges(measured: Measured, count: int) -> None:
    windows = measured.windows.where(np.arange(count) % len(measured.windows))
    numbered = replace(windows, residual=np.arange(count)[:, None, None, None] + 0 * windows.clean)
    judging = tried_windows(numbered).residual[1::2, 0, 0, 0]
    teaching = learned_windows(numbered).residual[:, 0, 0, 0]
    assert not set(judging) & set(teaching)
    assert len(judging) + len(teaching) == count
