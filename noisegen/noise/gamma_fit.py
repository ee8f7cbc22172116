"""Gamma regression with log link beside a curve against intensity, fitted in turn.

McCullagh and Nelder, *Generalized Linear Models*, 1989, Sec. 8.3: squared noise has a variance in
proportion to its squared mean, so that all pixels say equally much of a factor on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noisegen.model.workers import of_each_channel
from noisegen.noise.arrays import Doubles, Floats
from noisegen.noise.cells import Cells
from noisegen.noise.censoring import SMALLEST_LEVEL, trusted_variance

ROUNDS = 3
"""Rounds of fitting the level against intensity and against content in turn."""

STEPS = 4
"""Scoring steps of the gamma regression in a round; its information does not change with them."""

LARGEST = 3.0
"""Natural logarithm of the largest factor on the variance."""

FARTHEST = 5 * LARGEST
"""Largest share of one regressor in that logarithm: beyond it, scoring has diverged, as where
hardly any pixel holds noise."""

OUTLIER = 20.0
"""Square of the noise over its expected variance, above which it counts no more."""


@dataclass(frozen=True)
class GammaFit:
    """A gamma regression beside a curve against intensity, of N windows.

    Attributes:
        square: N×C×h×w, of the noise.
        cells: of the samples' intensities.
        designs: N×h×w×K for each channel.
        pull: K×K, precision of the coefficients before they are fitted, in pixels.
        usual: K, what they are pulled to.
    """

    square: Doubles
    cells: Cells
    designs: list[Doubles]
    pull: Doubles
    usual: Doubles

    def beside(self, maps: Floats, pull: Doubles) -> GammaFit:
        """Add N×C×k×h×w maps and their pull to the regression."""
        more = [np.moveaxis(maps[:, c], 1, -1) for c in range(len(self.designs))]
        designs = [
            np.concatenate(both, -1, dtype=np.float64)
            for both in zip(self.designs, more, strict=True)
        ]
        wider = np.diag(np.concatenate([np.zeros(len(self.usual)), pull]))
        wider[: len(self.usual), : len(self.usual)] = self.pull
        usual = np.concatenate([self.usual, np.zeros(len(pull))])
        return GammaFit(self.square, self.cells, designs, wider, usual)

    def regressed(
        self, design: Doubles, ratio: Doubles, relative: Floats, start: Doubles | None = None
    ) -> Doubles:
        """Coefficients by Fisher scoring of gamma noise: all pixels say equally much.

        Args:
            design: N×h×w×K.
            ratio: N×h×w, squared noise, in units of the trusted variance.
            relative: N×h×w, expected variance in the same units; small where nothing is to be
                learned.
            start: K, coefficients to begin with.
        """
        flat = design.reshape(-1, design.shape[-1])
        trust = np.minimum(relative, 1).ravel()
        information = (flat * trust[:, None]).T @ flat + self.pull
        row = self.usual if start is None else start
        limit = FARTHEST / np.maximum(np.abs(flat).max(0), 1e-2)
        for _ in range(STEPS):
            factor = np.exp((flat @ row).clip(-LARGEST, LARGEST))
            missed = ratio.ravel() / np.maximum(relative.ravel(), 1e-6) / factor - 1
            score = flat.T @ (trust * missed) - self.pull @ (row - self.usual)
            row = (row + np.linalg.solve(information, score)).clip(-limit, limit)
        return row

    def relative(self, level: Doubles) -> tuple[Doubles, Floats]:
        """Squares and expected variance, N×C×h×w, in units of what is trusted at a level, C×n."""
        trusted = self.cells.read(trusted_variance(level))
        weight = self.cells.spread(1 / trusted, self.square.shape)
        expected = self.cells.spread(self.cells.read(level**2) / trusted, self.square.shape)
        return self.square * weight, expected

    def alternate(self, level: Doubles) -> tuple[list[Doubles], Doubles]:
        """Coefficients of each channel, and the level against intensity, fitted in turn."""
        rows = [self.usual] * len(self.designs)
        for _ in range(ROUNDS):
            ratio, expected = self.relative(level)
            rows, factors = self._turn(rows, ratio, expected)
            trusted = trusted_variance(level)
            sums, weight = self.cells.sums(self.square / factors), self.cells.read(trusted) ** -2
            fitted = self.cells.fit(sums, weight, trusted)
            level = np.sqrt(np.maximum(fitted, SMALLEST_LEVEL**2))
        return rows, level

    def _turn(
        self, rows: list[Doubles], ratio: Doubles, expected: Floats
    ) -> tuple[list[Doubles], Doubles]:
        """Coefficients fitted anew from where they were, and their factors, N×C×h×w."""

        def fit(c: int) -> tuple[Doubles, Doubles]:
            row = self.regressed(self.designs[c], ratio[:, c], expected[:, c], rows[c])
            return row, _factor(self.designs[c], row)

        channels = of_each_channel(fit, len(rows), ratio[:, 0].size)
        fitted, factors = zip(*channels, strict=True)
        return list(fitted), np.stack(factors, 1)


def likelihood_gain(
    plain: GammaFit, wider: GammaFit, level: Doubles, black: NDArray[np.bool_]
) -> float:
    """Logarithm of the likelihood a pixel that a wider fit gains on windows left out.

    Each half of a chess board is tried on the other.
    """
    ratio, expected = plain.relative(level)
    gains = np.zeros(len(black))
    for left_out in (black, ~black):

        def gain(c: int, left_out: NDArray[np.bool_] = left_out) -> Doubles:
            costs = []
            for fit in (plain, wider):
                row = fit.regressed(
                    fit.designs[c][~left_out], ratio[~left_out, c], expected[~left_out, c]
                )
                factor = _factor(fit.designs[c][left_out], row)
                costs.append(_cost(ratio[left_out, c], expected[left_out, c], factor))
            return costs[0] - costs[1]

        channels = of_each_channel(gain, len(plain.designs), ratio[:, 0].size)
        for won in channels:
            gains[left_out] += won / len(channels)
    return float(gains.mean())


def _cost(ratio: Doubles, expected: Floats, factor: Doubles) -> Doubles:
    """N, mean negative log-likelihood of squares, each as far as its level is trusted."""
    beside = np.minimum(ratio / np.maximum(expected, 1e-6) / factor, OUTLIER)
    trust = np.minimum(expected, 1)
    cost: Doubles = (0.5 * trust * (beside + np.log(factor))).mean((1, 2))
    return cost


def _factor(design: Doubles, row: Doubles) -> Doubles:
    factor: Doubles = np.exp((design @ row).clip(-LARGEST, LARGEST))
    return factor
