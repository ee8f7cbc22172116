"""Summaries of noise: their distances are the metrics', they add up; KL divergences by name."""

from __future__ import annotations

import numpy as np
import pytest
from comparisons import comparisons, grain, white
from numpy.typing import NDArray
from pictures import scene
from scipy.stats import entropy, ks_2samp

from noisegen.evaluation.noise_summary import (
    TABLE,
    VARIANTS,
    NoiseSummary,
    summarise_noise,
    summary_scores,
)
from noisegen.evaluation.side_by_side import SideBySide, noise_of
from noisegen.files import to_float
from noisegen.noise.metrics import compare, kl_divergence

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


Counts = NDArray[np.int64]
VALUES = (np.arange(-255, 256).astype(np.float32) / np.float32(255)).astype(np.float32)
RNG = np.random.default_rng(0)
REAL, FAKE = (np.rint(RNG.normal(0, sigma, (3, 4000))).astype(int) for sigma in (8, 11))


def counted(noise: NDArray[np.int_]) -> Counts:
    """C×N steps of 8 bits → C×511."""
    return np.stack([np.bincount(plane + 255, minlength=511) for plane in noise])


def of(name: str, real: NDArray[np.int_], fake: NDArray[np.int_]) -> float:
    return VARIANTS[name].divergence(counted(real), counted(fake), VALUES)


def few(*steps: int) -> NDArray[np.int_]:
    return np.array([steps])


def test_the_tables_kld_is_the_metric() -> None:
    def noise(steps: NDArray[np.int_]) -> NDArray[np.float32]:
        picture: NDArray[np.float32] = steps.T[None].astype(np.float32) / np.float32(255)
        return picture

    assert of(TABLE, REAL, FAKE) == pytest.approx(
        kl_divergence(noise(REAL), noise(FAKE)), rel=1e-12
    )


def test_two_values_by_hand() -> None:
    """Real: a quarter at 30; generated: half. Every variant's bins keep 0 and 30 of 255 apart."""
    plain = 0.25 * np.log(0.25 / 0.5) + 0.75 * np.log(0.75 / 0.5)
    for name in ("naflow", "noise-flow", "henz"):
        assert of(name, few(30, 0, 0, 0), few(30, 30, 0, 0)) == pytest.approx(plain)


@pytest.mark.parametrize(("name", "bins"), [("noise2noise-flow", 66), ("srgb-flow", 130)])
def test_counts_that_are_added_by_hand(name: str, bins: int) -> None:
    """4 pixels and one more in every bin: 2/4+bins at 30, 4/4+bins at 0, and 1 everywhere else."""
    n = 4 + bins
    by_hand = 2 / n * np.log(2 / 3) + 4 / n * np.log(4 / 3)
    assert of(name, few(30, 0, 0, 0), few(30, 30, 0, 0)) == pytest.approx(by_hand)


def test_bins_that_one_side_leaves_empty() -> None:
    """Left out where nothing is added to the counts, so the figure can be below 0."""
    assert of("naflow", few(30, 0), few(60, 0)) == pytest.approx(0)
    assert of("naflow", few(30, 0), few(0, 0)) == pytest.approx(0.5 * np.log(0.5))
    assert of("srgb-flow", few(30, 0), few(60, 0)) > 0


def test_added_counts_are_scipys_entropy() -> None:
    edges = np.arange(-260, 261, 4)
    p, q = (np.histogram(noise, edges)[0] + 1 for noise in (REAL, FAKE))
    assert of("srgb-flow", REAL, FAKE) == pytest.approx(entropy(p, q), rel=1e-12)
    outer = np.concatenate([[-1000], np.arange(-0.1, 0.1 + 1e-9, 0.2 / 64), [1000]])
    p, q = (np.histogram(noise / 255, outer)[0] + 1 for noise in (REAL, FAKE))
    assert of("noise2noise-flow", REAL, FAKE) == pytest.approx(entropy(p, q), rel=1e-12)


def test_henz_is_a_mean_over_channels() -> None:
    edges = np.concatenate([[-256.0], np.arange(-50, 50, 2), [256]]) - 0.1
    channels = []
    for real, fake in zip(REAL, FAKE, strict=True):
        p, q = (np.histogram(noise, edges)[0] for noise in (real, fake))
        both = (p > 0) & (q > 0)
        channels.append(np.sum(p[both] / 4000 * np.log(p[both] / q[both])))
    assert of("henz", REAL, FAKE) == pytest.approx(np.mean(channels), rel=1e-12)


def test_they_differ_on_the_same_noise() -> None:
    figures = [of(name, REAL, FAKE) for name in VARIANTS]
    assert len({round(figure, 4) for figure in figures}) == len(VARIANTS)
    assert all(of(name, REAL, REAL) == pytest.approx(0, abs=1e-12) for name in VARIANTS)
