"""What a plot of a profile shows: crops that tell most, spectra, both sides on one clean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fitted import create_profile
from pictures import add_gaussian, scene

from noisegen.errors import BadReferenceError
from noisegen.evaluation.profile_view import (
    built_in_clean,
    radial_power,
    telling_crop,
    view_alone,
    view_on_reference,
)
from noisegen.evaluation.report.charts import Look, Sides, charts_of
from noisegen.evaluation.report.draw import report_png
from noisegen.evaluation.report.profile import profile_report
from noisegen.model.weights import Weights
from noisegen.profiles.profile import NoiseProfile
from noisegen.references.check import Reference

CLEAN = scene(256, 256)
SIGMA = 9
NOISY = Reference("n.png", add_gaussian(CLEAN, SIGMA), CLEAN)


@pytest.fixture(scope="module")
def profile(classical_weights: Weights) -> NoiseProfile:
    return create_profile([NOISY], classical_weights, name="gauss")


def test_a_crop_is_varied_and_not_clipped() -> None:
    picture = np.full((400, 600, 3), 0.5, np.float32)
    picture[:200, :200] = np.linspace(0, 1.5, 200, dtype=np.float32)[:, None].clip(0, 1)
    picture[200:, 400:] = np.linspace(0.2, 0.8, 200, dtype=np.float32)[:, None]
    rows, columns = telling_crop(picture)
    assert (rows.stop - rows.start, columns.stop - columns.start) == (192, 192)
    assert rows.start >= 192 - 32
    assert columns.start >= 384 - 32
    assert rows.start % 8 == columns.start % 8 == 0


def test_a_small_picture_is_its_own_crop() -> None:
    assert telling_crop(np.full((40, 61, 1), 0.5, np.float32)) == (slice(0, 40), slice(0, 56))


def test_white_noise_has_power_one_and_blurred_noise_less_above() -> None:
    white = np.random.default_rng(0).normal(0, 7, (64, 1, 32, 32)).astype(np.float32)
    frequency, power = radial_power(white)
    assert (frequency[0], frequency[-1]) == (1 / 32, 0.5)
    np.testing.assert_allclose(power, 1, atol=0.1)
    blurred = radial_power(white + np.roll(white, 1, -1) + np.roll(white, 1, -2))[1]
    assert blurred[0] > 2
    assert blurred[-1] < 0.6


def test_the_built_in_clean_shows_every_intensity() -> None:
    clean = built_in_clean(3)
    assert clean.dtype == np.float32
    assert 0 <= clean.min() < 0.1 < 0.9 < clean.max() <= 1
    assert np.histogram(clean[..., 0], 16, (0, 1))[0].min() > 1000


@pytest.mark.parametrize("with_clean", [True, False])
def test_a_reference_beside_its_generated_noise(
    profile: NoiseProfile, classical_weights: Weights, with_clean: bool
) -> None:
    reference = NOISY if with_clean else replace(NOISY, clean=None)
    view = view_on_reference(profile, reference, classical_weights)
    crop = view.crop
    assert crop is not None
    assert crop.estimated is not with_clean
    assert crop.noisy.shape == crop.residual.shape == crop.generated.shape == (192, 192, 3)
    assert view.measured.residual.shape == view.generated.residual.shape
    for residual in (crop.generated, view.generated.residual):
        assert 255 * residual.std() == pytest.approx(SIGMA, rel=0.1)
    if with_clean:
        steps = 255 * crop.generated
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-2)


def test_alone_both_sides_are_the_profile(
    profile: NoiseProfile, classical_weights: Weights
) -> None:
    view = view_alone(profile, classical_weights)
    assert view.crop is None
    assert view.measured.statistics is profile.measured
    # An untrained network is the classical model, but for rounding.
    step = 1 / 255
    np.testing.assert_allclose(view.measured.residual, view.generated.residual, atol=1.1 * step)
    found = view.generated.statistics
    for c in range(3):
        inner = found.nodes[c, 3:-3]
        measured = np.interp(inner, profile.measured.nodes[c], profile.level_curve[c])
        np.testing.assert_allclose(found.level[c, 3:-3], measured, rtol=0.1)


def test_a_gray_reference_of_a_colour_profile_is_refused(
    profile: NoiseProfile, classical_weights: Weights
) -> None:
    gray = Reference("gray.png", NOISY.noisy[..., 0], CLEAN[..., 0])
    with pytest.raises(BadReferenceError, match=r"gray\.png: is gray, but profile gauss is RGB"):
        view_on_reference(profile, gray, classical_weights)


def test_equal_views_are_equal_files(profile: NoiseProfile, classical_weights: Weights) -> None:
    view = view_alone(profile, classical_weights)
    named = replace(profile_report(view), title="50 $ of 100 $, a name 猫")
    assert report_png(named, "good") == report_png(named, "good")


def test_what_references_do_not_show_is_pale(
    profile: NoiseProfile, classical_weights: Weights
) -> None:
    made = view_alone(profile, classical_weights).generated
    measured = profile.measured
    dark = replace(measured, pixels=np.where(measured.nodes > 0.5, 0, measured.pixels))
    level, *_ = charts_of(Sides(made, made, "real", replace(profile, measured=dark), 0))
    curves = [one.name for one in level.series if one.look is Look.PALE]
    assert curves == ["", "", "pale: not in the references"]
    firm, pale = (
        next(one for one in level.series if one.look is look)
        for look in (Look.DOTS, Look.PALE_DOTS)
    )
    assert np.nanmax(firm.x[np.isfinite(firm.y)]) < 160 < np.nanmax(pale.x[np.isfinite(pale.y)])
