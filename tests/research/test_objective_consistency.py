"""Consistency training: boundary, schedule, distance, and a Gaussian learnt in one step."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from noisegen.research.objectives.consistency import (
    ConsistencyConfig,
    apply_consistency,
    consistency_loss,
    discretisation,
    noise_levels,
    pseudo_huber,
    step_probabilities,
)

CONFIG = ConsistencyConfig()


def test_at_the_smallest_level_any_network_is_the_identity() -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 6, 2, 2)
    sigma = noise_levels(11, CONFIG)[:1].expand(4)
    found = apply_consistency(lambda y, s: 1e6 * y.square() + s.view(-1, 1, 1, 1), x, sigma, CONFIG)
    assert torch.equal(found, x)


def test_at_the_largest_level_the_network_decides() -> None:
    x = CONFIG.sigma_max * torch.randn(4, 1)
    sigma = torch.full((4,), CONFIG.sigma_max)
    found = apply_consistency(lambda y, s: torch.ones_like(y), x, sigma, CONFIG)
    torch.testing.assert_close(found, torch.full((4, 1), CONFIG.sigma_data), rtol=0, atol=0.02)


def test_the_schedule_doubles_from_the_first_to_the_last() -> None:
    counts = [discretisation(step, 8000, CONFIG) for step in range(0, 8001, 1000)]
    assert counts == [11, 21, 41, 81, 161, 321, 641, 1281, 1281]


def test_levels_rise_between_their_exact_ends() -> None:
    levels = noise_levels(41, CONFIG)
    assert bool((levels.diff() > 0).all())
    assert levels[0] == torch.tensor(CONFIG.sigma_min)
    assert levels[-1] == torch.tensor(CONFIG.sigma_max)


def test_steps_are_drawn_lognormally() -> None:
    """Half of the mass lies below exp(P_mean), two thirds within one deviation."""
    levels = noise_levels(1281, CONFIG)
    mass = step_probabilities(levels, CONFIG)
    log = levels[:-1].log()
    assert float(mass.sum()) == pytest.approx(1, abs=1e-5)
    within = (log - CONFIG.log_mean).abs() < CONFIG.log_deviation
    # ln σ is cut at ln 0.002 and ln 80, which takes 0.7 % away.
    assert float(mass[within].sum()) == pytest.approx(0.683 / 0.993, abs=0.02)


def test_pseudo_huber_by_hand() -> None:
    """Difference (3, 4) in four dimensions, c = 0.5·√4 = 1: √26 − 1; none costs nothing."""
    x = torch.tensor([[3.0, 4.0, 0.0, 0.0], [0.0] * 4])
    found = pseudo_huber(x, torch.zeros(2, 4), 0.5)
    torch.testing.assert_close(found, torch.tensor([math.sqrt(26) - 1, 0.0]))


class Line(nn.Module):
    """A small network on one number and its noise level."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 32), nn.SiLU(), nn.Linear(32, 1))

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        y: Tensor = self.layers(torch.cat([x, 0.25 * sigma.log().unsqueeze(1)], 1))
        return y


@pytest.mark.parametrize("deviation", [0.25, 0.5])
def test_one_step_samples_of_a_gaussian_have_its_deviation(deviation: float) -> None:
    """From σ 10, trained often: the defaults' rare visits to σ 80 need more than 600 steps."""
    torch.manual_seed(0)
    network, total, mean = Line(), 600, 0.3
    config = ConsistencyConfig(last_steps=40, sigma_max=10, log_mean=0)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    decay = torch.optim.lr_scheduler.LinearLR(optimiser, 1, 0.01, total)
    for step in range(total):
        latents = mean + deviation * torch.randn(512, 1)
        optimiser.zero_grad()
        loss = consistency_loss(network, latents, step, total, config)
        loss.backward()
        optimiser.step()
        decay.step()
    sigma = torch.full((4096,), config.sigma_max)
    with torch.no_grad():
        samples = apply_consistency(network, config.sigma_max * torch.randn(4096, 1), sigma, config)
    assert float(samples.std()) == pytest.approx(deviation, rel=0.2)
    assert float(samples.mean()) == pytest.approx(mean, abs=0.06)
