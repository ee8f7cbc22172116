"""How the noise level follows the picture beside intensity: its local activity and its colour.

In-camera denoising leaves more noise on texture, and errors of a reference's clean lie there too.
A sensor's noise depends on the other channels, through colour matrix and demosaicing. Both are
factors on the variance: a log-linear model of it beside its curve against intensity, fitted to the
squared noise as a gamma regression with log link (McCullagh and Nelder, *Generalized Linear
Models*, 1989, Sec. 8.3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from noisegen.model.classical import activity_position, local_activity
from noisegen.model.config import ACTIVITY_NODES
from noisegen.noise.cells import Cells
from noisegen.noise.censoring import SMALLEST_LEVEL, trusted_variance
from noisegen.noise.sample import Sample

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

ROUNDS = 3
"""Rounds of fitting the level against intensity and against content in turn."""

STEPS = 4
"""Scoring steps of the gamma regression in a round; its information does not change with them."""

FAINT = 300.0
"""Pixels that a factor of e weighs as much as: what fewer say is not believed."""

LARGEST = 3.0
"""Natural logarithm of the largest factor on the variance."""

FITTED = 2**19
"""Pixels that are looked at."""

SELDOM = 0.005
"""Share of the pixels that may show a larger difference of colour than what is held."""

FAINTER = 0.01
"""Of the pull on colours: their differences are far smaller than 1."""


@dataclass(frozen=True)
class Content:
    """What the level follows beside intensity; C channels.

    Attributes:
        activity: C×ACTIVITY_NODES, natural logarithm of the factor on the variance at an activity.
        colour: C×C, of the same for a unit by which another channel is brighter than this one.
        reach: C×C×2, smallest and largest such difference that was seen: beyond, it is held.
    """

    activity: Doubles
    colour: Doubles
    reach: Doubles

    def log_factor(self, clean: Floats) -> Floats:
        """Natural logarithm of the factor on the variance, N×C×h×w, at a clean's places."""
        logs = [_design(clean, c, self.reach[c]) @ self._row(c) for c in range(clean.shape[1])]
        return np.stack(logs, 1).clip(-LARGEST, LARGEST).astype(np.float32)

    def _row(self, channel: int) -> Doubles:
        return np.concatenate([self.activity[channel], np.delete(self.colour[channel], channel)])


def fit_content(noise: Floats, sample: Sample, level: Doubles) -> tuple[Content, Doubles]:
    """Fits the level against intensity, activity and colour in turn.

    Args:
        noise: N×C×h×w, less its mean.
        sample: that it is of.
        level: C×n, against intensity alone, to start from.

    Returns:
        What it follows, and its curve against intensity, C×n, where all factors are 1.
    """
    part = slice(None, None, max(1, noise[:, 0].size // FITTED))
    clean, position = sample.clean[part], sample.position[part]
    cells = Cells.of(position, sample.nodes)
    square = noise[part].astype(np.float64) ** 2
    channels = clean.shape[1]
    reach = np.array([[_reach(clean, c, d) for d in range(channels)] for c in range(channels)])
    designs = [_design(clean, c, reach[c]) for c in range(channels)]
    rows = [np.zeros(design.shape[-1]) for design in designs]
    for _ in range(ROUNDS):
        trusted = trusted_variance(level)
        weight = cells.spread(1 / cells.read(trusted), clean.shape)
        expected = cells.spread(cells.read(level**2), clean.shape)
        factors = np.empty_like(square)
        for c, design in enumerate(designs):
            ratio = square[:, c] * weight[:, c]
            relative = expected[:, c] * weight[:, c]
            rows[c] = _regressed(design, ratio, relative, rows[c])
            factors[:, c] = np.exp((design @ rows[c]).clip(-LARGEST, LARGEST))
        fitted = cells.fit(cells.sums(square / factors), 1 / cells.read(trusted) ** 2, trusted)
        level = np.sqrt(np.maximum(fitted, SMALLEST_LEVEL**2))
    activity = np.stack([row[:ACTIVITY_NODES] for row in rows])
    colour = np.stack([np.insert(row[ACTIVITY_NODES:], c, 0) for c, row in enumerate(rows)])
    return Content(activity, colour, reach), level


def _reach(clean: Floats, channel: int, other: int) -> Doubles:
    reach: Doubles = np.quantile(clean[:, other] - clean[:, channel], (SELDOM, 1 - SELDOM))
    return reach


def _design(clean: Floats, channel: int, reach: Doubles) -> Doubles:
    """N×h×w×(ACTIVITY_NODES + C − 1): what the logarithm of the variance is linear in."""
    active = activity_position(local_activity(torch.from_numpy(clean)))[:, 0].numpy()
    nodes = np.arange(ACTIVITY_NODES)
    hats = np.maximum(1 - np.abs(active.clip(0, ACTIVITY_NODES - 1)[..., None] - nodes), 0)
    differences = [
        (clean[:, d] - clean[:, channel]).clip(*reach[d])
        for d in range(clean.shape[1])
        if d != channel
    ]
    return np.concatenate([hats, *(d[..., None] for d in differences)], -1, dtype=np.float64)


def _regressed(design: Doubles, ratio: Doubles, relative: Floats, start: Doubles) -> Doubles:
    """Coefficients by Fisher scoring of gamma noise: all pixels say equally much.

    Args:
        design: N×h×w×K.
        ratio: N×h×w, squared noise, in units of the trusted variance.
        relative: N×h×w, expected variance in the same units; small where nothing is to be learned.
        start: K, coefficients to begin with.
    """
    flat = design.reshape(-1, design.shape[-1])
    trust = np.minimum(relative, 1).ravel()
    information = (flat * trust[:, None]).T @ flat + np.diag(_faint(flat))
    row = start
    for _ in range(STEPS):
        factor = np.exp((flat @ row).clip(-LARGEST, LARGEST))
        missed = ratio.ravel() / np.maximum(relative.ravel(), 1e-6) / factor - 1
        score = flat.T @ (trust * missed) - _faint(flat) * row
        row = row + np.linalg.solve(information, score)
    return row


def _faint(flat: Doubles) -> Doubles:
    """K: each coefficient's pull to 0, that of colours for their usual size."""
    pull = np.full(flat.shape[1], FAINT)
    pull[ACTIVITY_NODES:] *= FAINTER
    return pull
