"""Summaries of noise: the distances between them are the metrics', and they add up."""

from __future__ import annotations

import numpy as np
import pytest
from comparisons import comparisons, grain, white
from pictures import scene
from scipy.stats import ks_2samp

from noisegen.evaluation.noise_summary import NoiseSummary, summarise_noise, summary_scores
from noisegen.evaluation.side_by_side import SideBySide, noise_of
from noisegen.files import to_float
from noisegen.noise.metrics import compare

ONE, TWO = comparisons(grain(9), white(14), scenes=2, side=96)


def summaries(comparison: SideBySide) -> tuple[NoiseSummary, NoiseSummary]:
    clean = comparison.target.clean
    real, fake = (summarise_noise(x, clean, 255) for x in (comparison.real, comparison.fake))
    return real, fake


def test_distances_of_one_picture_are_the_metrics() -> None:
    clean = to_float(ONE.target.clean, 255)
    expected = compare(ONE.real_noise, ONE.fake_noise, clean).as_dict()
    found = summary_scores(*summaries(ONE))
    assert set(found) == set(expected) - {"akld", "kld0"}
    for name, value in found.items():
        assert value == pytest.approx(expected[name], rel=1e-7), name


def test_a_channel_is_the_picture_of_that_channel() -> None:
    real, fake = (summary.channel(1) for summary in summaries(ONE))
    clean = ONE.target.clean[..., 1:2]
    one, other = (summarise_noise(x[..., 1:2], clean, 255) for x in (ONE.real, ONE.fake))
    assert summary_scores(real, fake) == summary_scores(one, other)


def test_two_pictures_together_are_one_of_both() -> None:
    """But for the correlation, which has no neighbours across the border, and two means."""
    together = summaries(ONE)[0] + summaries(TWO)[0]
    real, clean = (
        np.concatenate([one, two])
        for one, two in ((ONE.real, TWO.real), (ONE.target.clean, TWO.target.clean))
    )
    joined = summarise_noise(real, clean, 255)
    assert np.array_equal(together.counts, joined.counts)
    np.testing.assert_allclose(together.level, joined.level, rtol=1e-12)
    assert together.sigma == pytest.approx(noise_of(real, clean).std(dtype=np.float64))
    np.testing.assert_allclose(together.correlations, joined.correlations, atol=0.02)


def test_other_pictures_of_other_sizes_can_be_compared() -> None:
    """One process on two sets of pictures: all distances are small; another process: they grow."""
    one, two = (comparisons(grain(9), white(14), side=side) for side in (128, 160))
    reals = [summaries(c)[0] for c in one]
    real = sum(reals[1:], reals[0])
    same, other = ([summaries(c)[index] for c in two] for index in (0, 1))
    near = summary_scores(real, sum(same[1:], same[0]))
    far = summary_scores(real, sum(other[1:], other[0]))
    for name in near:
        assert near[name] < 0.35 * far[name], name


def test_ks_is_scipys() -> None:
    real, fake = summaries(ONE)
    expected = ks_2samp(ONE.real_noise.ravel(), ONE.fake_noise.ravel()).statistic
    assert summary_scores(real, fake)["ks"] == pytest.approx(expected, abs=1e-12)


def test_levels_by_a_naive_loop() -> None:
    real = summaries(ONE)[0]
    clean, noise = ONE.target.clean[..., 2], ONE.real_noise[..., 2]
    for index in (6, 8):
        shown = noise[(clean >= np.ceil(index * 255 / 16)) & (clean < (index + 1) * 255 / 16)]
        assert real.pixels[2, index] == shown.size > 100
        assert real.level[2, index] == pytest.approx(shown.std(dtype=np.float64), rel=1e-6)


def test_16_bits_are_measured_against_their_white_level() -> None:
    """The same noise in steps 16 times as fine: σ, levels and correlations stay."""
    clean = scene(64, 64).astype(np.uint16) * 16
    noise = np.random.default_rng(0).normal(0, 160, clean.shape)
    noisy = np.clip(np.rint(clean + noise), 0, 4080).astype(np.uint16)
    fine = summarise_noise(noisy, clean, 4080)
    assert fine.counts.shape == (3, 2 * 4080 + 1)
    assert fine.sigma == pytest.approx(10 / 255, rel=0.02)
    assert fine.sigma == pytest.approx(noise_of(noisy, clean, 4080).std(dtype=np.float64))
    assert summary_scores(fine, fine)["kld"] == 0


def test_noise_that_is_not_there() -> None:
    clean = scene(48, 48)
    none = summarise_noise(clean, clean, 255)
    scores = summary_scores(none, none)
    assert np.isnan(scores["sigma"])
    assert scores["level"] == 0
