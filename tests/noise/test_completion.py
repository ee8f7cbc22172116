"""Curves go on over the whole range by what is known of cameras, and stay where they are sure."""

import dataclasses

import numpy as np
import pytest

from noisegen.model.camera_prior import shipped_cameras
from noisegen.model.config import NODES, OUTSIDE
from noisegen.noise.completion import complete
from noisegen.noise.prior import INTENSITIES, Cameras, Kind, around_centres, around_means
from noisegen.noise.record import Recording
from noisegen.noise.statistics import NoiseStatistics, measure
from noisegen.noise.windows import Windows


def photon_noise(
    low: float,
    high: float,
    count: int = 24,
    channels: int = 3,
    estimated: bool = False,
    averaged: bool = False,
) -> NoiseStatistics:
    """Measured where a sensor without a tone curve sees low to high, at 200 photons at white."""
    rng = np.random.default_rng(0)
    clean = rng.uniform(low, high, (count, channels, 32, 32))
    noisy = rng.poisson(clean * 200) / 200
    places = np.pad(np.arange(count)[:, None], ((0, 0), (0, 2)))
    exact = Recording.even(channels, 0.0)
    residual = (noisy - clean).astype(np.float32)
    windows = Windows(residual, clean.astype(np.float32), estimated, exact, places)
    return measure(dataclasses.replace(windows, averaged=averaged))


def square_root_cameras(channels: int) -> Cameras:
    """Sensors that read out and count, without a tone curve."""
    rng = np.random.default_rng(1)
    read, photon = np.exp(rng.uniform(np.log(1e-3), np.log(0.05), (2, 400, 1, 1)))
    level = np.sqrt(read**2 + photon**2 * 4 * INTENSITIES) * np.ones((1, channels, 1))
    return Cameras.of(np.stack([np.zeros_like(level), level], 1), Kind.PAIR)


def level_at(statistics: NoiseStatistics, intensity: float) -> np.ndarray:
    return np.array(
        [
            np.interp(intensity, n, v)
            for n, v in zip(statistics.nodes, statistics.level, strict=True)
        ]
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_noise_grows_on_where_cameras_say_that_it_does(channels: int) -> None:
    measured = photon_noise(0.05, 0.3, channels=channels)
    whole = complete(measured, square_root_cameras(channels), Kind.PAIR)
    truth = np.sqrt(0.9 / 200)
    np.testing.assert_allclose(level_at(whole, 0.9), truth, rtol=0.12)
    assert (level_at(measured, 0.9) < 0.7 * truth).all()


def test_what_is_sure_stays_as_measured() -> None:
    measured = photon_noise(0.05, 0.3)
    whole = complete(measured, shipped_cameras(3, Kind.PAIR), Kind.PAIR)
    for c in range(3):
        sure = measured.coverage[c] >= 0.5
        assert sure.sum() > NODES / 2
        place = np.isin(whole.nodes[c], measured.nodes[c][sure])
        np.testing.assert_allclose(whole.level[c][place], measured.level[c][sure], rtol=1e-5)
        np.testing.assert_allclose(whole.mean[c][place], measured.mean[c][sure], atol=1e-6)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("reach", [(0.0, 1.0), (0.02, 0.03), (0.6, 0.9)])
def test_completed_curves_span_the_range(kind: Kind, reach: tuple[float, float]) -> None:
    measured = photon_noise(*reach, count=4)
    whole = complete(measured, shipped_cameras(3, kind), kind)
    assert whole.nodes.shape == (3, NODES + OUTSIDE)
    assert (np.diff(whole.nodes, axis=1) > 0).all()
    assert (whole.level > 0).all()
    assert np.isfinite(whole.mean).all()
    assert (np.diff(whole.marginal_at, axis=1) >= 0).all()
    assert ((whole.coverage > 0).sum(1) <= NODES).all()
    np.testing.assert_allclose(whole.pixels.sum(1), 1, rtol=1e-5)
    if kind is not Kind.LONE:
        assert (whole.nodes[:, 0] <= 0.001).all()
        assert (whole.nodes[:, -1] >= 0.999).all()


def test_an_instrument_that_is_no_camera_is_held() -> None:
    measured = photon_noise(0.3, 0.6)
    # Noise that comes and goes five times: no camera's.
    wave = 0.02 * np.exp(np.sin(measured.nodes * 100)).astype(np.float32)
    measured = dataclasses.replace(measured, level=wave)
    whole = complete(measured, shipped_cameras(3, Kind.PAIR), Kind.PAIR)
    assert whole.level.max() < 2 * wave.max()
    assert whole.level.min() > wave.min() / 2


def test_a_mean_of_clipped_shots_takes_the_means_of_clipped_noise() -> None:
    level = np.full((1, 1, len(INTENSITIES)), 0.05)
    plain = np.stack([np.zeros_like(level), level], 1)
    mean = around_means(plain)[0, 0, 0]
    rng = np.random.default_rng(0)
    for place in (3, 6, 12):
        truth = INTENSITIES[place] + mean[place] + 0.05 * rng.standard_normal(400_000)
        assert truth.clip(0, 1).mean() == pytest.approx(INTENSITIES[place], abs=1e-3)


def test_curves_move_to_where_noise_is_centred() -> None:
    mean = np.full((1, 1, len(INTENSITIES)), 0.1)
    level = (0.01 + 0.1 * INTENSITIES)[None, None]
    moved = around_centres(np.stack([mean, level], 1))[0, 1, 0]
    inside = INTENSITIES > 0.11
    np.testing.assert_allclose(moved[inside], 0.01 + 0.1 * (INTENSITIES[inside] - 0.1), rtol=0.05)


def test_without_a_given_clean_there_is_no_mean() -> None:
    assert photon_noise(0.0, 0.5).mean.any()
    assert not photon_noise(0.0, 0.5, estimated=True).mean.any()
    assert not photon_noise(0.0, 0.5, averaged=True).mean.any()


def test_a_mean_ends_where_it_was_seen() -> None:
    """A pair's clean may be darker than its shot, which says nothing of other brightness."""
    measured = photon_noise(0.3, 0.6)
    measured = dataclasses.replace(measured, mean=np.full_like(measured.mean, 0.01))
    whole = complete(measured, shipped_cameras(3, Kind.PAIR), Kind.PAIR)
    seen = (whole.nodes > 0.31) & (whole.nodes < 0.59)
    np.testing.assert_allclose(whole.mean[seen], 0.01, rtol=1e-4)
    beyond = (whole.nodes < 0.25) | (whole.nodes > 0.65)
    assert beyond.any()
    assert not whole.mean[beyond].any()


def test_noise_far_below_that_of_known_cameras_is_held() -> None:
    """Read noise of 8 counts of 65535, seen in the darkest thirtieth of the range."""
    measured = photon_noise(0.0, 0.03, channels=1)
    quiet = dataclasses.replace(measured, level=np.full_like(measured.level, 8 / 65535))
    whole = complete(quiet, shipped_cameras(1, Kind.PAIR), Kind.PAIR)
    np.testing.assert_allclose(whole.level, 8 / 65535, rtol=0.2)
