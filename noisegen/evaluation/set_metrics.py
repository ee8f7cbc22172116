"""Metrics that need the noise of all targets of a split at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from noisegen.evaluation.comparison import Comparison
from noisegen.evaluation.denoising_gap import Quality, denoising_gap, quality_taught_by
from noisegen.evaluation.mmd import patch_mmd
from noisegen.evaluation.told_apart import ToldApart, told_apart


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
    denoising_gap: Quality


def measure_sets(
    comparisons: Iterable[Comparison], device: str = "cpu"
) -> Iterator[tuple[str, SetScores]]:
    """Row and its scores, one after the other: a row takes about a minute on one core.

    Args:
        comparisons: of one split, any number of rows.
        device: where classifier and denoiser are trained.

    Raises:
        ValueError: all targets show one scene.
    """
    rows: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        rows.setdefault(comparison.row, []).append(comparison)
    known: dict[tuple[int, ...], Quality] = {}
    for name, row in rows.items():
        key = _real_pictures(row)
        if key not in known:
            known[key] = quality_taught_by([c.real for c in row], row, device=device)
        gap = denoising_gap(row, device=device, taught_by_real=known[key])
        yield name, SetScores(patch_mmd(row), told_apart(row, device=device), gap)


def _real_pictures(row: Sequence[Comparison]) -> tuple[int, ...]:
    """Equal for rows that hold the very same real pictures."""
    return tuple(id(comparison.real) for comparison in row)
