"""Denoising gap: what a denoiser loses when it learns from generated noise instead of real noise.

The targets are split by scene into two folds. On the cleans of one fold a DnCNN is trained with
their real noise, and the same one, from the same start, on the same crops, with their generated
noise; both denoise the real pictures of the other fold; then the folds change places. The gap is
the mean over test pictures of the first one's PSNR (SSIM) minus that of the second: 0 where the
generated noise teaches as much as the real one, negative where it teaches more.

One training is one sample: on PolyU (48 targets) the floor's own gap was 0.36 dB and another seed
moved a quality by 0.1 dB. Read gaps that small as none, and the floor's row beside the others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from noisegen.evaluation.denoiser import (
    DenoiserConfig,
    Pair,
    PictureQuality,
    denoised_quality,
    train_denoiser,
)
from noisegen.evaluation.side_by_side import SideBySide, evenly, scene_folds

MOST_TESTED = 24
"""Test pictures a fold, evenly chosen: the rest would cost more than they tell."""

DEFAULT = DenoiserConfig()


def denoising_gap(
    comparisons: Sequence[SideBySide],
    config: DenoiserConfig = DEFAULT,
    device: str = "cpu",
    taught_by_real: PictureQuality | None = None,
) -> PictureQuality:
    """Quality after learning from real noise, less quality after learning from generated noise.

    Args:
        comparisons: of one row; their pictures have one number of channels.
        config: of the denoiser.
        device: where it is trained.
        taught_by_real: :func:`quality_taught_by` the real pictures, where it is known already:
            rows of one table share it.

    Raises:
        ValueError: all targets show one scene.
    """
    if taught_by_real is None:
        taught_by_real = quality_taught_by(
            [c.real_pair for c in comparisons], comparisons, config, device
        )
    fakes = [c.fake_pair for c in comparisons]
    return taught_by_real - quality_taught_by(fakes, comparisons, config, device)


def quality_taught_by(
    pairs: Sequence[Pair],
    comparisons: Sequence[SideBySide],
    config: DenoiserConfig = DEFAULT,
    device: str = "cpu",
) -> PictureQuality:
    """Quality on the real pictures of one fold after training on the other, over both folds.

    Args:
        pairs: what is trained on, one a comparison.
        comparisons: give scenes, and the real pictures to test on.
        config: of the denoiser.
        device: where it is trained.
    """
    folds = scene_folds([c.target.scene for c in comparisons], 2)
    psnrs, ssims = [], []
    for learnt, tested in (folds, folds[::-1]):
        denoiser = train_denoiser([pairs[i] for i in learnt], config, device)
        for index in evenly(tested, MOST_TESTED):
            quality = denoised_quality(denoiser, comparisons[index].real_pair)
            psnrs.append(quality.psnr)
            ssims.append(quality.ssim)
    return PictureQuality(float(np.mean(psnrs)), float(np.mean(ssims)))
