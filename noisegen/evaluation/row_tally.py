"""Scores of one row over pictures that come one after the other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from noisegen.evaluation.noise_summary import NoiseSummary, summarise_noise, summary_scores
from noisegen.evaluation.protocol import Target, middle_crop
from noisegen.evaluation.side_by_side import SideBySide
from noisegen.evaluation.tables import mean_and_median
from noisegen.noise.metrics import average_kl_divergence

ALL = "all"
REAL, FAKE = 0, 1
NAMES = {1: ("gray",), 3: ("R", "G", "B")}

Scores = dict[str, float]
"""Metric → distance."""


Channels = dict[str, Scores]
"""``all`` and each channel's name → metric → distance."""


@dataclass(frozen=True, eq=False)
class RowScores:
    """Distances of one row.

    Attributes:
        name: of the row.
        pictures: by name; empty where real and generated noise lie on different pictures.
        together: the same of all pictures' noise in one; AKLD compares pixel by pixel and is not
            among them.
        real: all real noise.
        fake: all generated noise.
        kept: crops for the metrics of patches and denoisers.
    """

    name: str
    pictures: dict[str, Channels]
    together: Channels
    real: NoiseSummary
    fake: NoiseSummary
    kept: tuple[SideBySide, ...]

    def summary(self, channel: str, metric: str) -> dict[str, float | None]:
        """Mean and median over pictures, and the figure of all together, where there is one."""
        values = (channels[channel][metric] for channels in self.pictures.values())
        found = {name: None if math.isnan(v) else v for name, v in mean_and_median(values).items()}
        return {**found, "together": self.together[channel].get(metric)}


class RowTally:
    """The sum of a row's pictures, as they come.

    Args:
        name: of the row.
        klds: further KL divergences by name.

    Attributes:
        counts: real and generated pictures that were added.
    """

    def __init__(self, name: str, klds: Sequence[str]) -> None:
        self.name = name
        self.counts = [0, 0]
        self._klds = klds
        self._pictures: dict[str, Channels] = {}
        self._sums: list[NoiseSummary | None] = [None, None]
        self._kept: list[SideBySide] = []
        self._kept_alone: tuple[list[Target], list[Target]] = ([], [])

    def add(self, comparison: SideBySide, kept: Target | None) -> None:
        """Adds both noises on one picture.

        Args:
            comparison: of the two.
            kept: crop of the target to be kept, if any. Rows that share their real picture share
                it, so that what it teaches a denoiser is learned once.
        """
        target, noisies = comparison.target, (comparison.real, comparison.fake)
        real, fake = (summarise_noise(n, target.clean, target.white_level) for n in noisies)
        self._pictures[target.name] = self._of_channels(real, fake, comparison)
        self._count(REAL, real)
        self._count(FAKE, fake)
        if kept is not None:
            height, width, _ = kept.clean.shape
            parts = [middle_crop(noisy, (height, width)) for noisy in noisies]
            if comparison.real is target.noisy:
                parts[REAL] = kept.noisy
            self._kept.append(replace(comparison, target=kept, real=parts[REAL], fake=parts[FAKE]))

    def add_alone(self, side: int, shown: Target, kept: Target | None) -> None:
        """Adds the noise of one side, REAL or FAKE, on a picture that the other does not show."""
        self._count(side, summarise_noise(shown.noisy, shown.clean, shown.white_level))
        if kept is not None:
            self._kept_alone[side].append(kept)

    def scores(self) -> RowScores:
        """Scores of all that was added.

        Raises:
            ValueError: no picture of one of the two sides was.
        """
        real, fake = self._sums
        if real is None or fake is None:
            raise ValueError(f"{self.name}: nothing to compare was added")
        kept = (*self._kept, *self._couples())
        together = self._of_channels(real, fake, None)
        return RowScores(self.name, self._pictures, together, real, fake, kept)

    def _count(self, side: int, summary: NoiseSummary) -> None:
        before = self._sums[side]
        self._sums[side] = summary if before is None else before + summary
        self.counts[side] += 1

    def _of_channels(
        self, real: NoiseSummary, fake: NoiseSummary, comparison: SideBySide | None
    ) -> Channels:
        names = NAMES[real.channels]
        found = {ALL: summary_scores(real, fake, self._klds)}
        for c, name in enumerate(names):
            found[name] = summary_scores(real.channel(c), fake.channel(c), self._klds)
        if comparison is not None:
            noises = comparison.real_noise, comparison.fake_noise
            for c, name in enumerate(names):
                one, other = (noise[..., c : c + 1] for noise in noises)
                found[name]["akld"] = average_kl_divergence(one, other)
            found[ALL]["akld"] = float(np.mean([found[name]["akld"] for name in names]))
        return found

    def _couples(self) -> Iterator[SideBySide]:
        """Real and generated pictures side by side, each once, cropped to the smaller."""
        for real, fake in zip(*self._kept_alone, strict=False):
            height, width, _ = np.minimum(real.clean.shape, fake.clean.shape).tolist()
            one, other = (shown.middle((height, width)) for shown in (real, fake))
            yield SideBySide(self.name, one, one.noisy, other.noisy, other.clean)
