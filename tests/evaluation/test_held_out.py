"""Held-out simulated cameras."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from noisegen.evaluation.held_out import SIGMAS, simulated_cases
from noisegen.evaluation.side_by_side import noise_of
from noisegen.references.check import Reference


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
