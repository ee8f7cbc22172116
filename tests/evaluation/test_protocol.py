"""The validation splits: references are not targets, scenes are named, draws are the seed's."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from noisegen.evaluation.protocol import gaussian_cases, middle_crop, polyu_cases, splits
from noisegen.references.check import Reference


@pytest.mark.parametrize("shape", [(500, 500, 3), (512, 768, 3), (768, 512, 3)])
def test_middle_crop_is_whole_and_on_the_grid(shape: tuple[int, int, int]) -> None:
    rows, columns = np.indices(shape[:2])
    crop = middle_crop(np.stack([rows, columns], -1).astype(np.int32))
    assert crop.shape == (256, 256, 2)
    y, x = crop[0, 0]
    assert y % 8 == x % 8 == 0
    assert abs(y - (shape[0] - 256) / 2) < 8
    assert abs(x - (shape[1] - 256) / 2) < 8


@pytest.mark.realdata
def test_drawn_splits_show_a_whole_picture(real_data: Path) -> None:
    case = next(gaussian_cases(real_data))
    (reference,) = case.references
    assert isinstance(reference, Reference)
    assert min(reference.noisy.shape[:2]) >= 500
    assert [target.noisy.shape for target in case.targets] == [(256, 256, 3)] * 2
    assert len({target.scene for target in case.targets}) == 2
    for target in case.targets:
        assert target.again is not None
        assert not np.array_equal(target.noisy, target.again)


@pytest.mark.realdata
def test_fewer_crops_are_the_first_of_more(real_data: Path) -> None:
    few, more = (next(polyu_cases(real_data, "seen", crops=crops)) for crops in (1, 3))
    assert len(few.targets) == 1
    assert len(more.targets) == 3
    assert np.array_equal(few.targets[0].noisy, more.targets[0].noisy)
    assert {target.scene for target in more.targets} == {more.name}
    quick = next(splits(crops=1)["polyu-seen"](real_data))
    assert [target.name for target in quick.targets] == [few.targets[0].name]


@pytest.mark.realdata
def test_w2s_targets_of_one_field_share_a_scene(real_data: Path) -> None:
    cases = list(islice(splits()["w2s"](real_data), 9))
    assert cases[0].targets[0].scene == cases[8].targets[0].scene
    assert cases[0].targets[0].name != cases[8].targets[0].name
