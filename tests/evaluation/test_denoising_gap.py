"""PSNR, SSIM, the DnCNN and what it loses by learning from generated noise."""

from __future__ import annotations

import pytest
import torch
from comparisons import comparisons, white
from pictures import add_gaussian, scene
from skimage.metrics import structural_similarity

from noisegen.evaluation import set_metrics
from noisegen.evaluation.denoiser import (
    DenoiserConfig,
    DnCNN,
    Pair,
    PictureQuality,
    denoise,
    planes,
    train_denoiser,
)
from noisegen.evaluation.image_quality import psnr, ssim
from noisegen.evaluation.set_metrics import denoising_gap, quality_taught_by

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
    network = DnCNN(3, DenoiserConfig(layers=20, channels=64, batch_norm=True))
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
        features = network.noise[:-1](picture).detach()
        # Over places, not over channels: biases alone tell no place from another.
        spreads.append(float(features.std((2, 3)).mean() / picture.std((2, 3)).mean()))
    assert spreads[0] < 0.05
    assert spreads[1] > 0.3


def test_learns_to_denoise() -> None:
    cleans = [scene(96, 96, seed=seed) for seed in range(4)]
    pairs = [(add_gaussian(clean, 25, seed), clean) for seed, clean in enumerate(cleans)]
    denoiser = train_denoiser(pairs[:3], QUICK)
    noisy, clean = pairs[3]
    assert psnr(denoise(denoiser, noisy), planes(clean)) > psnr(planes(noisy), planes(clean)) + 3


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
