"""A noisy picture alone: its noise as an estimated clean leaves it, and made up for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fitted import measure_references
from pictures import Pixels, add_gaussian, scene
from scipy.ndimage import gaussian_filter

from noisegen.errors import BadReferenceError
from noisegen.files import to_float
from noisegen.noise.record import Recording
from noisegen.noise.statistics import measure
from noisegen.references.check import Reference
from noisegen.references.clean_estimate import BLOCK, estimated_blocks
from noisegen.references.lone import (
    MOST_MADE_UP,
    estimated_windows,
    lone_windows,
    shipped_denoiser,
)

BYTES = Recording.even(3, 1 / 255)


@pytest.mark.parametrize("sigma", [2, 8, 30])
@pytest.mark.parametrize("channels", [1, 3])
def test_sigma_is_found(sigma: float, channels: int) -> None:
    noisy = add_gaussian(scene(256, 320, channels), sigma)
    windows = lone_windows(to_float(noisy, 255), Recording.even(channels, 1 / 255))
    assert windows.estimated
    assert windows.residual.shape[1] == channels
    np.testing.assert_allclose(measure(windows).sigma * 255, sigma, rtol=0.1)


def test_texture_is_left_out() -> None:
    clean = scene(256, 320)
    clean[:, 160:] = np.random.default_rng(1).integers(60, 200, (256, 160, 3))
    windows = lone_windows(to_float(add_gaussian(clean, 8), 255), BYTES)
    np.testing.assert_allclose(measure(windows).sigma * 255, 8, rtol=0.15)


def test_grain_is_found() -> None:
    """Noise that spans pixels passes for detail easily."""
    grain = gaussian_filter(np.random.default_rng(0).normal(size=(256, 256, 3)), (0.8, 0.8, 0))
    noisy = scene(256, 256) + 12 * grain / grain.std()
    pixels = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    measured = measure(lone_windows(to_float(pixels, 255), BYTES))
    # A channel alone may be off by a fifth, the three together are not.
    assert 255 * np.sqrt(np.mean(measured.sigma**2)) == pytest.approx(12, rel=0.12)
    neighbour = np.mean(
        [np.corrcoef(grain[:, 1:, c].ravel(), grain[:, :-1, c].ravel())[0, 1] for c in range(3)]
    )
    np.testing.assert_allclose(measured.autocorrelation[:, 6, 7], neighbour, atol=0.08)


def textured(sigma: float) -> tuple[Pixels, Pixels]:
    """A picture of texture nearly as strong as its noise, clean and noisy."""
    rng = np.random.default_rng(3)
    texture = gaussian_filter(rng.normal(size=(256, 256, 1)), (1.5, 1.5, 0))
    clean = scene(256, 256) * 0.5 + 60 + 14 * texture / texture.std()
    clean = np.clip(np.rint(clean), 0, 255).astype(np.uint8)
    return clean, add_gaussian(clean, sigma)


def test_what_the_estimate_takes_away_is_made_up_for() -> None:
    _, noisy = textured(12)
    windows = estimated_windows(
        to_float(noisy, 255), Recording.even(3, 1 / 255), shipped_denoiser()
    )
    plain = 255 * windows.residual.std()
    corrected = 255 * (windows.residual * np.sqrt(1 + windows.made_up())).std()
    assert plain < 11.5
    assert abs(corrected - 12) < abs(plain - 12)


def test_estimates_do_not_depend_on_threads() -> None:
    noisy = to_float(add_gaussian(scene(BLOCK + 40, 72), 9), 255)
    before = torch.get_num_threads()
    made = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        made.append(estimated_blocks(noisy, shipped_denoiser()))
    torch.set_num_threads(before)
    for one, two in zip(*made, strict=True):
        assert np.array_equal(one.clean, two.clean)
        assert np.array_equal(one.error, two.error)


def test_every_pixel_of_a_small_picture_is_looked_at() -> None:
    noisy = to_float(add_gaussian(scene(BLOCK + 8, 2 * BLOCK), 9), 255)
    blocks = estimated_blocks(noisy, shipped_denoiser())
    assert [block.clean.shape for block in blocks] == [
        (BLOCK, BLOCK, 3),
        (BLOCK, BLOCK, 3),
        (8, BLOCK, 3),
        (8, BLOCK, 3),
    ]


def test_a_picture_clipped_everywhere_is_refused() -> None:
    night = Reference("night.png", np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(BadReferenceError, match=r"night\.png.* saturated"):
        measure_references([night])


def test_a_black_channel_stays_black() -> None:
    clean = scene(256, 256, seed=5)
    clean[..., 2] = 0
    noisy = add_gaussian(clean, 8)
    noisy[..., 2] = 0

    windows = lone_windows(to_float(noisy, 255), BYTES)

    assert not windows.clean[:, 2].any()
    assert not windows.residual[:, 2].any()
    assert 255 * windows.residual[:, 0].std() == pytest.approx(8, rel=0.1)


def test_what_is_made_up_has_a_limit() -> None:
    """Of a quiet picture the denoiser expects errors as large as of textured ones."""
    windows = estimated_windows(
        to_float(add_gaussian(scene(256, 256, seed=6), 0.5), 255), BYTES, shipped_denoiser()
    )
    assert windows.made_up().max() <= MOST_MADE_UP
