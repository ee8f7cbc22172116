"""Scores of one row over pictures that come one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisegen.evaluation.noise_summary import NoiseSummary, summarise_noise, summary_scores
from noisegen.evaluation.protocol import Target
from noisegen.evaluation.side_by_side import SideBySide
from noisegen.noise.metrics import average_kl_divergence

ALL = "all"
NAMES = {1: ("gray",), 3: ("R", "G", "B")}

Scores = dict[str, float]
"""Metric → distance."""


@dataclass(frozen=True)
class PictureScores:
    """Distances on one picture.

    Attributes:
        picture: its name.
        channels: ``all`` and each channel's name → metric → distance.
    """

    picture: str
    channels: dict[str, Scores]


@dataclass(frozen=True, eq=False)
class RowScores:
    """Distances of one row.

    Attributes:
        name: of the row.
        pictures: one by one; empty where real and generated noise lie on different pictures.
        together: the same of all pictures' noise in one; AKLD compares pixel by pixel and is not
            among them.
        real: all real noise.
        fake: all generated noise.
        kept: crops for the metrics of patches and denoisers.
    """

    name: str
    pictures: tuple[PictureScores, ...]
    together: dict[str, Scores]
    real: NoiseSummary
    fake: NoiseSummary
    kept: tuple[SideBySide, ...]

    def summary(self, channel: str, metric: str) -> dict[str, float | None]:
        """Mean and median over pictures, and the figure of all together, where there is one."""
        values = [scores.channels[channel][metric] for scores in self.pictures]
        finite = [value for value in values if np.isfinite(value)]
        return {
            "mean": float(np.mean(finite)) if finite else None,
            "median": float(np.median(finite)) if finite else None,
            "together": self.together[channel].get(metric),
        }


class RowTally:
    """Adds pictures up.

    Args:
        name: of the row.
        klds: further KL divergences by name.
    """

    def __init__(self, name: str, klds: Sequence[str]) -> None:
        self.name = name
        self.real_pictures = self.fake_pictures = 0
        self._klds = klds
        self._pictures: list[PictureScores] = []
        self._real: NoiseSummary | None = None
        self._fake: NoiseSummary | None = None
        self._kept: list[SideBySide] = []
        self._kept_real: list[Target] = []
        self._kept_fake: list[Target] = []

    def add(self, comparison: SideBySide, kept: Target | None) -> None:
        """Both noises on one picture.

        Args:
            comparison: of the two.
            kept: crop of the target to be kept, if any. Rows that share their real picture share
                it, so that what it teaches a denoiser is learned once.
        """
        target = comparison.target
        real, fake = (
            summarise_noise(noisy, target.clean, target.white_level)
            for noisy in (comparison.real, comparison.fake)
        )
        self._pictures.append(PictureScores(target.name, self._of_channels(real, fake, comparison)))
        self._count(real, fake)
        if kept is not None:
            sides = kept.clean.shape[:2]
            is_target = comparison.real is target.noisy
            real_part = kept.noisy if is_target else middle_part(comparison.real, sides)
            fake_part = middle_part(comparison.fake, sides)
            self._kept.append(replace(comparison, target=kept, real=real_part, fake=fake_part))

    def add_real(self, shown: Target, kept: Target | None) -> None:
        """Real noise on a picture that no generated noise lies on."""
        self._count(summarise_noise(shown.noisy, shown.clean, shown.white_level), None)
        if kept is not None:
            self._kept_real.append(kept)

    def add_fake(self, shown: Target, kept: Target | None) -> None:
        """Generated noise on a picture that no real noise lies on."""
        self._count(None, summarise_noise(shown.noisy, shown.clean, shown.white_level))
        if kept is not None:
            self._kept_fake.append(kept)

    def scores(self) -> RowScores:
        """Of all that was added.

        Raises:
            ValueError: no picture of one of the two sides was.
        """
        if self._real is None or self._fake is None:
            raise ValueError(f"{self.name}: nothing to compare was added")
        together = self._of_channels(self._real, self._fake, None)
        kept = (*self._kept, *self._couples())
        pictures = tuple(self._pictures)
        return RowScores(self.name, pictures, together, self._real, self._fake, kept)

    def _count(self, real: NoiseSummary | None, fake: NoiseSummary | None) -> None:
        if real is not None:
            self._real = real if self._real is None else self._real + real
            self.real_pictures += 1
        if fake is not None:
            self._fake = fake if self._fake is None else self._fake + fake
            self.fake_pictures += 1

    def _of_channels(
        self, real: NoiseSummary, fake: NoiseSummary, comparison: SideBySide | None
    ) -> dict[str, Scores]:
        found = {ALL: summary_scores(real, fake, self._klds)}
        for c, name in enumerate(NAMES[real.channels]):
            found[name] = summary_scores(real.channel(c), fake.channel(c), self._klds)
        if comparison is not None:
            noises = comparison.real_noise, comparison.fake_noise
            for c, name in enumerate(NAMES[real.channels]):
                one, other = (noise[..., c : c + 1] for noise in noises)
                found[name]["akld"] = average_kl_divergence(one, other)
            found[ALL]["akld"] = float(np.mean([found[n]["akld"] for n in NAMES[real.channels]]))
        return found

    def _couples(self) -> list[SideBySide]:
        """Real and generated pictures side by side, each once, cropped to the smaller."""
        couples = []
        for real, fake in zip(self._kept_real, self._kept_fake, strict=False):
            height, width, _ = np.minimum(real.clean.shape, fake.clean.shape).tolist()
            one, other = (middle_crop(shown, (height, width)) for shown in (real, fake))
            couples.append(
                SideBySide(self.name, one.name, one, one.noisy, other.noisy, other.clean)
            )
        return couples


def middle_crop(shown: Target, sides: tuple[int, ...]) -> Target:
    """The middle of a target, at most so many rows and columns."""
    noisy, clean = (middle_part(picture, sides) for picture in (shown.noisy, shown.clean))
    return replace(shown, noisy=noisy, clean=clean)


def middle_part(picture: NDArray[Any], sides: tuple[int, ...]) -> NDArray[Any]:
    """The middle of a picture on its 8-pixel grid, in memory of its own."""
    y, x = (
        max(0, (length - side) // 16 * 8)
        for length, side in zip(picture.shape[:2], sides, strict=True)
    )
    return picture[y : y + sides[0], x : x + sides[1]].copy()
