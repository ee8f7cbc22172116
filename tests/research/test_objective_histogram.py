"""The histogram loss is the earth mover's distance of the marginals."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from noisegen.research.objectives.energy import HistogramConfig, histogram_loss, soft_histogram

CONFIG = HistogramConfig()


def white(seed: int) -> Tensor:
    return torch.randn(4, 3, 96, 96, generator=torch.Generator().manual_seed(seed))


def test_a_value_is_shared_by_its_two_nodes() -> None:
    """Nodes at −2, −1, 0, 1, 2: a value of 0.25, and one far beyond the reach."""
    noise = torch.tensor([0.25, 9.0]).view(2, 1, 1, 1)
    found = soft_histogram(noise, HistogramConfig(reach=2, bins=5)).view(2, 5)
    expected = torch.tensor([[0, 0, 0.75, 0.25, 0], [0, 0, 0, 0, 1]])
    torch.testing.assert_close(found, expected)


def test_equal_noise_costs_nothing_in_any_order() -> None:
    noise = white(0)
    assert histogram_loss(noise.flip(-1), noise, CONFIG) == pytest.approx(0, abs=1e-5)


def test_a_shift_costs_itself() -> None:
    noise = white(0)
    assert histogram_loss(noise + 0.3, noise, CONFIG) == pytest.approx(0.3, abs=1e-3)


def test_a_gain_costs_its_known_distance() -> None:
    noise = white(0)
    expected = 0.5 * math.sqrt(2 / math.pi)
    assert histogram_loss(0.5 * noise, noise, CONFIG) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("gain", "shift"), [(0.6, 0.0), (1.6, 0.0), (1.0, 0.5), (1.0, -3.0)])
def test_the_gradient_leads_to_the_real_noise(gain: float, shift: float) -> None:
    """Also from where the two histograms hardly overlap."""
    parameters = torch.tensor([gain, shift], requires_grad=True)
    optimiser = torch.optim.Adam([parameters], lr=0.1)
    first, second = white(1), white(2)
    for _ in range(60):
        optimiser.zero_grad()
        loss = histogram_loss(parameters[0] * first + parameters[1], second, CONFIG)
        loss.backward()
        optimiser.step()
    assert parameters.tolist() == pytest.approx([1, 0], abs=0.12)


def test_bfloat16_noise_is_counted_in_float32() -> None:
    noise = white(0)
    rounded = histogram_loss(noise.bfloat16() + 0.5, noise, CONFIG)
    assert rounded.dtype == torch.float32
    assert rounded == pytest.approx(0.5, abs=0.01)
