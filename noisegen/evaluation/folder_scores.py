"""Real and synthetic pairs that lie in folders, compared: by picture, by channel, by intensity.

Where both sides hold the same clean pictures, real and synthetic noise are compared picture by
picture and all together; where they hold different ones, all together only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from noisegen.errors import ImageError, NoisegenError, UsageError
from noisegen.evaluation.pair_files import PairFile, PairFolder
from noisegen.evaluation.pair_pictures import (
    Kind,
    find_white_level,
    kind_of,
    read_pair,
    same_pictures,
)
from noisegen.evaluation.protocol import Target
from noisegen.evaluation.row_tally import FAKE, REAL, RowScores, RowTally
from noisegen.evaluation.rows import Known, Row, floor_row, gaussian_row, shipped_row
from noisegen.evaluation.side_by_side import SideBySide, evenly
from noisegen.model.weights import Weights
from noisegen.profiles.profile import NoiseProfile

SYNTHETIC = "synthetic"

MOST_KEPT = 96
"""Pictures, evenly chosen, that the metrics of patches and denoisers are taken from."""

KEPT = 512, 512
"""Rows and columns of the crops of them that are taken."""


Baseline = tuple[Row, NoiseProfile]
"""A row and the profile that it draws by."""


@dataclass(frozen=True, eq=False)
class FolderScores:
    """Distances of synthetic from real noise, over two folders.

    Attributes:
        paired: picture by picture; else only all pictures together.
        kind: of the pictures.
        white_level: of them.
        rows: the synthetic pairs' first, then the baselines'.
        pictures: real and synthetic ones that were compared; the same where paired.
        skipped: pairs that were not, each with the reason.
    """

    paired: bool
    kind: Kind
    white_level: float
    rows: tuple[RowScores, ...]
    pictures: tuple[int, int]
    skipped: tuple[str, ...]


def baseline_rows(profile: NoiseProfile, weights: Weights, device: str = "cpu") -> list[Baseline]:
    """Baselines: Gaussian noise, the profile's own, and the floor.

    Args:
        profile: of references of the real pictures' camera, made with these weights.
        weights: whose two draws are the floor.
        device: where they run.
    """
    rows = gaussian_row(weights), shipped_row(weights, device), floor_row(weights, device)
    return [(row, profile) for row in rows]


def _doubt(shown: list[float], compared_at: float, given: bool) -> str | None:
    """Doubt about the white level of two sides that show these."""
    real, synth = shown
    if (given and max(shown) == compared_at) or len({*shown, compared_at}) == 1:
        return None
    return (
        f"the real pictures look as if their white level were {real:g}, the synthetic ones "
        f"{synth:g}; both are compared at {compared_at:g}, which is wrong unless both have that: "
        "bring them to one white level"
    )


class FolderComparison:
    """A comparison of two folders, pair by pair.

    Attributes:
        doubt: whether one white level can be that of both sides, in words; None for no doubt.

    Args:
        real: pairs of a camera.
        synth: generated pairs.
        lines: baselines, made on the real pairs' cleans.
        klds: further KL divergences by name.
        white_level: of 16-bit pictures; found from both sides' pixels if left out.

    Raises:
        UsageError: the two hold pictures of different kinds, or the baselines are of another.
    """

    def __init__(
        self,
        real: PairFolder,
        synth: PairFolder,
        lines: Sequence[Baseline] = (),
        klds: Sequence[str] = (),
        white_level: float | None = None,
    ) -> None:
        self.kind = kind_of(real)
        other = kind_of(synth)
        if other != self.kind:
            raise UsageError(
                f"{synth.where}: its pictures are {other}, those of {real.where} are {self.kind}; "
                "compare pictures of one kind"
            )
        for _, profile in lines:
            if profile.channels != self.kind.channels:
                raise UsageError(
                    f"{real.where}: its pictures are {self.kind}, but profile {profile.name} "
                    "is of other channels; give references like them"
                )
        self.matched = same_pictures(real.pairs, synth.pairs)
        self.paired = bool(self.matched)
        self.real = [a for a, _ in self.matched] or list(real.pairs)
        self.synth = [b for _, b in self.matched] or list(synth.pairs)
        counted = {id(file) for file in (*self.real, *self.synth)}
        every = (("real", real.pairs), ("synthetic", synth.pairs))
        self.left_out = [
            f"{side} {file.name}"
            for side, files in every
            for file in files
            if id(file) not in counted
        ]
        shown = [find_white_level(side.pairs, self.kind) for side in (real, synth)]
        given = white_level is not None and self.kind.dtype != "uint8"
        self.white_level = white_level if white_level is not None and given else max(shown)
        self.doubt = None if self.paired else _doubt(shown, self.white_level, given)
        self._lines = lines
        names = (SYNTHETIC, *(row.name for row, _ in lines))
        self._tallies = [RowTally(name, klds) for name in names]
        self._skipped = [f"{path}: has no counterpart" for path in (*real.alone, *synth.alone)]

    @property
    def steps(self) -> int:
        """Number of steps that :meth:`run` takes."""
        return len(self.matched) or len(self.real) + len(self.synth)

    def run(self) -> Iterator[int]:
        """Compares pair by pair; yields the pixels of each step."""
        if self.matched:
            yield from self._run_paired()
            return
        for side, files in ((REAL, self.real), (FAKE, self.synth)):
            yield from self._run_alone(side, files)

    def scores(self) -> FolderScores:
        """Scores of all pairs, once :meth:`run` has ended.

        Raises:
            NoisegenError: no picture could be compared.
        """
        first = self._tallies[0]
        if not all(first.counts):
            raise NoisegenError(f"nothing could be compared: {self._skipped[0]}")
        return FolderScores(
            self.paired,
            self.kind,
            self.white_level,
            tuple(tally.scores() for tally in self._tallies),
            (first.counts[REAL], first.counts[FAKE]),
            tuple(self._skipped),
        )

    def _run_paired(self) -> Iterator[int]:
        kept = set(evenly(range(len(self.matched)), MOST_KEPT))
        for index, (real_file, synth_file) in enumerate(self.matched):
            real, synth = self._read(real_file), self._read(synth_file)
            if real is not None and synth is not None:
                if np.array_equal(real.clean, synth.clean):
                    ours = SideBySide(SYNTHETIC, real, real.noisy, synth.noisy)
                    self._add([ours, *self._baselines(real)], self._tallies, real, index in kept)
                else:
                    self._skipped.append(f"{synth_file.clean}: is not {real_file.clean}'s picture")
            yield 0 if real is None else real.clean[..., 0].size

    def _run_alone(self, side: int, files: Sequence[PairFile]) -> Iterator[int]:
        """Adds the pictures of one side; the baselines, made on the real ones, beside those."""
        ours, *others = self._tallies
        kept = set(evenly(range(len(files)), MOST_KEPT))
        for index, file in enumerate(files):
            target = self._read(file)
            if target is not None:
                ours.add_alone(side, target, target.middle(KEPT) if index in kept else None)
                if side == REAL:
                    self._add(self._baselines(target), others, target, index in kept)
            yield 0 if target is None else target.clean[..., 0].size

    def _add(
        self,
        compared: Sequence[SideBySide],
        tallies: Sequence[RowTally],
        target: Target,
        is_kept: bool,
    ) -> None:
        crop = target.middle(KEPT) if is_kept else None
        for tally, comparison in zip(tallies, compared, strict=True):
            tally.add(comparison, crop)

    def _baselines(self, target: Target) -> list[SideBySide]:
        made = []
        for row, profile in self._lines:
            real, fake = (draw(target, Known(profile)) for draw in (row.real, row.fake))
            made.append(SideBySide(row.name, target, real, fake))
        return made

    def _read(self, file: PairFile) -> Target | None:
        try:
            return read_pair(file, self.kind, self.white_level)
        except ImageError as error:
            self._skipped.append(file.told(error))
            return None
