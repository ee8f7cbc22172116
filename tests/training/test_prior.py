"""Cameras that profiles are completed by: drawn alike, measured as references are."""

from pathlib import Path

import numpy as np
import pytest

from noisegen.errors import WeightsError
from noisegen.model.camera_prior import (
    load_cameras,
    save_cameras,
    shipped_cameras,
    usual_activity,
)
from noisegen.model.config import ACTIVITY_NODES
from noisegen.noise.prior import INTENSITIES, Kind
from noisegen.training import prior
from noisegen.training.prior import (
    CHUNK,
    draw_activities,
    draw_cameras,
    draw_chunk,
    draw_sensors,
)


@pytest.mark.slow
def test_a_chunk_is_a_function_of_seed_and_number() -> None:
    first, again = draw_chunk(3, 7), draw_chunk(3, 7)
    np.testing.assert_array_equal(first, again)
    assert first.shape[1:] == (2, 3, len(INTENSITIES))
    assert 0 < len(first) <= CHUNK
    assert (first[:, 1] > 0).all()
    assert len(list(draw_cameras(CHUNK + 1, 7))) == 2


def test_sensors_are_louder_where_there_is_more_light() -> None:
    level = draw_sensors(50, 1)[:, 1, 0]
    assert (np.diff(level, axis=1) >= 0).all()
    assert level[:, -1].max() < 0.3


@pytest.mark.slow
def test_activities_are_those_of_loud_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prior, "LEAVES", 4)
    monkeypatch.setattr(prior, "SCENES", 2)
    (rows,) = draw_activities(CHUNK, 7)
    assert 0 < len(rows) <= 3 * CHUNK
    assert rows.shape[1] == ACTIVITY_NODES
    assert np.isfinite(rows).all()


def test_cameras_come_back_from_their_file(tmp_path: Path) -> None:
    sensors = draw_sensors(40, 1)
    colour = np.repeat(draw_sensors(40, 2), 3, axis=2)
    activities = np.random.default_rng(3).normal(size=(20, ACTIVITY_NODES))
    save_cameras(tmp_path / "cameras", colour, sensors, activities)
    found_colour, found_sensors, found_activities = load_cameras(tmp_path / "cameras")
    np.testing.assert_allclose(found_colour, colour, rtol=0.02, atol=1e-5)
    np.testing.assert_allclose(found_sensors, sensors, rtol=0.02, atol=1e-5)
    np.testing.assert_allclose(found_activities, activities, atol=2e-3)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cameras").write_bytes(b"no cameras")
    with pytest.raises(WeightsError, match="cameras"):
        load_cameras(tmp_path / "cameras")


@pytest.mark.parametrize("channels", [1, 3])
def test_cameras_are_shipped(channels: int) -> None:
    cameras = shipped_cameras(channels, Kind.PAIR)
    assert len(cameras.rows) > 2000
    assert cameras.rows.shape[1] == channels * len(INTENSITIES)
    assert np.isfinite(cameras.rows).all()


def test_usual_activity_is_shipped() -> None:
    """In-camera denoising leaves more noise where there is more detail."""
    usual = usual_activity()
    assert usual.mean[-1] > usual.mean[2]
    assert (np.linalg.eigvalsh(usual.pull()) > 0).all()
