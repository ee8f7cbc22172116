"""PSNR, SSIM, the DnCNN and what it loses by learning from generated noise; MMD of patches."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from comparisons import comparisons, grain, white
from numpy.typing import NDArray
from pictures import add_gaussian, scene
from skimage.metrics import structural_similarity

from noisegen.evaluation import set_metrics
from noisegen.evaluation.denoiser import (
    Denoiser,
    DenoiserConfig,
    DnCNN,
    Pair,
    PictureQuality,
    denoise,
    planes,
    train_denoiser,
)
from noisegen.evaluation.image_quality import psnr, ssim
from noisegen.evaluation.set_metrics import denoising_gap, patch_mmd, quality_taught_by, squared_mmd

QUICK = DenoiserConfig(layers=4, channels=16, steps=120, crops=4, side=32, rate=4e-3)


def test_psnr_of_a_known_error() -> None:
    clean = torch.zeros(1, 1, 2, 2)
    clean[0, 0, 0, 0] = 0.2
    assert psnr(torch.zeros_like(clean), clean) == pytest.approx(20)


def test_ssim_is_scikit_images() -> None:
    clean = scene(40, 56)
    noisy = add_gaussian(clean, 20)
    expected = structural_similarity(
        clean,
        noisy,
        channel_axis=2,
        data_range=255,
        gaussian_weights=True,
        use_sample_covariance=False,
    )
    assert ssim(planes(noisy), planes(clean)) == pytest.approx(expected, abs=1e-6)


def test_published_size() -> None:
    """20 layers of 64 channels on RGB: only the first and last convolution touch colours."""
    network = Denoiser(3, DenoiserConfig(layers=20, channels=64, batch_norm=True))
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert (len(convolutions), len(norms)) == (20, 18)
    assert sum(c.weight.numel() for c in convolutions) == 18 * 64 * 64 * 9 + 2 * 3 * 64 * 9


def test_he_start_keeps_the_strength_of_what_passes() -> None:
    """Six layers of torch's own weights make next to nothing of an edge, so learning waits."""
    picture = planes(scene(64, 64)) - 0.5
    spreads = []
    for he_start in (False, True):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = DnCNN(3, DenoiserConfig(he_start=he_start))
        features = torch.nn.Sequential(*list(network)[:-1])(picture).detach()
        # Over places, not over channels: biases alone tell no place from another.
        spreads.append(float(features.std((2, 3)).mean() / picture.std((2, 3)).mean()))
    assert spreads[0] < 0.05
    assert spreads[1] > 0.3


NAFNET = replace(QUICK, kind="nafnet", layers=2)


@pytest.mark.parametrize("config", [QUICK, NAFNET])
def test_learns_to_denoise(config: DenoiserConfig) -> None:
    """The picture's sides are no multiple of NAFNet's coarsest cells."""
    cleans = [scene(97, 102, seed=seed) for seed in range(4)]
    pairs = [(add_gaussian(clean, 25, seed), clean) for seed, clean in enumerate(cleans)]
    denoiser = train_denoiser(pairs[:3], config)
    noisy, clean = pairs[3]
    assert psnr(denoise(denoiser, noisy), planes(clean)) > psnr(planes(noisy), planes(clean)) + 3


@pytest.mark.slow
def test_equal_noise_leaves_no_gap_and_wrong_noise_does() -> None:
    same = denoising_gap(comparisons(white(20), white(20)), QUICK)
    wrong = comparisons(white(20), white(4))
    taught = quality_taught_by([c.real_pair for c in wrong], wrong, QUICK)
    gap = denoising_gap(wrong, QUICK, taught_by_real=taught)
    assert abs(same.psnr) < 0.5
    assert gap.psnr > 1
    assert gap.ssim > 0
    assert gap == denoising_gap(wrong, QUICK)


def test_a_scene_is_never_tested_by_what_learnt_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = comparisons(white(20), white(20), scenes=5, side=48)
    learnt: list[list[int]] = []
    tested: list[int] = []

    def train(pairs: list[Pair], config: DenoiserConfig, device: str) -> int:
        learnt.append([id(clean) for _, clean in pairs])
        return len(learnt) - 1

    def judge(fold: int, pair: Pair) -> PictureQuality:
        shown = next(c for c in pictures if c.real is pair[0])
        tested.append(id(shown.target.clean))
        assert id(shown.target.clean) not in learnt[fold]
        return PictureQuality(0, 0)

    monkeypatch.setattr(set_metrics, "train_denoiser", train)
    monkeypatch.setattr(set_metrics, "denoised_quality", judge)
    quality_taught_by([c.fake_pair for c in pictures], pictures)
    assert sorted(tested) == sorted(id(c.target.clean) for c in pictures)


Doubles = NDArray[np.float64]


def test_agrees_with_a_double_loop() -> None:
    rng = np.random.default_rng(0)
    real, fake = rng.normal(0, 1, (7, 4)), rng.normal(0.5, 1.3, (5, 4))
    distances = [np.linalg.norm(real[i] - real[j]) for i in range(7) for j in range(i)]
    median = float(np.median(distances))

    def kernel(a: Doubles, b: Doubles) -> float:
        squared = float(((a - b) ** 2).sum())
        return sum(math.exp(-squared / (2 * (w * median) ** 2)) for w in (0.5, 2.0))

    def mean_of_others(sample: Doubles) -> float:
        count = range(len(sample))
        return float(
            np.mean([kernel(sample[i], sample[j]) for i in count for j in count if i != j])
        )

    across = np.mean([kernel(a, b) for a in real for b in fake])
    expected = mean_of_others(real) + mean_of_others(fake) - 2 * across
    assert squared_mmd(real, fake, (0.5, 2.0)) == pytest.approx(expected, rel=1e-9)


def test_is_zero_in_the_mean_for_one_distribution() -> None:
    """Unbiased: below 0 about as often as above. The biased estimate would be near 2 · 5 / 40."""
    rng = np.random.default_rng(1)
    values = [
        squared_mmd(rng.normal(0, 1, (40, 6)), rng.normal(0, 1, (40, 6)), (0.25, 0.5, 1, 2, 4))
        for _ in range(60)
    ]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))
    assert min(values) < 0 < max(values)


def test_grows_with_a_mismatch_of_strength() -> None:
    same, near, far = (
        patch_mmd(comparisons(white(10), white(sigma))) for sigma in (10.0, 11.0, 14.0)
    )
    assert abs(same) < 0.1 * near
    assert near < 0.5 * far


def test_sees_correlation_at_equal_strength() -> None:
    same = patch_mmd(comparisons(grain(10), grain(10)))
    assert patch_mmd(comparisons(white(10), grain(10))) > 10 * abs(same)


def test_noise_free_pictures_do_not_divide_by_zero() -> None:
    assert patch_mmd(comparisons(white(0), white(0))) == pytest.approx(0)
    assert patch_mmd(comparisons(white(0), white(5))) > 1
