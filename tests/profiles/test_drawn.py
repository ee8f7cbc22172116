"""Profiles of cameras drawn by kind and ISO."""

from __future__ import annotations

from pathlib import Path

import pytest

from noisegen.errors import UsageError
from noisegen.model.weights import Weights
from noisegen.profiles.drawn import Draw, draw_profile, draw_profiles, parse_draws
from noisegen.profiles.profile import NoiseProfile
from noisegen.simulator.kinds import SENSORS, CameraKind


@pytest.mark.slow
def test_the_same_seed_draws_the_same_camera_and_its_file_is_read(
    weights: Weights, tmp_path: Path
) -> None:
    first, again = (draw_profile("phone", 1600, 3, weights) for _ in range(2))
    assert first.sha256 == again.sha256
    assert first.sha256 != draw_profile("phone", 1600, 4, weights).sha256
    first.save(tmp_path / "phone.safetensors")
    read = NoiseProfile.load(tmp_path / "phone.safetensors")
    assert (read.kind, read.sha256) == ("drawn", first.sha256)
    assert "phone at ISO 1600, seed 3" in read.references[0]


@pytest.mark.parametrize(
    "kind", ["industrial", *(pytest.param(k, marks=pytest.mark.slow) for k in ("phone", "dslr"))]
)
def test_noise_grows_with_iso(kind: str, weights: Weights) -> None:
    # One seed is one camera, whatever its ISO.
    quiet, loud = (draw_profile(kind, iso, 1, weights, gray=True).sigma[0] for iso in (100, 6400))
    assert loud > 1.5 * quiet


@pytest.mark.slow
def test_phones_smooth_what_instruments_record_as_it_is(weights: Weights) -> None:
    phone = draw_profile("phone", 1600, 0, weights, gray=False)
    microscope = draw_profile("microscope", 1600, 0, weights, gray=True)
    assert (phone.channels, microscope.channels) == (3, 1)
    assert phone.autocorrelation[:, 6, 7].min() > 0.3
    assert abs(microscope.autocorrelation[0, 6, 7]) < 0.1


@pytest.mark.slow
def test_several_cameras_are_the_first_of_any_longer_list(weights: Weights) -> None:
    wanted = parse_draws("microscope:800-6400,industrial")
    few, more = (draw_profiles(wanted, count, 5, weights, gray=True) for count in (1, 3))
    assert [p.sha256 for p in few] == [p.sha256 for p in more[:1]]
    assert len({p.sha256 for p in more}) == 3


def test_a_draw_is_a_kind_with_an_iso_a_range_or_its_usual_one() -> None:
    phone, dslr, compact = parse_draws("phone:800-6400, dslr:1600,compact")
    assert phone == Draw(CameraKind.PHONE, 800, 6400)
    assert dslr == Draw(CameraKind.DSLR, 1600, 1600)
    assert compact == Draw(CameraKind.COMPACT, *SENSORS[CameraKind.COMPACT].iso)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("webcam:800", "kind of phone, compact"),
        ("phone,,dslr", "draw of nothing"),
        ("phone:bright", "phone:1600 or phone:800-6400"),
        ("phone:6400-800", "ISO from 10 to 409600"),
        ("dslr:nan", "ISO from 10"),
    ],
)
def test_what_is_no_draw_is_told_with_the_way_out(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_draws(text)
