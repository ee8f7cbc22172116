"""Splits that nothing is tuned on: reproducible, in range, and a reference is never its target."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from pictures import add_gaussian, scene

from noisegen.evaluation.across import SIDE, across_cases
from noisegen.evaluation.held_out import (
    BURST_SHOTS,
    KEPT_BACK,
    S95_CROP,
    SIGMAS,
    all_splits,
    micro_cases,
    nam25_cases,
    own_cleans,
    s95_cases,
    simulated_cases,
)
from noisegen.evaluation.protocol import Case
from noisegen.evaluation.side_by_side import noise_of
from noisegen.references.check import Burst, Reference


@pytest.mark.realdata
def test_cases_are_reproducible_and_their_noise_is_in_range(real_data: Path) -> None:
    first, second = (list(islice(simulated_cases(real_data), 2)) for _ in range(2))
    for case, same in zip(first, second, strict=True):
        (reference,), (twin,) = case.references, same.references
        assert isinstance(reference, Reference)
        assert isinstance(twin, Reference)
        assert np.array_equal(reference.noisy, twin.noisy)
        assert len({target.scene for target in case.targets}) == 2
        noise = np.concatenate([noise_of(t.noisy, t.clean) for t in case.targets])
        assert SIGMAS[0] <= noise.std() <= SIGMAS[1]


@pytest.mark.realdata
def test_second_draw_is_the_same_camera(real_data: Path) -> None:
    for target in next(simulated_cases(real_data)).targets:
        assert target.again is not None
        one, other = noise_of(target.noisy, target.clean), noise_of(target.again, target.clean)
        assert abs(one.std() / other.std() - 1) < 0.05
        assert not np.array_equal(one, other)


@pytest.mark.parametrize("count", [2, 3])
def test_a_shot_against_its_own_clean_has_all_of_its_noise(count: int) -> None:
    """Against the plain mean it has (N − 1)/N of its variance: 0.71 of σ of two."""
    picture = scene(192, 192)
    shots = [add_gaussian(picture, 8, seed=seed) for seed in range(count)]
    for shot, clean in zip(shots, own_cleans(shots), strict=True):
        assert noise_of(shot, clean).std() * 255 == pytest.approx(8, rel=0.04)


def test_no_value_of_the_noise_is_missing() -> None:
    """Half steps, stretched by √2 and rounded, would leave gaps and peaks."""
    picture = np.full((256, 256, 3), 128, np.uint8)
    shots = [add_gaussian(picture, 8, seed=seed) for seed in range(2)]
    noise = np.rint(noise_of(shots[0], own_cleans(shots)[0]) * 255).astype(int)
    counts = np.bincount(noise.ravel() + 100)[100 - 8 : 100 + 9].astype(float)
    uneven = counts[1:-1] / (counts[:-2] + counts[2:]) * 2
    assert np.abs(uneven - 1).max() < 0.1


def test_drift_between_shots_is_no_noise() -> None:
    picture = scene(192, 192)
    shots = [add_gaussian(picture, 8, seed=seed) for seed in range(3)]
    shots[1] = np.minimum(shots[1].astype(int) + 6, 255).astype(np.uint8)
    for shot, clean in zip(shots, own_cleans(shots), strict=True):
        assert abs(noise_of(shot, clean).mean()) * 255 < 0.3


def halves(case: Case) -> tuple[Reference, np.ndarray]:
    (reference,), (target,) = case.references, case.targets
    assert isinstance(reference, Reference)
    return reference, target.noisy


@pytest.mark.realdata
def test_nam_halves_meet_at_the_middle(real_data: Path) -> None:
    cases = list(nam25_cases(real_data))
    assert len(cases) == 25
    reference, target = halves(cases[0])
    assert reference.noisy.shape == target.shape == (512, 256, 3)
    assert not np.array_equal(reference.noisy, target)
    whole = np.concatenate([reference.noisy, target], 1).astype(float)
    across = np.abs(np.diff(whole, axis=1)).mean((0, 2))
    assert across[255] < 2 * across.mean()


@pytest.mark.realdata
def test_across_scenes_the_reference_shows_another_scene(real_data: Path) -> None:
    cases = list(across_cases(real_data, "unseen", 1))
    shown = {(case.references[0].name, case.targets[0].scene) for case in cases}
    pairs = ("SonyA7II_class", "SonyA7II_stair"), ("SonyA7II_door", "SonyA7II_plant")
    assert shown == {*pairs, *(pair[::-1] for pair in pairs)}
    for case in cases:
        (reference,) = case.references
        assert isinstance(reference, Reference)
        assert reference.noisy.shape == (SIDE, SIDE, 3)


@pytest.mark.realdata
def test_micro_halves_are_swapped(real_data: Path) -> None:
    first, second = (halves(case) for case in micro_cases(real_data))
    assert np.array_equal(first[0].noisy, second[1])
    assert np.array_equal(first[1], second[0].noisy)
    assert not np.array_equal(first[0].noisy, first[1])


@pytest.mark.realdata
def test_s95_targets_are_other_shots_than_the_bursts(real_data: Path) -> None:
    (case,) = islice(s95_cases(real_data), 1)
    (burst,) = case.references
    assert isinstance(burst, Burst)
    assert len(burst.shots) == BURST_SHOTS
    assert {target.scene for target in case.targets} == {case.name}
    shots = {target.name.split("/")[1] for target in case.targets}
    assert shots.isdisjoint(Path(name).stem for name in burst.names)
    y, x = map(int, case.targets[0].name.split("/")[2].split("-"))
    there = np.s_[y : y + S95_CROP, x : x + S95_CROP]
    assert not any(np.array_equal(shot[there], case.targets[0].noisy) for shot in burst.shots)


def test_the_command_line_knows_them() -> None:
    assert KEPT_BACK.keys() <= all_splits(1).keys()
