"""The measured model as a tensor program: its quick ways give what its plain one gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from known_noise import windows_of
from pictures import scene
from torch import Tensor
from torch.nn import functional as F

from noisegen.model.classical import ByValue, Colouring, shape_field
from noisegen.model.conditioning import Statistics
from noisegen.model.config import KERNEL
from noisegen.model.surroundings import Surroundings
from noisegen.noise.statistics import measure
from noisegen.profiles.tensors import statistics_tensors

SIDE = 160


@pytest.fixture(scope="module")
def clean() -> Tensor:
    """Of 8 bits."""
    return torch.from_numpy(scene(SIDE, SIDE).transpose(2, 0, 1)[None] / np.float32(255))


@pytest.fixture(scope="module")
def statistics() -> Statistics:
    """Of noise that follows intensity and channel."""
    shown = scene(SIDE, SIDE, seed=3).astype(np.float32) / np.float32(255)
    noise = np.random.default_rng(0).normal(size=shown.shape) * np.sqrt(0.004 * shown + 1e-4)
    return statistics_tensors(measure(windows_of(shown, noise * [1, 0.8, 1.5], 1 / 255)))


def test_curves_looked_up_by_value_are_the_same(clean: Tensor, statistics: Statistics) -> None:
    field = torch.randn(1, 3, SIDE + KERNEL - 1, SIDE + KERNEL - 1, generator=_seeded())
    colouring = Colouring(statistics.kernel)
    plain = shape_field(field, clean, statistics, colouring).noise
    quick = ByValue(statistics, 255, colouring)(clean, field)
    # A thousandth of a step.
    torch.testing.assert_close(quick, plain, rtol=0, atol=4e-6)


@pytest.mark.parametrize("shape", [(2, 3, 40, 31), (1, 1, 1, 7), (1, 3, 2, 1)])
def test_activity_is_the_deviation_of_what_is_near(shape: tuple[int, ...]) -> None:
    picture = torch.rand(shape, generator=_seeded())

    def near(planes: Tensor) -> Tensor:
        return F.avg_pool2d(planes, 5, stride=1, padding=2, count_include_pad=False)

    variance = (near(picture.square()) - near(picture).square()).mean(1, keepdim=True)
    expected = variance.clamp(min=0).sqrt()
    torch.testing.assert_close(Surroundings.of(picture).activity, expected, rtol=1e-3, atol=1e-3)


def test_activity_of_a_part_is_that_of_the_whole() -> None:
    picture = torch.rand((1, 3, 64, 64), generator=_seeded())
    part = Surroundings.of(picture[..., 9:50, 20:61]).activity[..., 2:-2, 2:-2]
    assert torch.equal(part, Surroundings.of(picture).activity[..., 11:48, 22:59])


def _seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)
