"""The camera simulator and the classical noises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from pictures import scene

from noisegen.training import classical_noise
from noisegen.training.simulator import CameraSetting, draw_setting, simulate

PLAIN = CameraSetting(
    gains=(2.0, 1.5),
    saturation=0.5,
    contrast=0.2,
    shot=1e-3,
    read=1e-3,
    row=0.0,
    fixed_pattern=0.0,
    bits=14,
    demosaic="none",
    luma_blur=0.0,
    chroma_blur=0.0,
    edge_keeping=0.0,
    sharpening=0.0,
    resize=1.0,
    quality=None,
    subsampling=0,
)


def planes(height: int = 64, width: int = 96) -> torch.Tensor:
    return torch.from_numpy(scene(height, width)).permute(2, 0, 1).unsqueeze(0).float() / 255


def residual(setting: CameraSetting, seed: int = 0) -> torch.Tensor:
    noisy, clean = simulate(planes(128, 128), setting, seed)
    return noisy.float() - clean.float()


def test_without_mosaic_the_clean_comes_back() -> None:
    """Unprocessing and developing are inverse, but for colours the sensor cannot hold."""
    _, clean = simulate(planes(), PLAIN, 0)
    difference = (clean.float() / 255 - planes()).abs()
    assert difference.median() < 1.5 / 255


def test_one_seed_one_noise() -> None:
    first, again = residual(PLAIN, 3), residual(PLAIN, 3)
    torch.testing.assert_close(first, again)
    assert not torch.equal(first, residual(PLAIN, 4))


def test_more_shot_noise_is_stronger() -> None:
    sigmas = [residual(replace(PLAIN, shot=shot)).std() for shot in (1e-4, 1e-3, 1e-2)]
    assert sigmas[0] < sigmas[1] < sigmas[2]


def test_demosaicing_makes_grain() -> None:
    noise = residual(replace(PLAIN, demosaic="bilinear"))
    across = torch.corrcoef(torch.stack([noise[..., 1:].flatten(), noise[..., :-1].flatten()]))
    assert across[0, 1] > 0.2


def test_jpeg_with_420_ties_the_colours() -> None:
    noise = residual(replace(PLAIN, shot=5e-3, quality=90, subsampling=2))
    free = residual(replace(PLAIN, shot=5e-3))
    tied = [torch.corrcoef(x.transpose(0, 1).flatten(1))[0, 2] for x in (noise, free)]
    assert tied[0] > tied[1] + 0.2


def test_resize_keeps_the_jpeg_grid() -> None:
    noisy, clean = simulate(planes(128, 128), replace(PLAIN, resize=0.63), 0)
    assert noisy.shape == clean.shape
    assert noisy.shape[-1] % 8 == noisy.shape[-2] % 8 == 0


def test_drawn_settings_run_and_span_strengths() -> None:
    rng = np.random.default_rng(0)
    sigmas = [float(residual(draw_setting(rng), seed).std()) for seed in range(24)]
    assert min(sigmas) < 5
    assert max(sigmas) > 15


@pytest.mark.parametrize("sigma", [5.0, 25.0])
def test_gaussian_of_a_given_strength(sigma: float) -> None:
    setting = classical_noise.ClassicalSetting((sigma / 255,) * 3, 0, 0, 0, False)
    clean = np.full((128, 128, 3), 128, np.uint8)
    noisy = classical_noise.add_noise(clean, setting, np.random.default_rng(0))
    assert abs((noisy.astype(float) - clean).std() / sigma - 1) < 0.03


def test_gray_noise_is_equal_in_all_channels() -> None:
    setting = classical_noise.ClassicalSetting((0.1,) * 3, 50, 0, 0, True)
    clean = np.full((32, 32, 3), 128, np.uint8)
    noisy = classical_noise.add_noise(clean, setting, np.random.default_rng(0))
    assert np.ptp(noisy, axis=2).max() == 0
