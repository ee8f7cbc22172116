"""Metrics that need the noise of all targets of a split at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from noisegen.evaluation.denoiser import DenoiserConfig, PictureQuality
from noisegen.evaluation.denoising_gap import denoising_gap, quality_taught_by
from noisegen.evaluation.mmd import MMDConfig, patch_mmd
from noisegen.evaluation.side_by_side import SideBySide
from noisegen.evaluation.told_apart import ClassifierConfig, ToldApart, told_apart


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
        mmd: squared, unbiased (:mod:`.mmd`).
        told_apart: accuracy of a classifier (:mod:`.told_apart`).
        denoising_gap: in PSNR and SSIM (:mod:`.denoising_gap`).
    """

    mmd: float
    told_apart: ToldApart
    denoising_gap: PictureQuality


def measure_sets(
    comparisons: Iterable[SideBySide], device: str = "cpu", config: SetConfig = DEFAULT
) -> Iterator[tuple[str, SetScores]]:
    """Row and its scores, one after the other: a row takes about a minute on one core.

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
    """Equal for rows that hold the very same real pictures."""
    return tuple(id(comparison.real) for comparison in row)
