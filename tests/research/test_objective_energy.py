"""Energy score and histograms are nearest where the generated noise is the real one."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from noisegen.research.objectives.energy import (
    EnergyConfig,
    HistogramConfig,
    energy_score,
    histogram_loss,
    patch_energy,
    power_energy,
    soft_histogram,
)

CONFIG = EnergyConfig()


def white(seed: int) -> Tensor:
    return torch.randn(24, 3, 48, 48, generator=torch.Generator().manual_seed(seed))


def grainy(noise: Tensor) -> Tensor:
    """Blurred across, at unit variance."""
    kernel = torch.full((3, 1, 1, 3), 3**-0.5)
    return F.conv2d(F.pad(noise, (1, 1, 0, 0), mode="circular"), kernel, groups=3)


def tinted(noise: Tensor) -> Tensor:
    """Green follows red."""
    return torch.cat([noise[:, :1], 0.6 * noise[:, :1] + 0.8 * noise[:, 1:2], noise[:, 2:]], 1)


def patchy(noise: Tensor) -> Tensor:
    """Twice as strong on the left as on the right, at the same overall strength."""
    gain = torch.where(torch.arange(48) < 24, 1.265, 0.632)
    return noise * gain


@pytest.mark.parametrize("scale", [0.8, 1.25])
def test_smallest_at_the_true_strength(scale: float) -> None:
    truth, first, second = white(0), white(1), white(2)
    right = energy_score(first, second, truth, CONFIG)
    assert energy_score(scale * first, scale * second, truth, CONFIG) > right


@pytest.mark.parametrize("change", [grainy, tinted, patchy])
def test_smallest_at_the_true_grain_colour_and_place(change: Callable[[Tensor], Tensor]) -> None:
    truth, first, second = change(white(0)), white(1), white(2)
    right = energy_score(change(first), change(second), truth, CONFIG)
    assert energy_score(first, second, truth, CONFIG) > right


def test_a_draw_that_does_not_vary_is_punished() -> None:
    """A generator that gives one fixed noise has no spread to subtract."""
    truth, first, second = white(0), white(1), white(2)
    fixed = energy_score(first, first, truth, CONFIG)
    assert fixed > energy_score(first, second, truth, CONFIG)


def test_gradient_points_to_the_true_strength() -> None:
    for scale, sign in ((0.7, -1), (1.4, 1)):
        gain = torch.tensor(scale, requires_grad=True)
        energy_score(gain * white(1), gain * white(2), white(0), CONFIG).backward()
        assert gain.grad is not None
        assert torch.sign(gain.grad) == sign


def test_one_pixel_energy_by_hand() -> None:
    """½(|1 − 0| + |3 − 0|) − ½|1 − 3| = 1."""
    one, three, zero = (torch.full((1, 1, 1, 1), value) for value in (1.0, 3.0, 0.0))
    assert float(patch_energy(one, three, zero, (1,))) == pytest.approx(1, abs=1e-5)


def test_power_of_equal_noise_is_zero() -> None:
    noise = white(0)
    assert float(power_energy(noise, noise, noise, (4, 16))) == pytest.approx(0, abs=2e-3)


HISTOGRAM = HistogramConfig()


def drawn_white(seed: int) -> Tensor:
    return torch.randn(4, 3, 96, 96, generator=torch.Generator().manual_seed(seed))


def test_a_value_is_shared_by_its_two_nodes() -> None:
    """Nodes at −2, −1, 0, 1, 2: a value of 0.25, and one far beyond the reach."""
    noise = torch.tensor([0.25, 9.0]).view(2, 1, 1, 1)
    found = soft_histogram(noise, HistogramConfig(reach=2, bins=5)).view(2, 5)
    expected = torch.tensor([[0, 0, 0.75, 0.25, 0], [0, 0, 0, 0, 1]])
    torch.testing.assert_close(found, expected)


def test_equal_noise_costs_nothing_in_any_order() -> None:
    noise = drawn_white(0)
    assert histogram_loss(noise.flip(-1), noise, HISTOGRAM) == pytest.approx(0, abs=1e-5)


def test_a_shift_costs_itself() -> None:
    noise = drawn_white(0)
    assert histogram_loss(noise + 0.3, noise, HISTOGRAM) == pytest.approx(0.3, abs=1e-3)


def test_a_gain_costs_its_known_distance() -> None:
    noise = drawn_white(0)
    expected = 0.5 * math.sqrt(2 / math.pi)
    assert histogram_loss(0.5 * noise, noise, HISTOGRAM) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("gain", "shift"), [(0.6, 0.0), (1.6, 0.0), (1.0, 0.5), (1.0, -3.0)])
def test_the_gradient_leads_to_the_real_noise(gain: float, shift: float) -> None:
    """Also from where the two histograms hardly overlap."""
    parameters = torch.tensor([gain, shift], requires_grad=True)
    optimiser = torch.optim.Adam([parameters], lr=0.1)
    first, second = drawn_white(1), drawn_white(2)
    for _ in range(60):
        optimiser.zero_grad()
        loss = histogram_loss(parameters[0] * first + parameters[1], second, HISTOGRAM)
        loss.backward()
        optimiser.step()
    assert parameters.tolist() == pytest.approx([1, 0], abs=0.12)


def test_bfloat16_noise_is_counted_in_float32() -> None:
    noise = drawn_white(0)
    rounded = histogram_loss(noise.bfloat16() + 0.5, noise, HISTOGRAM)
    assert rounded.dtype == torch.float32
    assert rounded == pytest.approx(0.5, abs=0.01)
