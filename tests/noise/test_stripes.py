"""Row and column noise: found where it is, not found where it is not, taken out."""

from __future__ import annotations

import numpy as np
import pytest
from known_noise import ramp, windows_of
from pictures import scene
from scipy.ndimage import gaussian_filter

from noisegen.noise.stripes import find_stripes, without_stripes
from noisegen.noise.windows import Windows

SIDE = 512


def striped(
    rows: float, columns: float, channels: int = 1, shared: bool = True, high: int = 1
) -> Windows:
    """Pixels of σ 0.02 with offsets of rows and columns, the rows' in bands of ``high``."""
    rng = np.random.default_rng(0)
    noise = 0.02 * rng.normal(size=(SIDE, SIDE, channels))
    offsets = rng.normal(size=(2, SIDE, 1 if shared else channels))
    lines = np.repeat(offsets[0], high, axis=0)[:SIDE]
    noise += rows * lines[:, None] + columns * offsets[1][None]
    return windows_of(ramp(SIDE, SIDE, 0.3, 0.6, channels), noise)


@pytest.mark.parametrize(("rows", "columns"), [(0.005, 0), (0, 0.005), (0.004, 0.01), (0.04, 0)])
def test_their_strength_is_found(rows: float, columns: float) -> None:
    found = find_stripes(striped(rows, columns))
    # Of 512 lines: the offsets themselves are drawn to 3 %.
    for sigma, truth in zip(found.sigma[:, 0], (rows, columns), strict=True):
        assert sigma == pytest.approx(truth, rel=0.12, abs=1e-9)
    assert found.any


@pytest.mark.parametrize("shared", [True, False])
def test_whether_channels_share_them(shared: bool) -> None:
    found = find_stripes(striped(0.006, 0, 3, shared))
    np.testing.assert_allclose(found.sigma[0], 0.006, rtol=0.15)
    assert found.shared[0] == pytest.approx(float(shared), abs=0.12)


def test_their_strength_follows_intensity() -> None:
    """As behind a tone curve: offsets in the dark are four times those in the light."""
    rng = np.random.default_rng(0)
    clean = ramp(SIDE, SIDE, 0.1, 0.7)
    factor = 1.6 - 2 * clean
    noise = 0.02 * rng.normal(size=(SIDE, SIDE, 1))
    windows = windows_of(clean, noise + 0.01 * factor * rng.normal(size=(SIDE, 1, 1)))
    found = find_stripes(windows)
    at = np.array([[0.15, 0.4, 0.65]])
    np.testing.assert_allclose(found.at(at)[0, 0], 0.01 * (1.6 - 2 * at[0]), rtol=0.2)
    left = without_stripes(windows, found).residual
    assert left.std() == pytest.approx(0.02, rel=0.01)


def test_bands_of_three_lines() -> None:
    found = find_stripes(striped(0.01, 0, high=3))
    assert found.sigma[0, 0] == pytest.approx(0.01, rel=0.15)
    kernel = found.kernel[0, 0]
    lags = [float((kernel[k:] * kernel[: len(kernel) - k]).sum()) for k in range(5)]
    np.testing.assert_allclose(lags, [1, 2 / 3, 1 / 3, 0, 0], atol=0.12)


def test_single_lines_have_white_offsets() -> None:
    kernel = find_stripes(striped(0.01, 0)).kernel[0, 0]
    assert kernel[7] > 0.98


@pytest.mark.parametrize("grain", [0.0, 0.8, 2.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_none_in_white_or_grainy_noise(grain: float, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(size=(SIDE, SIDE, 3))
    noise = gaussian_filter(noise, (grain, grain, 0))
    clean = scene(SIDE, SIDE, seed=seed).astype(np.float32) / np.float32(255)
    assert not find_stripes(windows_of(clean, 0.02 * noise / noise.std())).any


def test_none_in_shading() -> None:
    """What changes slowly over the frame is no stripe."""
    rng = np.random.default_rng(0)
    slow = 0.02 * np.sin(np.arange(SIDE) / 60)[:, None, None]
    noise = 0.02 * rng.normal(size=(SIDE, SIDE, 1)) + slow
    assert not find_stripes(windows_of(ramp(SIDE, SIDE, 0.3, 0.6), noise)).any


def test_a_small_picture_has_too_few_lines() -> None:
    windows = striped(0.01, 0)
    assert not find_stripes(windows.where(windows.places[:, 1] == 0)).any


def test_what_is_left_without_them_is_the_pixels_noise() -> None:
    windows = striped(0.01, 0.006)
    left = without_stripes(windows, find_stripes(windows))
    assert windows.residual.std() > 0.0225
    assert left.residual.std() == pytest.approx(0.02, rel=0.01)
    assert not find_stripes(left).any
    # The mean of 512 offsets is chance, no mean of the camera's.
    assert abs(windows.residual.mean()) > 2e-4
    assert abs(left.residual.mean()) < 2e-5
