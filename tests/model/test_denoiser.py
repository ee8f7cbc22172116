"""The denoiser's blind spot, its receptive field, and what its branches see."""

from __future__ import annotations

import copy

import pytest
import torch

from noisegen.model.config import BlindSpotConfig
from noisegen.model.denoiser import CELL, RING, Denoiser
from noisegen.model.weights import load_weights

SIDE = 64


@pytest.fixture(scope="module")
def denoiser() -> Denoiser:
    """Random weights everywhere: every path that there is acts."""
    torch.manual_seed(0)
    return Denoiser(BlindSpotConfig(blind_width=8, full_width=8)).double()


def seen_by(denoiser: Denoiser, branch: int, spot: int, row: int, column: int) -> torch.Tensor:
    """Which pixels one output pixel's estimate and expected error depend on, H×W bool."""
    # Steps of bfloat16 have no gradient of their own; both parts together pass it on.
    noisy = torch.rand(1, 3, SIDE, SIDE, dtype=torch.float64, requires_grad=True)
    estimate = denoiser(noisy, spot)[branch]
    output = (
        estimate.clean[0, :, row, column].sum() + estimate.log_variance[0, :, row, column].sum()
    )
    (gradient,) = torch.autograd.grad(output, noisy)
    return gradient[0].abs().sum(0) != 0


@pytest.mark.parametrize("spot", [1, 2, 3])
@pytest.mark.parametrize("place", [(32, 32), (33, 30), (31, 33), (0, 0), (63, 5)])
def test_a_blind_estimate_does_not_see_its_own_pixel(
    denoiser: Denoiser, spot: int, place: tuple[int, int]
) -> None:
    row, column = place
    seen = seen_by(denoiser, 1, spot, row, column)
    assert not seen[row, column]
    # Nor anything of the (2·spot − 1)² cells around it, and it does see what lies beside those.
    top, left = (position // CELL * CELL - CELL * (spot - 1) for position in place)
    side = CELL * (2 * spot - 1)
    rows, columns = (slice(max(start, 0), start + side) for start in (top, left))
    assert not seen[rows, columns].any()
    if place == (32, 32):
        assert seen[top - 1, column]
        assert seen[row, left - 1]
        assert seen[top + side, column]
        assert seen[row, left + side]


def test_the_shipped_denoiser_is_blind_too() -> None:
    shipped = copy.deepcopy(load_weights().denoiser).double().requires_grad_(True)
    seen = seen_by(shipped, 1, 2, 20, 21)
    assert not seen[18:24, 18:24].any()


def test_the_full_branch_sees_its_pixel_and_the_blind_one(denoiser: Denoiser) -> None:
    seen = seen_by(denoiser, 0, 2, 32, 32)
    assert seen[32, 32]
    assert seen[32, 20]


def test_the_receptive_field_is_bounded() -> None:
    torch.manual_seed(0)
    small = Denoiser(BlindSpotConfig(8, (1, 2), 8, (1, 1))).double()
    config = small.config
    blind = 2 * sum(config.blind_dilations) + max(config.spots) + RING
    reach = CELL * (blind + 2 + sum(config.full_dilations) + 1)
    noisy = torch.rand(1, 3, 128, 128, dtype=torch.float64, requires_grad=True)
    estimate, _ = small(noisy, 3)
    (gradient,) = torch.autograd.grad(estimate.clean[0, :, 64, 64].sum(), noisy)
    rows, columns = torch.nonzero(gradient[0].abs().sum(0), as_tuple=True)
    assert reach < 60
    assert int((rows - 64).abs().max()) <= reach
    assert int((columns - 64).abs().max()) <= reach


def test_the_blind_branch_learns_from_its_own_error_alone(denoiser: Denoiser) -> None:
    full, _ = denoiser(torch.rand(1, 3, 32, 32, dtype=torch.float64), 1)
    full.clean.sum().backward()
    assert all(parameter.grad is None for parameter in denoiser.blind.parameters())
    assert any(parameter.grad is not None for parameter in denoiser.full.parameters())


def test_the_noise_of_a_quiet_picture_survives_half_precision() -> None:
    """A step of 8 bits near white is lost in bfloat16 alone; the denoiser must see it."""
    denoiser = load_weights().denoiser
    flat = torch.full((1, 3, 64, 64), 0.9)
    torch.manual_seed(0)
    noisy = ((flat + 1.5 / 255 * torch.randn(flat.shape)) * 255).round() / 255
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        full, _ = denoiser(noisy, 2)
    inner = (..., slice(16, -16), slice(16, -16))
    assert float((full.clean - flat)[inner].std()) < 0.4 * float((noisy - flat)[inner].std())
