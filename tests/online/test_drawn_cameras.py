"""Noise of simulated cameras while training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pictures
import pytest
import torch

from noisegen.errors import UsageError
from noisegen.online import AddCameraNoise, DrawnCameras, NoisyPairs
from noisegen.profiles.profile import NoiseProfile

ONE = DrawnCameras("phone:800-6400,dslr", count=1)


@pytest.mark.slow
def test_pairs_and_transform_draw_the_cameras_of_their_seed(
    cleans: Path, weights_file: Path
) -> None:
    options: dict[str, Any] = {"draw": ONE, "weights": weights_file, "seed": 4}
    pairs, add = NoisyPairs(cleans, **options), AddCameraNoise(**options)
    assert [p.sha256 for p in pairs.camera.profiles] == [p.sha256 for p in add.camera.profiles]
    assert len(pairs.camera.profiles) == 1
    noisy, clean = pairs[0]
    assert 0.002 < float((noisy - clean).std()) < 0.2
    again = AddCameraNoise(**options)
    picture = torch.from_numpy(pictures.scene(40, 24)).permute(2, 0, 1)
    assert torch.equal(add(picture), again(picture))


def test_gray_pictures_have_gray_cameras(weights_file: Path) -> None:
    draw = DrawnCameras("microscope:1600", count=1, gray=True)
    add = AddCameraNoise(draw=draw, weights=weights_file)
    picture = torch.full((1, 32, 32), 0.5)
    assert 0.002 < float((add(picture) - picture).std()) < 0.2


def test_profiles_and_a_draw_exclude_each_other(
    profiles: list[NoiseProfile], weights_file: Path
) -> None:
    for given in ({}, {"profiles": profiles, "draw": "phone"}):
        with pytest.raises(UsageError, match="give one of profiles and draw"):
            # What is given is wrong, on purpose.
            AddCameraNoise(weights=weights_file, **given)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="kind of phone"):
        AddCameraNoise(draw="webcam", weights=weights_file)
    for count in (0, 1.5, "3"):
        with pytest.raises(UsageError, match="draw 1 camera or more"):
            # Python hands on what types forbid; so do the lines below.
            wrong = DrawnCameras("phone", count=count)  # type: ignore[arg-type]
            AddCameraNoise(draw=wrong, weights=weights_file)
    for draw in (5, ["phone"], DrawnCameras(b"phone")):  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="kind of phone"):
            AddCameraNoise(draw=draw, weights=weights_file)  # type: ignore[arg-type]
