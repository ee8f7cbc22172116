"""References of one setting stay together, those of several are told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pictures import Pixels, add_gaussian, scene
from scipy import ndimage

from noisegen.files import read_picture
from noisegen.model.weights import Weights, load_weights
from noisegen.profiles import belonging as module
from noisegen.profiles.belonging import (
    FLOOR,
    MOST_COMPARED,
    Belonging,
    belonging,
    difference,
    doubt,
    traits,
)
from noisegen.references.check import Burst, Reference
from noisegen.references.windows import cut_references
from noisegen.training.realdata import remove_drift

SIDE = 256

LEVEL, GRAIN, COLOUR, PROMPT = range(4)
"""Places of the traits in a difference."""


@pytest.fixture(scope="module")
def shipped() -> Weights:
    return load_weights()


def shot(sigma: float, seed: int, blur: float = 0.0, channels: int = 3) -> Reference:
    """Another scene and other noise for each seed; ``blur`` makes the noise grainy."""
    clean = scene(SIDE, SIDE, channels, seed)
    noise = np.random.default_rng([3, seed]).normal(size=clean.shape)
    if blur:
        noise = ndimage.gaussian_filter(noise, (blur, blur, 0))
    noisy = clean + sigma * noise / noise.std()
    return Reference(f"shot{seed}.png", np.clip(np.rint(noisy), 0, 255).astype(np.uint8), clean)


def found_in(references: Sequence[Reference], weights: Weights) -> Belonging:
    return belonging(cut_references(references), weights)


@pytest.mark.parametrize(("first", "second", "apart"), [(5, 15, True), (10, 11, False)])
@pytest.mark.parametrize("channels", [1, 3])
def test_strengths_are_told_apart(
    shipped: Weights, first: float, second: float, apart: bool, channels: int
) -> None:
    sigmas = (first, second, first)
    references = [shot(sigma, seed, 0, channels) for seed, sigma in enumerate(sigmas)]
    found = found_in(references, shipped)
    assert found.groups == (((0, 2), (1,)) if apart else ((0, 1, 2),))
    assert (found.distance > module.LARGEST_DISTANCE) == apart


def test_grain_of_one_strength_is_told_apart(shipped: Weights) -> None:
    references = [shot(8, 0), shot(8, 1, blur=1), shot(8, 2, blur=1), shot(8, 3)]
    assert found_in(references, shipped).groups == ((0, 3), (1, 2))


@pytest.mark.slow
def test_without_their_clean_the_loud_are_told_from_the_quiet(shipped: Weights) -> None:
    references = [
        replace(shot(sigma, seed), clean=None) for seed, sigma in enumerate((4, 4, 24, 24))
    ]
    cut = cut_references(references, denoiser=shipped.denoiser)
    assert belonging(cut, shipped).groups == ((0, 1), (2, 3))


def test_every_trait_has_its_part(shipped: Weights) -> None:
    def shown(*what: Any) -> Any:
        return traits(cut_references([shot(*what)]).each[0].windows, shipped)

    white = shown(8, 0)
    again = difference(white, shown(8, 1))
    assert (again < FLOOR).all()
    grainy = difference(white, shown(8, 2, 1.0))
    assert (grainy > 4 * FLOOR)[[GRAIN, PROMPT]].all()
    # Strength is in the measured level alone: correlations and their tokens do not know it.
    louder = difference(white, shown(16, 3))
    assert louder[LEVEL] == pytest.approx(1, rel=0.1)
    assert (louder < FLOOR)[[GRAIN, PROMPT]].all()


def test_the_warning_names_groups_strengths_and_the_way_out(shipped: Weights) -> None:
    cut = cut_references([shot(sigma, seed) for seed, sigma in enumerate((5, 15, 5, 5, 5, 5))])
    found = belonging(cut, shipped)
    text = doubt(cut, found)
    assert text is not None
    assert "shot0.png, shot2.png, shot3.png, shot4.png and 1 more | shot1.png (σ 5." in text
    assert "against 15." in text
    assert "times the spread within one" in text
    assert text.endswith("make a profile each with noisegen profile create --split")
    assert "\n" not in text
    alike = cut.where([0, 2])
    assert doubt(alike, belonging(alike, shipped)) is None


def test_bursts_are_grouped_whole(weights: Weights) -> None:
    clean = scene(96, 96)
    bursts = [
        Burst(name, ("1", "2", "3"), tuple(add_gaussian(clean, sigma, i) for i in range(3)))
        for name, sigma in (("evening", 4), ("night", 16))
    ]
    cut = cut_references(bursts)
    assert belonging(cut, weights).groups == ((0,), (1,))
    assert cut.where([1]).each[0].shots == ("night/1", "night/2", "night/3")


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of the sets of windows that were measured."""
    sizes: list[int] = []

    def counting(windows: Any, weights: Weights) -> Any:
        sizes.append(len(windows))
        return traits(windows, weights)

    monkeypatch.setattr(module, "traits", counting)
    return sizes


def test_a_single_reference_costs_nothing(weights: Weights, counted: list[int]) -> None:
    assert found_in([shot(5, 0)], weights).groups == ((0,),)
    assert counted == []


@pytest.mark.slow
def test_a_long_stack_stays_cheap(weights: Weights, counted: list[int]) -> None:
    clean = scene(96, 96)
    stack = [Reference(f"s[{i}]", add_gaussian(clean, 8, i), clean) for i in range(60)]
    assert found_in(stack, weights).groups == (tuple(range(60)),)
    assert len(counted) == 2 * MOST_COMPARED
    assert sum(counted) <= MOST_COMPARED * module.MOST_WINDOWS


def test_of_a_long_stack_that_falls_apart_all_are_grouped(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_COMPARED", 4)
    clean = scene(96, 96)
    stack = [
        Reference(f"s[{i}]", add_gaussian(clean, 5 + 15 * (i % 2), i), clean) for i in range(9)
    ]
    assert found_in(stack, weights).groups == ((0, 2, 4, 6, 8), (1, 3, 5, 7))


def test_a_reference_too_small_to_say_goes_with_the_most(weights: Weights) -> None:
    clean = scene(32, 64)
    small = Reference("small.png", add_gaussian(clean, 20), clean)
    found = found_in([shot(5, 0), small, shot(5, 1), shot(20, 2)], weights)
    assert found.groups == ((0, 1, 2), (3,))


def crop(data: Path, name: str, left: bool) -> tuple[Pixels, Pixels]:
    """512² beside the middle of a PolyU scene."""
    noisy, clean = (
        read_picture(data / "polyu" / f"{name}_{kind}.JPG").pixels for kind in ("Real", "mean")
    )
    height, width = (side // 32 * 16 for side in noisy.shape[:2])
    place = np.s_[height - 256 : height + 256, width - 512 * left : width + 512 * (not left)]
    noisy, clean = np.ascontiguousarray(noisy[place]), np.ascontiguousarray(clean[place])
    return noisy, remove_drift(noisy, clean)


@pytest.mark.realdata
@pytest.mark.parametrize("paired", [True, False])
def test_polyu_cameras_are_told_apart(real_data: Path, shipped: Weights, paired: bool) -> None:
    references = []
    for name in ("Canon5D2_circu", "Canon80D_compr"):
        for left in (True, False):
            noisy, clean = crop(real_data, name, left)
            references.append(Reference(f"{name}-{left}", noisy, clean if paired else None))
    cut = cut_references(references, denoiser=shipped.denoiser)
    assert belonging(cut, shipped).groups == ((0, 1), (2, 3))
