"""What the tests of synthesis share: a synthesizer and profiles of plain noise."""

from __future__ import annotations

import pytest
from fitted import create_profile
from pictures import add_gaussian, scene

from noisegen.model.weights import Weights
from noisegen.profiles.profile import NoiseProfile
from noisegen.references.check import Reference
from noisegen.synthesis.synthesizer import Synthesizer


@pytest.fixture(scope="session")
def synthesizer(weights: Weights) -> Synthesizer:
    return Synthesizer(weights)


@pytest.fixture(scope="session")
def profile(weights: Weights) -> NoiseProfile:
    clean = scene(128, 160, seed=5)
    return create_profile([Reference("ref", add_gaussian(clean, 12), clean)], weights)


@pytest.fixture(scope="session")
def gray_profile(weights: Weights) -> NoiseProfile:
    clean = scene(128, 160, 1, seed=5)
    return create_profile([Reference("ref", add_gaussian(clean, 12), clean)], weights)
