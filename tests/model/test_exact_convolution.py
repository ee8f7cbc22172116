"""Convolutions whose sums are exact, in whatever order."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from noisegen.model.exact_convolution import ExactConvolution, convolve_exactly


@pytest.fixture
def planes() -> Tensor:
    return 3 * torch.randn(2, 40, 30, 34, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def layer() -> ExactConvolution:
    torch.manual_seed(2)
    return ExactConvolution(40, 16, 2, largest=16.0)


def test_it_is_nearly_the_convolution_that_is_trained(
    layer: ExactConvolution, planes: Tensor
) -> None:
    trained = layer(planes)
    with torch.no_grad():
        exact = layer(planes)
    assert trained.requires_grad
    trained = trained.detach()
    assert float((exact - trained).std() / trained.std()) < 0.02


def test_the_order_of_sums_does_not_matter(layer: ExactConvolution, planes: Tensor) -> None:
    with torch.no_grad():
        whole = convolve_exactly(planes, layer.weight, 16.0, 2, 2)
        order = torch.randperm(40, generator=torch.Generator().manual_seed(3))
        mixed = convolve_exactly(planes[:, order], layer.weight[:, order], 16.0, 2, 2)
        alone = torch.cat(
            [convolve_exactly(one, layer.weight, 16.0, 2, 2) for one in planes.split(1)]
        )
        # In double precision, by another way through torch.
        step = layer.weight.abs().amax((1, 2, 3), keepdim=True) / 127
        weight = torch.round(layer.weight / step)
        most = (2**24 - 1) // int(weight.abs().sum((1, 2, 3)).max())
        inputs = torch.round(planes * (most / 16.0)).clamp(-most, most).double()
        columns = F.unfold(inputs, 3, dilation=2, padding=2)
        sums = (weight.double().flatten(1) @ columns).view_as(whole)
        double = sums.float() * (step[:, 0] / (most / 16.0))
    assert float(sums.abs().max()) < 2**24
    for other in (mixed, alone, double):
        assert torch.equal(whole, other)


def test_the_largest_sums_are_exact_too() -> None:
    weight, planes = torch.full((1, 360, 1, 1), 0.37), torch.full((1, 360, 4, 4), 9.0)
    with torch.no_grad():
        sums = convolve_exactly(planes, weight, 4.0)
    # Clipped to what is told apart: 360 equal products.
    assert torch.allclose(sums, torch.tensor(360 * 0.37 * 4.0), rtol=0.01)
    assert bool((sums == sums[0, 0, 0, 0]).all())


def test_cells_need_not_be_put_together(planes: Tensor) -> None:
    torch.manual_seed(4)
    layer, pixels = ExactConvolution(40, 16, 1, largest=16.0), planes[:, :10]
    with torch.no_grad():
        assert torch.equal(layer.of_cells(pixels, 2), layer(F.pixel_unshuffle(pixels, 2)))
    assert torch.equal(layer.of_cells(pixels, 2), layer(F.pixel_unshuffle(pixels, 2)))
