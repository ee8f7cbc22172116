"""Raw noise against its formula; tone, demosaicing and resampling against what they must keep."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
from torch import Tensor

from noisegen.simulator import PLAIN_CAMERA
from noisegen.simulator.demosaic import demosaic
from noisegen.simulator.develop import (
    downscaling_matrix,
    filter_separably,
    gaussian_matrix,
    inverse_tone,
    tone,
)
from noisegen.simulator.raw import balance, expose, mosaic, standard_normal_pattern
from noisegen.simulator.settings import CameraSetting, Demosaic, Parameters, draw_setting
from noisegen.simulator.world import draw_gains, draw_response


def exposed(setting: CameraSetting, level: float = 0.3, side: int = 256) -> Tensor:
    flat = torch.full((1, 1, 1, side, side), level)
    parameters = Parameters.stack([setting], flat.device)
    return expose(flat, parameters, torch.Generator().manual_seed(0))[0, 0, 0]


@pytest.mark.parametrize("tail", [-0.2, 0.0, 0.14])
@pytest.mark.parametrize("bits", [6, 14])
def test_sensor_noise_has_the_analytic_level(tail: float, bits: int) -> None:
    setting = replace(
        PLAIN_CAMERA, shot=1e-3, read=0.01, row=0.2, gain_pattern=0.01, dark_pattern=0.2
    )
    noisy = exposed(replace(setting, read_tail=tail, bits=bits))
    rounding = 1 / 12 / (2**bits - 1) ** 2
    variance = 1e-3 * 0.3 + 0.01**2 * (1 + 0.2**2 + 0.2**2) + (0.01 * 0.3) ** 2 + rounding
    assert abs(float(noisy.var()) / variance - 1) < 0.03
    assert abs(float(noisy.mean()) - 0.3) < 1e-3


def test_row_noise_is_constant_along_rows() -> None:
    noisy = exposed(replace(PLAIN_CAMERA, shot=1e-9, read=1e-4, row=300.0, bits=14))
    assert noisy.std(1).max() < 0.02 * noisy.mean(1).std()


def test_the_pattern_is_standard_normal_and_the_cameras_own() -> None:
    seeds = torch.tensor([3.0, 4.0]).view(2, 1, 1, 1, 1)
    first, second = standard_normal_pattern(seeds, 0, (1, 256, 256))[:, 0, 0]
    assert abs(float(first.mean())) < 0.02
    assert abs(float(first.std()) - 1) < 0.02
    for a, b in ((first, second), (first[1:], first[:-1]), (first[:, 1:], first[:, :-1])):
        assert abs(float(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1])) < 0.02


@pytest.mark.parametrize("draw", range(4))
def test_tone_and_its_inverse(draw: int) -> None:
    coded = torch.linspace(0, 1, 256)[None]
    curve = torch.tensor([draw_response(np.random.default_rng(draw))])
    assert bool((curve.diff() > 0).all())
    torch.testing.assert_close(tone(inverse_tone(coded, curve), curve), coded, atol=2e-4, rtol=0)


def test_drawn_gains_and_colours_are_cameras() -> None:
    """Warm light needs much blue and little red; gray stays gray, and colours can be undone."""
    rng = np.random.default_rng(0)
    gains = np.log([draw_gains(rng) for _ in range(500)])
    assert -0.7 < np.corrcoef(gains.T)[0, 1] < -0.4
    assert np.abs(np.median(gains, 0) - (0.65, 0.55)).max() < 0.05
    settings = [draw_setting(rng) for _ in range(200)]
    matrices = Parameters.stack(settings, torch.device("cpu")).colour
    torch.testing.assert_close(matrices.sum(-1), torch.ones(200, 3))
    assert float(torch.linalg.cond(matrices).max()) < 30


def test_white_balance_comes_before_demosaicing() -> None:
    """Balanced afterwards, red is stretched alone: its noise is stronger and its grain longer."""
    setting = replace(PLAIN_CAMERA, demosaic="gradient", colour=(0.0,) * 6)
    raw = mosaic(torch.full((1, 1, 3, 16, 16), 0.4))
    balanced = balance(raw, Parameters.stack([setting], raw.device))[0, 0, 0]
    assert balanced[0, 0] == pytest.approx(0.8)
    assert balanced[0, 1] == pytest.approx(0.4)
    assert balanced[1, 1] == pytest.approx(0.6)
    bright = mosaic(torch.full((1, 1, 3, 16, 16), 0.8))
    assert balance(bright, Parameters.stack([setting], raw.device)).max() == 1


@pytest.mark.parametrize("kind", get_args(Demosaic)[:3])
def test_demosaicing_is_exact_on_ramps(kind: Demosaic) -> None:
    """One slope for all colours, and a colour of its own for each."""
    y, x = torch.meshgrid(torch.arange(32.0), torch.arange(24.0), indexing="ij")
    ramp = 0.3 + 0.01 * y + 0.005 * x
    rgb = torch.stack([ramp, ramp - 0.1, ramp + 0.2]).expand(1, 2, -1, -1, -1)
    rebuilt = demosaic(mosaic(rgb), kind)
    inner = (..., slice(4, -4), slice(4, -4))
    torch.testing.assert_close(rebuilt[inner], rgb[inner], atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", get_args(Demosaic)[:3])
def test_demosaicing_keeps_a_constant_up_to_the_border(kind: Demosaic) -> None:
    rgb = torch.tensor([0.2, 0.5, 0.7]).view(1, 1, 3, 1, 1).expand(1, 1, 3, 16, 16)
    torch.testing.assert_close(demosaic(mosaic(rgb), kind), rgb)


def test_resizing_keeps_a_constant_and_a_ramp() -> None:
    factors = torch.tensor([0.5, 0.77, 1.0])
    ramp = torch.arange(128.0).expand(3, 1, 1, 128, 128)
    small = filter_separably(ramp, downscaling_matrix(factors, 128, 64))
    assert small.shape == (3, 1, 1, 64, 64)
    for factor, row in zip(factors, small[:, 0, 0, 5], strict=True):
        centres = (torch.arange(64) + 0.5) / factor - 0.5
        torch.testing.assert_close(row[4:60], centres[4:60], atol=0.02, rtol=0)
    flat = filter_separably(torch.ones(3, 1, 1, 128, 128), downscaling_matrix(factors, 128, 64))
    torch.testing.assert_close(flat, torch.ones_like(flat))


def test_blur_without_width_changes_nothing() -> None:
    picture = torch.rand(2, 1, 1, 32, 32)
    blurred = filter_separably(picture, gaussian_matrix(torch.tensor([0.0, 1.5]), 32))
    torch.testing.assert_close(blurred[0], picture[0])
    assert blurred[1].std() < 0.5 * picture[1].std()
