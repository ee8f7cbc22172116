"""Tuning a profile's prompt by gradient, for cameras far from what training saw.

The network stays as it is; only the prompt's tokens move, until generated noise scores as well on
the references as it can. The score is the energy score that training uses, with its histogram
term; what is kept is the prompt that does best on windows that the gradient never sees.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import torch

from noisegen.fitting.trial import inner, mirrored, try_profile, window_field
from noisegen.model.conditioning import Conditioning
from noisegen.model.weights import Weights
from noisegen.noise.windows import Windows
from noisegen.references.profile import NoiseProfile
from noisegen.references.tensors import statistics_tensors
from noisegen.training.objectives import EnergyConfig, HistogramConfig, energy_score, histogram_loss
from noisegen.training.terms import expected_level

STEP_WINDOWS = 12
"""Windows a gradient step."""

RATE = 0.03
HISTOGRAM = 0.3
"""Weight of the histogram term beside the energy score."""

CHECK_EVERY = 8
"""Steps between trials of the prompt."""

PATIENCE = 4
"""Trials in a row without an improvement, after which it ends."""

CHECKED = 48
"""Windows that a prompt is tried on."""

LEARNED = 256
"""Windows that the gradient comes from."""


def tune(profile: NoiseProfile, windows: Windows, weights: Weights, seconds: float) -> NoiseProfile:
    """The profile with a tuned prompt; as it was where nothing helps.

    How many steps the seconds hold depends on the machine; the profile keeps the result, so what
    is made with it does not.

    Args:
        profile: whose network counts.
        windows: that it may learn from; a part of them says when to stop.
        weights: that it was encoded with.
        seconds: after which no new step is begun.
    """
    end = time.monotonic() + seconds
    rng = np.random.default_rng(0)
    order = rng.permutation(len(windows))
    checked, rest = np.split(order, [max(1, min(CHECKED, len(order) // 3))])
    check, learned = windows.where(checked), windows.where(rest).take(LEARNED)
    clean = torch.from_numpy(mirrored(learned.clean))
    truth = torch.from_numpy(learned.residual).expand(-1, 3, -1, -1)
    tokens = torch.from_numpy(profile.tokens).unsqueeze(0).clone().requires_grad_(True)
    optimiser = torch.optim.Adam([tokens], RATE)
    statistics = statistics_tensors(profile.measured)
    best, least = profile, _distance(profile, check, weights)
    since, step = 0, 0
    while time.monotonic() < end and since < PATIENCE:
        chosen = rng.permutation(len(learned))[:STEP_WINDOWS]
        conditioning = Conditioning(tokens, statistics, profile.trust).repeat(len(chosen))
        part = clean[chosen]
        level = inner(expected_level(part, conditioning.statistics))
        draws = []
        for draw in range(2):
            field = torch.cat([window_field(i, f"tune {step} {draw}") for i in range(len(chosen))])
            noise = inner(weights.generator(part, field, conditioning))
            draws.append(_clipped(inner(part), noise) / level)
        real = truth[chosen] / level
        loss = energy_score(draws[0], draws[1], real, EnergyConfig())
        loss = loss + HISTOGRAM * histogram_loss(draws[0], real, HistogramConfig())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        step += 1
        if step % CHECK_EVERY == 0:
            moved = tokens.detach()[0].numpy().astype(np.float32).copy()
            candidate = replace(profile, tokens=moved, tuned=step)
            distance = _distance(candidate, check, weights)
            since += 1
            if distance < least:
                best, least, since = candidate, distance, 0
    return best


def _distance(profile: NoiseProfile, windows: Windows, weights: Weights) -> float:
    return try_profile(profile, windows, weights).quality(0.0, 1.0).distance


def _clipped(clean: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    return (clean + noise).clamp(0, 1) - clean
