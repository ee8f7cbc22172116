"""Adversarial losses at known scores; the discriminator tells two noises apart."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from noisegen.research.objectives.adversarial import (
    PixelDiscriminator,
    feature_matching,
    hinge_losses,
    relativistic_losses,
)

Losses = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def blurred(noise: Tensor) -> Tensor:
    """Grain across, at unit variance: only the correlation differs."""
    kernel = torch.full((3, 1, 1, 3), 3**-0.5)
    return F.conv2d(F.pad(noise, (1, 1, 0, 0), mode="circular"), kernel, groups=3)


def test_relativistic_losses_of_equal_scores_are_log_two() -> None:
    scores = torch.full((2, 1, 4, 4), 3.0)
    for loss in relativistic_losses(scores, scores):
        assert float(loss) == pytest.approx(math.log(2), abs=1e-6)


def test_relativistic_losses_by_hand() -> None:
    """Real one above fake everywhere: log(1 + e^∓1) twice, halved."""
    discriminator, generator = relativistic_losses(torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 2, 2))
    assert float(discriminator) == pytest.approx(math.log(1 + math.exp(-1)), abs=1e-6)
    assert float(generator) == pytest.approx(math.log(1 + math.exp(1)), abs=1e-6)


def test_hinge_losses_by_hand() -> None:
    """Real 2 and 0 cost 0 and 1, fake −1 and 1 cost 0 and 2; the generator sees their mean."""
    discriminator, generator = hinge_losses(torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 2.0]))
    assert float(discriminator) == pytest.approx(0.5 + 1.5)
    assert float(generator) == pytest.approx(-0.5)


@pytest.mark.parametrize("losses", [relativistic_losses, hinge_losses])
def test_a_few_steps_separate_two_noises(losses: Losses) -> None:
    torch.manual_seed(0)
    network = PixelDiscriminator(width=8)
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    clean = torch.rand(8, 3, 24, 24)
    for _ in range(60):
        real, fake = torch.randn(8, 3, 24, 24), blurred(torch.randn(8, 3, 24, 24))
        optimiser.zero_grad()
        losses(network(real, clean)[0], network(fake, clean)[0])[0].backward()
        optimiser.step()
    with torch.no_grad():
        clean = torch.rand(50, 3, 24, 24)
        real, _ = network(torch.randn(50, 3, 24, 24), clean)
        fake, _ = network(blurred(torch.randn(50, 3, 24, 24)), clean)
    real, fake = real.mean((1, 2, 3)), fake.mean((1, 2, 3))
    threshold = torch.cat([real, fake]).median()
    accuracy = torch.cat([real > threshold, fake <= threshold]).float().mean()
    assert accuracy > 0.9


def test_every_pixel_has_a_score_also_in_bfloat16() -> None:
    network = PixelDiscriminator(width=8)
    noise, clean = torch.randn(2, 3, 16, 24), torch.rand(2, 3, 16, 24)
    with torch.autocast("cpu", torch.bfloat16):
        scores, features = network(noise, clean)
    assert scores.shape == (2, 1, 16, 24)
    assert scores.dtype == torch.float32
    assert [f.shape[-1] for f in features] == [24, 12, 6, 12, 24]


def test_the_summary_acts_on_the_score() -> None:
    network = PixelDiscriminator(width=8, summary_width=5)
    noise, clean, summary = torch.randn(2, 3, 8, 8), torch.rand(2, 3, 8, 8), torch.randn(2, 5)
    with torch.no_grad():
        zero = network(noise, clean, torch.zeros(2, 5))[0]
        one, other = (network(noise, clean, sign * summary)[0] for sign in (1, -1))
    # The projection is linear in the summary.
    torch.testing.assert_close(one + other, 2 * zero)
    assert (one - other).abs().max() > 1e-3
    with pytest.raises(ValueError, match="summary"):
        network(noise, clean)


def test_feature_matching_by_hand() -> None:
    """Means of 1 against 3 and of 0 against 0, over two layers: (2 + 0) / 2."""
    real = [torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 4, 4)]
    fake = [torch.tensor([2.0, 4.0, 2.0, 4.0]).view(1, 1, 2, 2), torch.zeros(1, 1, 4, 4)]
    assert float(feature_matching(real, fake)) == pytest.approx(1)


def test_feature_matching_prefers_another_draw_to_no_noise() -> None:
    torch.manual_seed(0)
    network = PixelDiscriminator(width=8)
    clean = torch.rand(8, 3, 64, 64)
    with torch.no_grad():
        real, draw = (network(torch.randn(8, 3, 64, 64), clean)[1] for _ in range(2))
        nothing = network(torch.zeros(8, 3, 64, 64), clean)[1]
    assert feature_matching(real, draw) < 0.3 * feature_matching(real, nothing)
