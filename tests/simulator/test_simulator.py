"""The camera simulator from end to end, and a sheet of its cameras."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from pictures import scene
from torch import Tensor

from noisegen.simulator import PLAIN_CAMERA, CameraSetting, draw_setting, input_side, simulate
from noisegen.training.contact_sheet import contact_sheet


def scenes(side: int, settings: int = 1, count: int = 1) -> Tensor:
    """Pictures in [0, 1], settings×count×3×side×side."""
    pictures = [scene(side, side, seed=seed) for seed in range(count)]
    stack = torch.stack([torch.from_numpy(p).permute(2, 0, 1).float() / 255 for p in pictures])
    return stack.expand(settings, -1, -1, -1, -1)


def quiet(setting: CameraSetting) -> CameraSetting:
    return replace(
        setting, shot=1e-7, read=0.0, gain_pattern=0.0, bits=14, quality=None, exposures=0
    )


def shoot(*settings: CameraSetting, scene_count: int = 1, seed: int = 0) -> tuple[Tensor, Tensor]:
    clean = scenes(input_side(settings, 128), len(settings), scene_count)
    return simulate(clean, settings, torch.Generator().manual_seed(seed), 128)


def residual(*settings: CameraSetting, seed: int = 0) -> Tensor:
    noisy, clean = shoot(*settings, seed=seed)
    return noisy.float() - clean.float()


def test_without_mosaic_the_clean_comes_back() -> None:
    """Unprocessing and developing are inverse, but for colours the sensor cannot hold."""
    _, clean = shoot(PLAIN_CAMERA)
    assert (clean.float() / 255 - scenes(128)).abs().median() < 1.5 / 255


def test_one_seed_one_noise() -> None:
    first, again = residual(PLAIN_CAMERA, seed=3), residual(PLAIN_CAMERA, seed=3)
    torch.testing.assert_close(first, again)
    assert not torch.equal(first, residual(PLAIN_CAMERA, seed=4))


def test_more_shot_noise_is_stronger() -> None:
    sigmas = residual(*(replace(PLAIN_CAMERA, shot=shot) for shot in (1e-4, 1e-3, 1e-2))).std(
        (1, 2, 3, 4)
    )
    assert sigmas[0] < sigmas[1] < sigmas[2]


@pytest.mark.parametrize("seed", range(3))
def test_without_noise_the_clean_counterpart_is_left(seed: int) -> None:
    rng = np.random.default_rng(seed)
    settings = [quiet(draw_setting(rng)) for _ in range(6)]
    assert residual(*settings).abs().mean() < 0.3


def test_a_batch_is_its_settings_one_by_one() -> None:
    rng = np.random.default_rng(5)
    settings = [replace(draw_setting(rng), exposures=0) for _ in range(12)]
    clean = scenes(input_side(settings, 64), len(settings), 2)
    together = simulate(clean, settings, torch.Generator().manual_seed(0), 64)[1]
    for place, setting in enumerate(settings):
        alone = simulate(clean[place : place + 1], [setting], torch.Generator(), 64)[1]
        # A group reads as far as its smallest factor needs: filters differ in the last pixels.
        difference = (alone[0].int() - together[place].int()).abs()[..., :56, :56]
        assert difference.max() <= 1


def test_demosaicing_makes_grain() -> None:
    noise = residual(replace(PLAIN_CAMERA, demosaic="bilinear"))
    across = torch.corrcoef(torch.stack([noise[..., 1:].flatten(), noise[..., :-1].flatten()]))
    assert across[0, 1] > 0.2


def test_jpeg_with_420_ties_the_colours() -> None:
    strong = replace(PLAIN_CAMERA, shot=5e-3)
    noise = residual(replace(strong, quality=90, subsampling="4:2:0"), strong)
    tied, free = (torch.corrcoef(x[0].flatten(1))[0, 2] for x in noise)
    assert tied > free + 0.2


def test_jpeg_blocks_start_at_the_corner() -> None:
    noisy, _ = shoot(replace(PLAIN_CAMERA, shot=5e-3, quality=60, resize=0.63))
    steps = noisy.float().diff(dim=-1).abs().mean((0, 1, 2, 3))
    on_border = torch.arange(127) % 8 == 7
    assert steps[on_border].mean() > 1.2 * steps[~on_border].mean()


def test_the_fixed_pattern_is_the_same_on_every_scene() -> None:
    pattern = replace(PLAIN_CAMERA, shot=1e-7, read=1e-2, dark_pattern=0.3, bits=14)
    gray = torch.full((1, 2, 3, 128, 128), 0.5)
    noisy, clean = simulate(gray, [pattern], torch.Generator().manual_seed(0), 128)
    first, second = (noisy.float() - clean.float())[0].flatten(1)
    shared = float(torch.corrcoef(torch.stack([first, second]))[0, 1])
    assert abs(shared - 0.3**2 / (1 + 0.3**2)) < 0.03


@pytest.mark.slow
def test_drawn_settings_span_dslrs_to_phones() -> None:
    rng = np.random.default_rng(0)
    settings = [draw_setting(rng) for _ in range(300)]
    clean = scenes(128, len(settings))
    noisy, pure = simulate(clean, settings, torch.Generator().manual_seed(0), 64)
    sigmas = (noisy.float() - pure.float()).flatten(1).std(1)
    assert sigmas.min() < 1.5
    assert sigmas.max() > 45


def test_a_clean_of_many_shots_is_their_mean() -> None:
    """Where black cuts noise off, their mean is brighter than the scene."""
    dark = replace(PLAIN_CAMERA, shot=5e-3, read=2e-2, pedestal=0.0, dimming=0.01)
    (noisy, pure), (_, mean) = shoot(dark), shoot(replace(dark, exposures=32))
    assert mean.float().mean() > pure.float().mean() + 2
    assert abs(float(mean.float().mean() - noisy.float().mean())) < 0.5


def test_a_third_and_more_is_developed_plainly() -> None:
    rng = np.random.default_rng(0)
    plain = [
        not s.denoises and s.quality is None and s.resize == 1 and s.sharpening == 0
        for s in (draw_setting(rng) for _ in range(400))
    ]
    assert 0.33 < np.mean(plain) < 0.5


def test_refuses_pictures_that_are_too_small() -> None:
    with pytest.raises(ValueError, match="side 256"):
        simulate(scenes(128), [replace(PLAIN_CAMERA, resize=0.5)], torch.Generator(), 128)


def test_shows_noisy_crops_in_a_grid() -> None:
    sheet = contact_sheet([scene(300, 280)], seed=0, columns=3, rows=2)
    assert sheet.dtype == np.uint8
    assert sheet.shape[1] > 3 * 128
    assert sheet.shape[0] > 2 * 128
    np.testing.assert_array_equal(sheet, contact_sheet([scene(300, 280)], 0, 3, 2))
