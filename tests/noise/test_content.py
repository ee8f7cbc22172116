"""The level's factors by local activity and by colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from known_noise import ramp, windows_of

from noisegen.model.classical import content_factor
from noisegen.noise.censoring import plain_moments
from noisegen.noise.content import Content, Usual, fit_content
from noisegen.noise.sample import Sample
from noisegen.noise.statistics import measure
from noisegen.noise.windows import Windows
from noisegen.profiles.tensors import statistics_tensors


def fitted(clean: np.ndarray, sigma: np.ndarray, seed: int = 0) -> tuple[Content, np.ndarray]:
    """What is found, and the curve at factors of 1."""
    noise = sigma * np.random.default_rng(seed).normal(size=clean.shape)
    sample = Sample.of(windows_of(clean.astype(np.float32), noise, clips=False))
    return fit_content(sample.residual, sample, plain_moments(sample).level)[:2]


def textured(amplitude: float) -> np.ndarray:
    """A ramp of all intensities, flat in its upper half, busy in its lower one."""
    clean = ramp(512, 512, 0.3, 0.7).copy()
    texture = amplitude * np.random.default_rng(1).normal(size=(256, 512, 1))
    clean[256:] += texture.astype(np.float32)
    return clean


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_the_factor_of_texture_is_found(factor: float) -> None:
    clean = textured(8 / 255)
    busy = np.arange(512)[:, None, None] >= 256
    content, level = fitted(clean, np.where(busy, 0.02 * factor, 0.02))
    logarithm = content.activity[0, 4] - content.activity[0, 0]
    assert logarithm == pytest.approx(2 * np.log(factor), abs=0.1)
    flat = level[0, 10:20] * np.exp(content.activity[0, 0] / 2)
    np.testing.assert_allclose(flat, 0.02, rtol=0.05)


@pytest.mark.parametrize("slope", [-1.5, 0.0, 2.0])
def test_the_factor_of_colour_is_found(slope: float) -> None:
    """Green is quieter or louder where red is brighter than it."""
    green = ramp(384, 384, 0.3, 0.7)
    red = green + 0.2 * np.sin(np.arange(384) / 40)[:, None, None]
    clean = np.concatenate([red, green, green], 2)
    sigma = np.full(clean.shape, 0.02)
    sigma[..., 1] *= np.exp(slope * (clean[..., 0] - clean[..., 1]) / 2)
    content, _ = fitted(clean, sigma)
    assert content.colour[1, 0] == pytest.approx(slope, abs=0.15)
    np.testing.assert_array_equal(np.diagonal(content.colour), 0)


def test_the_factor_of_colour_is_held_beyond_what_was_seen() -> None:
    rng = np.random.default_rng(2)
    shown = rng.random((64, 64, 3), np.float32)
    noise = rng.normal(0, 0.02, shown.shape).astype(np.float32)
    camera = replace(
        measure(windows_of(shown, noise)),
        activity=np.zeros((3, 8), np.float32),
        colour=np.eye(3, dtype=np.float32)[[1, 2, 0]],
        colour_reach=np.full((3, 3, 2), [-0.1, 0.2], np.float32),
    )
    clean = torch.zeros(1, 3, 32, 32)
    clean[:, 1] = 0.9
    factor = content_factor(clean, statistics_tensors(camera, 3))[0]
    torch.testing.assert_close(factor[0], torch.full((32, 32), 0.2))
    torch.testing.assert_close(factor[1], torch.full((32, 32), -0.1))


def test_texture_is_told_from_the_intensity_that_it_mostly_comes_with() -> None:
    """Where it is bright nearly all is busy, where it is dark nearly nothing."""
    rng = np.random.default_rng(3)
    shade = np.linspace(0.3, 0.7, 16)
    blocks = rng.random((16, 16)) < np.linspace(0.02, 0.98, 16)
    grow = np.ones((32, 32))
    busy = np.kron(blocks, grow)[..., None]
    clean = np.kron(np.tile(shade, (16, 1)), grow)[..., None]
    clean = clean + busy * rng.normal(0, 8 / 255, clean.shape)
    content, _ = fitted(clean, np.where(busy, 0.04, 0.02))
    found = content.activity[0, 4] - content.activity[0, 0]
    assert found == pytest.approx(2 * np.log(2), abs=0.05)


def test_every_window_of_a_large_picture_counts() -> None:
    """Few of 2,048 are bright, none of them among every fourth."""
    clean = ramp(1024, 2048, 0.3, 0.5).copy()
    bright = np.zeros(clean.shape, bool)
    for row in range(0, 1024, 128):
        bright[row : row + 32, 32:128] = True
    clean[bright] += 0.4
    sigma = np.where(bright, 0.06, 0.02)
    sample = Sample.of(
        windows_of(clean, sigma * np.random.default_rng(5).normal(size=clean.shape), clips=False)
    )
    _, level, _ = fit_content(sample.residual, sample, np.full_like(sample.nodes, 0.02))
    assert level[0, sample.nodes[0] > 0.69] == pytest.approx(0.06, rel=0.1)


def test_noise_that_follows_nothing_has_no_factors() -> None:
    clean = textured(8 / 255)
    content, level = fitted(clean, np.full(clean.shape, 0.02))
    assert np.abs(content.activity).max() < 0.06
    np.testing.assert_allclose(level, 0.02, rtol=0.06)


def test_a_gray_picture_has_no_colour() -> None:
    content, _ = fitted(ramp(64, 64, 0.2, 0.6), np.full((64, 64, 1), 0.02))
    np.testing.assert_array_equal(content.colour, [[0]])


@pytest.mark.parametrize(("side", "pulled"), [(32, (0.02, 0.5)), (512, (-0.05, 0.05))])
def test_what_is_usual_counts_where_few_pixels_are_seen(
    side: int, pulled: tuple[float, float]
) -> None:
    """Noise that follows nothing, of a camera of a kind that is loud on texture."""
    usual = Usual(np.linspace(-0.5, 0.5, 8), 0.1 * np.eye(8))
    clean = textured(8 / 255)[256 - side // 2 :][:side, :side]
    noise = 0.02 * np.random.default_rng(4).normal(size=clean.shape)
    sample = Sample.of(windows_of(clean, noise, clips=False))

    content, *_ = fit_content(sample.residual, sample, plain_moments(sample).level, known=usual)

    unseen = content.activity[0, 7] - content.activity[0, 6]
    seen = content.activity[0, 4] - content.activity[0, 0]
    assert unseen == pytest.approx(1 / 7, abs=0.02)
    assert pulled[0] < seen < pulled[1]


def test_what_is_usual_counts_more_where_the_clean_is_estimated() -> None:
    """Of colour; nothing is usual of gray sensors, nor of a burst beside its own mean."""
    rng = np.random.default_rng(6)
    usual = Usual(np.full(8, 1.0), 0.01 * np.eye(8))
    clean = 0.4 + 0.2 * rng.random((96, 96, 3), np.float32)
    noise = (0.02 * rng.normal(size=clean.shape)).astype(np.float32)
    given = windows_of(clean.astype(np.float32), noise)
    gray = replace(given, residual=given.residual[:, :1], clean=given.clean[:, :1])
    gray = replace(gray, recording=gray.recording.first())

    def pulled(windows: Windows) -> float:
        apart = measure(windows, known=usual).activity - measure(windows).activity
        # Where most pixels are; what none shows is as usual in any case.
        return float(np.abs(apart).min())

    lone, burst = replace(given, estimated=True), replace(given, averaged=True)
    assert 1 - pulled(lone) < 0.5 * (1 - pulled(given)) < 0.5
    assert pulled(burst) == pulled(replace(gray, estimated=True)) == 0
