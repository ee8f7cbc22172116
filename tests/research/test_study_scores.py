"""Means, spreads and differences of a study's runs."""

from __future__ import annotations

import pytest

from noisegen.research.study.runs import ArmRun, Score
from noisegen.research.study.scores import differences, qualities


def run_of(arm: str, seed: int, *psnrs: float) -> ArmRun:
    """One test of pictures a, a, b: two crops of one scene and one of another."""
    pictures = zip(("a/1", "a/2", "b/1"), psnrs, strict=True)
    return ArmRun(
        arm, seed, tuple(Score("seen", name, name[0], p, p / 100) for name, p in pictures)
    )


RUNS = [
    run_of("noisy", 0, 20, 20, 20),
    run_of("real", 0, 30, 32, 34),
    run_of("real", 1, 31, 33, 35),
    run_of("generated", 0, 29, 31, 35),
    run_of("generated", 1, 30, 32, 38),
]


def test_means_and_their_spread_between_seeds() -> None:
    noisy, real, generated = qualities(RUNS)
    assert (noisy.psnr, noisy.psnr_over_seeds, noisy.seeds) == (20, None, 1)
    assert real.psnr == pytest.approx(32.5)
    assert real.psnr_over_seeds == pytest.approx(0.5**0.5)
    assert generated.ssim == pytest.approx(0.325)


def test_differences_are_paired_and_crops_of_a_picture_count_as_one() -> None:
    noisy, generated = differences(RUNS)
    assert (noisy.arm, noisy.against) == ("noisy", "real")
    assert noisy.psnr == pytest.approx(-12.5)
    assert generated.psnr == pytest.approx((-1 - 1 + 1 - 1 - 1 + 3) / 6)
    # Scenes a and b differ by −1 and +2: their standard error is half of 3.
    assert generated.psnr_error == pytest.approx(1.5)
    assert generated.psnr_over_seeds == pytest.approx((2 / 3) / 2**0.5)


def test_contrasts_beside_the_yardstick() -> None:
    runs = [run_of("few", 0, 30, 30, 30), run_of("few+generated", 0, 31, 31, 31)]
    (only,) = differences(runs)
    assert (only.arm, only.against, only.psnr) == ("few+generated", "few", 1)
    assert only.psnr_over_seeds is None
