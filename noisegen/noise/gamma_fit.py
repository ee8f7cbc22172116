"""Gamma regression with log link beside a curve against intensity, fitted in turn.

McCullagh and Nelder, *Generalized Linear Models*, 1989, Sec. 8.3: squared noise has a variance in
proportion to its squared mean, so that all pixels say equally much of a factor on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from noisegen.noise.arrays import Doubles, Floats
from noisegen.noise.cells import COVERED, Cells
from noisegen.noise.censoring import SMALLEST_LEVEL, trusted_variance

BEGINNING, ROUNDS = 2, 20
"""Steps of the coefficients beside the level that a fit begins with; and, at most, those that the
level against intensity is fitted anew before."""

LEAST_GAIN = 1e-5
"""Logarithm of the likelihood a pixel that a step must gain, or it is the last. Three rounds of the
coefficients and the curve in turn, each without the other in mind, were far from the end: of half a
megapixel, PolyU's seen cameras had a KLD of 0.0138 with them, 0.0101 so, of all pixels 0.0087."""

FURTHEST, NEAREST = 0.3, 0.02
"""Root mean square of what a step may change in the variance's logarithm: farther off, the
regression's slopes are others; and below which a step that gains nothing is not tried by half."""

AT_ONCE = 32
"""Windows whose regressors are in double precision at once: as many as processors' caches hold."""

Regressors = tuple[Floats, ...]
"""Arrays of N×k×h×w, one after the other: K in all."""

LARGEST = 3.0
"""Natural logarithm of the largest factor on the variance."""

FARTHEST = 5 * LARGEST
"""Largest share of one regressor in that logarithm: beyond it, scoring has diverged, as where
hardly any pixel holds noise."""

OUTLIER = 20.0
"""Square of the noise over its expected variance, above which it counts no more."""


@dataclass(frozen=True)
class Begun:
    """A fit of one channel, and what another one of the same regressors goes on from.

    Attributes:
        row: K, the coefficients.
        level: 1×n, against intensity.
        moments: K×K, information a pixel on the coefficients.
        shared: K×K, what of it the curve against intensity takes.
        limit: K, largest coefficients.
    """

    row: Doubles
    level: Doubles
    moments: Doubles
    shared: Doubles
    limit: Doubles


@dataclass(frozen=True)
class GammaFit:
    """A gamma regression beside a curve against intensity, of one channel in N windows.

    Attributes:
        square: N×h×w, of the noise.
        cells: of the samples' intensities.
        design: the K regressors.
        pull: K×K, precision of the coefficients before they are fitted, in pixels.
        usual: K, what they are pulled to.
    """

    square: Doubles
    cells: Cells
    design: Regressors
    pull: Doubles
    usual: Doubles

    def beside(self, maps: Floats, pull: Doubles) -> GammaFit:
        """Add N×k×h×w maps and their pull to the regression."""
        count = len(self.usual)
        both = np.diag(np.concatenate([np.zeros(count), pull]))
        both[:count, :count] = self.pull
        return replace(
            self,
            design=(*self.design, maps),
            pull=both,
            usual=np.concatenate([self.usual, np.zeros(len(pull))]),
        )

    def where(self, which: NDArray[np.bool_] | slice) -> GammaFit:
        """The regression of some windows."""
        cells = self.cells.where(which, len(self.square))
        design = tuple(part[which] for part in self.design)
        return replace(self, square=self.square[which], cells=cells, design=design)

    def spread(self, values: Doubles) -> Floats:
        """Give every pixel, N×h×w, its cell's value of 1×cells."""
        shape = (len(self.square), 1, *self.square.shape[1:])
        return self.cells.spread(values, shape)[:, 0]

    def relative(self, level: Doubles) -> tuple[Doubles, Floats]:
        """Squares and expected variance, N×h×w, in units of what is trusted at a level, 1×n."""
        trusted = self.cells.read(trusted_variance(level))
        return self.square * self.spread(1 / trusted), self.spread(
            self.cells.read(level**2) / trusted
        )

    def begin(self, level: Doubles) -> Begun:
        """Fit coefficients and the level against intensity, 1×n, in turn."""
        trust = np.minimum(self.relative(level)[1], 1)
        moments, pixels = _moments(self.design, trust), trust.sum(dtype=np.float64)
        shared, limit, row = self._shared_with_curve(trust), _limit(self.design), self.usual
        for _ in range(BEGINNING):
            # Beside the level as it is, so that it is what factors are about.
            score = self._score(row, factors(self.design, row), level)
            row = (row + np.linalg.solve(moments + self.pull, score)).clip(-limit, limit)
        return self._improved(Begun(row, level, moments / pixels, shared / pixels, limit), trust)

    def finish(self, begun: Begun) -> Begun:
        """Go on from a fit of some of the windows, whose information a pixel is theirs too."""
        return self._improved(begun, np.minimum(self.relative(begun.level)[1], 1))

    def _improved(self, begun: Begun, trust: Floats) -> Begun:
        pixels = trust.sum(dtype=np.float64)
        information = pixels * (begun.moments - begun.shared) + self.pull
        row, best, least, share, size = begun.row, begun, np.inf, 1.0, 0.0
        move: Doubles = np.zeros_like(row)
        for _ in range(ROUNDS):
            factor = factors(self.design, row)
            level = self._refitted(best.level, factor)
            apart = row - self.usual
            cost = (trust * self.cost(factor, level)).sum() + apart @ self.pull @ apart / 4
            if cost < least - LEAST_GAIN * pixels:
                best, least = replace(best, row=row, level=level), cost
                score = self._score(row, factor, level)
                move = np.asarray(share * np.linalg.solve(information, score), np.float64)
                size = float(np.sqrt(max(float(move @ begun.moments @ move), 0.0)))
                move *= min(1.0, FURTHEST / max(size, FURTHEST))
                size = min(size, FURTHEST)
            elif size < NEAREST:
                break
            else:
                # A smooth curve takes less than was thought.
                share, size = share / 2, size / 2
                move /= 2
            row = (best.row + move).clip(-begun.limit, begun.limit)
        return best

    def cost(self, factor: Doubles, level: Doubles) -> Doubles:
        """Negative log-likelihood of each square, N×h×w, by its factor and a level, 1×n."""
        variance = factor * self.spread(self.cells.read(level**2))
        return np.asarray(0.5 * (np.minimum(self.square / variance, OUTLIER) + np.log(variance)))

    def _score(self, row: Doubles, factor: Doubles, level: Doubles) -> Doubles:
        """Slope of the likelihood along the coefficients, K: all pixels say equally much."""
        ratio, relative = self.relative(level)
        missed = np.minimum(relative, 1) * (ratio / np.maximum(relative, 1e-6) / factor - 1)
        slopes = [np.einsum("nkyx,nyx->k", part, missed) for part in self.design]
        return np.asarray(np.concatenate(slopes) - self.pull @ (row - self.usual))

    def _refitted(self, level: Doubles, factor: Doubles) -> Doubles:
        """The level against intensity, 1×n, of squares that have such factors."""
        trusted = trusted_variance(level)
        sums, weight = self.cells.sums((self.square / factor)[:, None]), self.cells.read(trusted)
        fitted = self.cells.fit(sums, weight**-2, trusted)
        return np.asarray(np.sqrt(np.maximum(fitted, SMALLEST_LEVEL**2)))

    def _shared_with_curve(self, trust: Floats) -> Doubles:
        """Information, K×K, on what varies from one intensity to the next alone.

        The curve follows every step, so it takes that. The regressors' mean is no part of it, for
        the curve could as well take all of it.
        """
        index, size = self.cells.index[0], self.cells.count.shape[1]
        weights = trust.ravel()
        total = np.bincount(index, weights, size)
        columns = [part[:, k] for part in self.design for k in range(part.shape[1])]
        sums = np.stack([np.bincount(index, weights * x.ravel(), size) for x in columns])
        means = sums / np.maximum(total, 1e-9) - sums.sum(1, keepdims=True) / total.sum()
        return np.asarray((means * total) @ means.T)


def factors(design: Regressors, row: Doubles) -> Doubles:
    """Factors on the variance, N×h×w, by regressors and their coefficients."""
    return np.asarray(np.exp(log_factors(design, row)))


def log_factors(design: Regressors, row: Doubles) -> Doubles:
    """Natural logarithms of the same."""
    rows = np.split(row, np.cumsum([part.shape[1] for part in design])[:-1])
    # Not by a library of linear algebra: its threads wait for each other on a busy machine.
    parts = [np.einsum("nkyx,k->nyx", *both) for both in zip(design, rows, strict=True)]
    return np.asarray(sum(parts[1:], parts[0]).clip(-LARGEST, LARGEST))


def likelihood_gain(
    plain: GammaFit, wider: GammaFit, level: Doubles, black: NDArray[np.bool_]
) -> Doubles:
    """Logarithm of the likelihood a pixel that a wider fit gains on windows left out.

    Each half of a chess board is tried on the other.

    Args:
        plain: the fit.
        wider: the same with more regressors.
        level: 1×n, that both start from.
        black: N, the windows of one half.

    Returns:
        N.
    """
    trust = np.minimum(plain.relative(level)[1], 1)
    gains = np.zeros(len(black))
    for left_out in (black, ~black):
        costs = []
        for fit in (plain, wider):
            found, other = fit.where(~left_out).begin(level), fit.where(left_out)
            costs.append(other.cost(factors(other.design, found.row), found.level))
        # At intensities that one half alone shows, its curve is a guess.
        pixels = plain.where(~left_out).cells.pixels
        known = plain.spread(plain.cells.read(pixels / (pixels + COVERED)))
        told = (trust * known)[left_out] * (costs[0] - costs[1])
        gains[left_out] = told.mean((1, 2))
    return gains


def _moments(design: Regressors, trust: Floats) -> Doubles:
    """Weighted second moments of regressors, K×K.

    A few windows at a time are in double precision: all of them would take twice the memory, and
    sums in single would depend on the machine.
    """
    count = sum(part.shape[1] for part in design)
    total = np.zeros((count, count))
    for first in range(0, len(trust), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        x = np.concatenate([part[some].swapaxes(0, 1) for part in design], dtype=np.float64)
        x = x.reshape(count, -1)
        total += (x * trust[some].ravel()) @ x.T
    return total


def _limit(design: Regressors) -> Doubles:
    """Largest coefficients, K."""
    axes = (0, 2, 3)
    ends = [np.maximum(part.max(axes), -part.min(axes)) for part in design]
    return np.asarray(FARTHEST / np.maximum(np.concatenate(ends, dtype=np.float64), 1e-2))
