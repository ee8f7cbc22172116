"""The probe: nobody votes for its own scene, chance is chance, and noise that differs is told."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import add_gaussian, scene

from noisegen.errors import BadReferenceError, UsageError
from noisegen.model.weights import Weights
from noisegen.research.probe.accuracy import (
    PROBES,
    Probe,
    confusion,
    labels_of,
    linear,
    nearest,
    told,
    votes,
)
from noisegen.research.probe.describe import VECTORS, describe_crops, listed_shots, polyu_shots
from noisegen.research.probe.run import principal_components

SCENES, CROPS = 12, 5

Doubles = NDArray[np.float64]


@pytest.fixture(scope="module")
def scenes() -> list[str]:
    return [f"s{index:02d}" for index in range(SCENES) for _ in range(CROPS)]


@pytest.fixture(scope="module")
def cameras() -> list[str]:
    """Every other scene by another camera."""
    return ["ab"[index % 2] for index in range(SCENES) for _ in range(CROPS)]


def _crops(of_scene: Doubles, spread: float) -> Doubles:
    """Crops around their scenes' vectors (SCENES×D)."""
    rng = np.random.default_rng(5)
    around = np.repeat(of_scene, CROPS, axis=0)
    return around + spread * rng.standard_normal(around.shape)


@pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES.keys())
def test_nobody_votes_for_its_own_scene(probe: Probe, scenes: list[str]) -> None:
    cast = votes(np.random.default_rng(0).standard_normal((len(scenes), 7)), scenes, probe)
    same = np.equal.outer(np.array(scenes), np.array(scenes))
    assert not cast[same].any()
    np.testing.assert_allclose(cast.sum(1), 1)


def test_the_nearest_has_the_vote() -> None:
    won = nearest(np.array([[0.0, 0], [3, 0], [0, 5]]), np.array([[2.0, 1], [1, 4]]))
    assert won.tolist() == [[0, 1, 0], [0, 0, 1]]


def test_linear_is_ridge_regression() -> None:
    """Against the primal solution, of a label that is linear in the features."""
    rng = np.random.default_rng(3)
    known = rng.standard_normal((40, 4))
    known -= known.mean(0)
    label, asked = known @ [1.0, -2, 0, 3] + 7, rng.standard_normal((5, 4))
    slope = np.linalg.solve(known.T @ known + 4 * 0.1 * np.eye(4), known.T @ (label - label.mean()))
    np.testing.assert_allclose(linear(known, asked) @ label, asked @ slope + label.mean())


@pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES.keys())
def test_what_lies_apart_is_told(probe: Probe, scenes: list[str], cameras: list[str]) -> None:
    of_scene = np.random.default_rng(1).standard_normal((SCENES, 6))
    of_scene[::2] += 8
    cast = votes(_crops(of_scene, 0.1), scenes, probe)
    labels = labels_of("camera", cameras, scenes)
    found = told(cast, labels)
    assert (found.accuracy, found.low, found.high) == (1, 1, 1)
    assert found.shuffled == pytest.approx(0.5, abs=0.1)
    assert found.shuffled < found.shuffled_high < 1
    assert confusion(cast, labels).tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES.keys())
def test_scenes_that_lie_apart_tell_no_camera(
    probe: Probe, scenes: list[str], cameras: list[str]
) -> None:
    """Each crop's true neighbours are of its own scene; those must not help."""
    of_scene = 50 * np.random.default_rng(2).standard_normal((SCENES, 30))
    found = told(votes(_crops(of_scene, 0.1), scenes, probe), labels_of("c", cameras, scenes))
    assert found.accuracy < found.shuffled_high
    assert found.low < 0.5


def test_a_label_of_one_scene_is_not_asked(scenes: list[str]) -> None:
    isos = ["800"] * CROPS + (["1600"] * 7 + ["3200"] * 4) * CROPS
    labels = labels_of("iso", sorted(isos, key=float), scenes)
    assert labels.names == ("800", "1600", "3200")
    assert labels.scene_counts == {"800": 1, "1600": 7, "3200": 4}
    assert labels.majority == pytest.approx(7 / 11)
    assert labels.asked.sum() == 11 * CROPS
    perfect = np.equal.outer(labels.index, labels.index).astype(float)
    perfect[:CROPS] = 0
    assert told(perfect, labels).accuracy == 1


def test_one_camera_cannot_be_told_apart(scenes: list[str]) -> None:
    with pytest.raises(UsageError, match=r"camera: to be told apart.*found scenes of x: 12"):
        labels_of("camera", ["x"] * len(scenes), scenes)


def test_components_hold_most_variance_and_keep_their_sign() -> None:
    rng = np.random.default_rng(4)
    hidden = rng.standard_normal((50, 1))
    vectors = np.hstack([hidden, -2 * hidden, 3 * hidden, rng.standard_normal((50, 1))])
    places, shares = principal_components(np.hstack([vectors, np.full((50, 1), 9.0)]))
    assert shares == pytest.approx((0.75, 0.25), abs=0.03)
    assert abs(np.corrcoef(places[:, 0], hidden[:, 0])[0, 1]) > 0.99
    again, _ = principal_components(np.hstack([vectors, np.full((50, 1), 9.0)]))
    assert np.array_equal(places, again)


def _listed(folder: Path, text: str) -> Path:
    path = folder / "shots.csv"
    path.write_text(text, encoding="utf-8")
    return path


def _save(path: Path, pixels: NDArray[np.uint8]) -> None:
    path.write_bytes(imagecodecs.png_encode(pixels))


def test_a_list_has_defaults(tmp_path: Path) -> None:
    _save(tmp_path / "a.png", scene(40, 40))
    (shot,) = listed_shots(_listed(tmp_path, "\ufeffnoisy,camera,iso\na.png, phone ,\n"))
    assert shot.labels == {"camera": "phone"}
    assert shot.scene == str(tmp_path / "a.png")
    (reference,) = shot.read()
    assert reference.clean is None
    assert reference.noisy.shape == (40, 40, 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,camera\na.png,x\n", "must name the columns noisy and camera or iso"),
        ("noisy,clean\na.png,\n", "must name the columns noisy and camera or iso"),
        ("", "must name the columns"),
        ("noisy,camera\nmissing.png,x\n", "line 2.*missing.png is no file"),
        ("noisy,clean,camera\nshots.csv,nope.png,x\n", "line 2.*nope.png is no file"),
    ],
)
def test_a_list_that_cannot_be_used(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        listed_shots(_listed(tmp_path, text))


@pytest.mark.slow
def test_crops_are_the_seed_s_and_of_the_shot_alone(tmp_path: Path, weights: Weights) -> None:
    clean = scene(320, 400)
    _save(tmp_path / "n.png", add_gaussian(clean, 10))
    _save(tmp_path / "c.png", clean)
    (shot,) = listed_shots(_listed(tmp_path, "noisy,clean,iso\nn.png,c.png,100\n"))
    first, again = (describe_crops(shot, weights, count=3) for _ in range(2))
    assert len(first) == 3
    for one, other in zip(first, again, strict=True):
        assert set(one.vectors) == set(VECTORS)
        for name in VECTORS:
            assert np.array_equal(one.vectors[name], other.vectors[name])
    strength = np.exp(first[0].vectors["noise strength alone"]) * 255
    np.testing.assert_allclose(strength, 10, rtol=0.05)
    fewer = describe_crops(shot, weights, count=1)
    assert np.array_equal(fewer[0].vectors["prompt"], first[0].vectors["prompt"])
    (blind,) = describe_crops(shot, weights, count=1, blind=True)
    assert not np.array_equal(blind.vectors["prompt"], first[0].vectors["prompt"])


def test_shots_that_hold_no_crop(tmp_path: Path, weights: Weights) -> None:
    clean = scene(256, 256)
    moved = np.roll(clean, 4, axis=1)
    for name, pixels in (("small", scene(90, 300)), ("clean", clean), ("moved", moved)):
        _save(tmp_path / f"{name}.png", pixels)
    text = "noisy,clean,iso\nsmall.png,,1\nmoved.png,clean.png,1\n"
    small, misplaced = listed_shots(_listed(tmp_path, text))
    with pytest.raises(UsageError, match=r"small.png: 300×90 is smaller than a crop"):
        describe_crops(small, weights, count=1)
    with pytest.raises(BadReferenceError, match=r"moved.png: no crop of it lies on its clean"):
        describe_crops(misplaced, weights, count=1)


@pytest.mark.realdata
def test_polyu_has_four_cameras(real_data: Path, weights: Weights) -> None:
    shots = polyu_shots(real_data)
    assert len(shots) == 33
    assert {shot.labels["camera"] for shot in shots} == {
        "Canon5D2", "Canon80D", "Nikon800", "SonyA7II",
    }  # fmt: skip
    (crop,) = describe_crops(shots[0], weights, count=1)
    assert crop.shot.labels == {"camera": "Canon5D2", "iso": "6400"}
