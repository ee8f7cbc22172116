"""Metrics that need the noise of all targets of a split at once.

MMD compares small patches of real and generated noise. How often a classifier tells them apart is
in :mod:`.told_apart`. The denoising gap is what a denoiser loses when it learns from generated
noise instead of real noise: the targets are split by scene into two folds. On the cleans of one
fold a DnCNN is trained with their real noise, and the same one, from the same start, on the same
crops, with their generated noise; both denoise the real pictures of the other fold; then the folds
change places. The gap is the mean over test pictures of the first one's PSNR (SSIM) minus that of
the second: 0 where the generated noise teaches as much as the real one, negative where it teaches
more.

One training is one sample: on PolyU (48 targets) the floor's own gap was 0.36 dB and another seed
moved a quality by 0.1 dB. Read gaps that small as none, and the floor's row beside the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from noisegen.evaluation.denoiser import (
    DenoiserConfig,
    Pair,
    PictureQuality,
    denoised_quality,
    train_denoiser,
)
from noisegen.evaluation.protocol import PROTOCOL_SEED
from noisegen.evaluation.side_by_side import SideBySide, evenly, scene_folds
from noisegen.evaluation.told_apart import ClassifierConfig, ToldApart, told_apart
from noisegen.noise.arrays import Doubles, Floats, Rng
from noisegen.training.crops import random_place

MOST_TESTED = 24
"""Test pictures a fold, evenly chosen: the rest would cost more than they tell."""

GAP = DenoiserConfig()


def denoising_gap(
    comparisons: Sequence[SideBySide],
    config: DenoiserConfig = GAP,
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
    config: DenoiserConfig = GAP,
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


@dataclass(frozen=True)
class MMDConfig:
    """Patches and kernel of the MMD.

    Attributes:
        side: of a patch, in pixels.
        patches: drawn of each of the two sides.
        bandwidths: of the Gaussian kernels, in medians of the distance between real patches.
        seed: of the patches' places.
    """

    side: int = 8
    patches: int = 1000
    bandwidths: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0)
    seed: int = PROTOCOL_SEED


MMD = MMDConfig()


def patch_mmd(comparisons: Sequence[SideBySide], config: MMDConfig = MMD) -> float:
    """Squared MMD of noise patches, unbiased: 0 in the mean for equal noise, and it may be below.

    Real and generated patches are drawn independently, each from a random place of a random
    target, as the unbiased estimate asks.

    Args:
        comparisons: of one row; their pictures have one number of channels.
        config: patches and kernel.
    """
    rng = np.random.default_rng(config.seed)
    real = _draw_patches([c.real_noise for c in comparisons], config, rng)
    fake = _draw_patches([c.fake_noise for c in comparisons], config, rng)
    return squared_mmd(real, fake, config.bandwidths)


def squared_mmd(real: Doubles, fake: Doubles, bandwidths: Sequence[float]) -> float:
    """Unbiased squared MMD (Gretton et al., JMLR 13, 2012, Eq. 3) of two samples.

    The kernel is the sum over b of exp(−‖x − y‖² / (2 b² m²)), m the median distance of real
    samples among themselves: the generated ones cannot widen the yardstick they are held to.

    Args:
        real: N×D, N of 2 or more.
        fake: M×D, M of 2 or more.
        bandwidths: the b, in medians.
    """
    among_real, among_fake = _squared_distances(real, real), _squared_distances(fake, fake)
    across = _squared_distances(real, fake)
    others = ~np.eye(len(real), dtype=bool)
    # A quarter of a step of 8 bits: where the real noise is nearly none the median can be 0.
    squared_median = max(float(np.median(among_real[others])), (0.25 / 255) ** 2)

    def kernel(squared: Doubles) -> Doubles:
        return sum(
            (np.exp(-squared / (2 * b * b * squared_median)) for b in bandwidths), np.zeros(())
        )

    def mean_of_others(squared: Doubles) -> float:
        count = len(squared)
        values = kernel(squared)
        return float((values.sum() - np.trace(values)) / (count * (count - 1)))

    return (
        mean_of_others(among_real) + mean_of_others(among_fake) - 2 * float(kernel(across).mean())
    )


def _draw_patches(noises: Sequence[Floats], config: MMDConfig, rng: Rng) -> Doubles:
    """Patches from random places of random pictures: N×(side² C)."""
    patches = []
    for index in rng.integers(len(noises), size=config.patches):
        noise = noises[index]
        patches.append(noise[random_place(noise.shape[:2], config.side, rng)].ravel())
    return np.stack(patches).astype(np.float64)


def _squared_distances(a: Doubles, b: Doubles) -> Doubles:
    squares = (a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2 * (a @ b.T)
    distances: Doubles = np.maximum(squares, 0)
    return distances


@dataclass(frozen=True)
class SetConfig:
    """Sizes of the three metrics, each with its reason beside it in its own module."""

    mmd: MMDConfig = field(default_factory=MMDConfig)
    classifier: ClassifierConfig = field(default_factory=ClassifierConfig)
    denoiser: DenoiserConfig = field(default_factory=DenoiserConfig)


DEFAULT = SetConfig()

LEAST_SIDE = max(DEFAULT.mmd.side, DEFAULT.classifier.side, DEFAULT.denoiser.side)
"""Pixels that a picture must have either way."""


@dataclass(frozen=True)
class SetScores:
    """A row's scores on a whole split.

    Attributes:
        mmd: squared, unbiased (:func:`squared_mmd`).
        told_apart: accuracy of a classifier (:mod:`.told_apart`).
        denoising_gap: in PSNR and SSIM (:func:`denoising_gap`).
    """

    mmd: float
    told_apart: ToldApart
    denoising_gap: PictureQuality


def measure_sets(
    comparisons: Iterable[SideBySide], device: str = "cpu", config: SetConfig = DEFAULT
) -> Iterator[tuple[str, SetScores]]:
    """Measures row after row, each with its scores: a row takes about a minute on one core.

    Args:
        comparisons: of one split, any number of rows.
        device: where classifier and denoiser are trained.
        config: sizes of the metrics.

    Raises:
        ValueError: all targets show one scene.
    """
    rows: dict[str, list[SideBySide]] = {}
    for comparison in comparisons:
        rows.setdefault(comparison.row, []).append(comparison)
    known: dict[tuple[int, ...], PictureQuality] = {}
    for name, row in rows.items():
        key = _real_pictures(row)
        if key not in known:
            known[key] = quality_taught_by([c.real_pair for c in row], row, config.denoiser, device)
        yield (
            name,
            SetScores(
                patch_mmd(row, config.mmd),
                told_apart(row, config.classifier, device),
                denoising_gap(row, config.denoiser, device, known[key]),
            ),
        )


def _real_pictures(row: Sequence[SideBySide]) -> tuple[int, ...]:
    """Identities of a row's real pictures: equal for rows that hold the very same ones."""
    return tuple(id(comparison.real) for comparison in row)
