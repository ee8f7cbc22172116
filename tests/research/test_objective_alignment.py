"""Alignment through denoisers whose answer is known."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from noisegen.research.objectives.adversarial import alignment_loss


def blur() -> nn.Conv2d:
    """Mean over 3×3, channel by channel."""
    layer = nn.Conv2d(3, 3, 3, groups=3, bias=False)
    nn.init.constant_(layer.weight, 1 / 9)
    return layer


def test_through_the_identity_it_is_the_mean_absolute_difference() -> None:
    torch.manual_seed(0)
    real = torch.rand(2, 3, 8, 8)
    assert float(alignment_loss(nn.Identity(), real + 0.25, real)) == pytest.approx(0.25, abs=1e-6)


def test_what_the_denoiser_removes_costs_nothing() -> None:
    """Stripes of period 3 that sum to zero vanish under the blur; an offset does not."""
    real = torch.rand(1, 3, 12, 12)
    stripes = torch.tensor([1.0, 1.0, -2.0]).repeat(4)
    assert float(alignment_loss(blur(), real + stripes, real)) == pytest.approx(0, abs=1e-5)
    assert float(alignment_loss(blur(), real - 0.5, real)) == pytest.approx(0.5, abs=1e-5)


def test_gradient_reaches_the_fake_and_not_the_denoiser() -> None:
    denoiser = blur()
    fake = torch.rand(1, 3, 8, 8, requires_grad=True)
    real = torch.rand(1, 3, 8, 8, requires_grad=True)
    alignment_loss(denoiser, fake, real).backward()
    assert fake.grad is not None
    assert fake.grad.abs().sum() > 0
    assert real.grad is None
    assert denoiser.weight.grad is None
    assert denoiser.weight.requires_grad
