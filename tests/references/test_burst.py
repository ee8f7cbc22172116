"""Bursts: shots of one still scene, some of which moved."""

from __future__ import annotations

import numpy as np
import pytest
from fitted import create_profile, measure_references
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import Pixels, add_gaussian, scene
from scipy import ndimage

from noisegen.errors import BadReferenceError
from noisegen.model.weights import Weights
from noisegen.noise.intensities import level_at
from noisegen.profiles.fit import Measured
from noisegen.references.check import Burst, Reference
from noisegen.references.scenes import moving
from noisegen.references.shift import Shift, kept_power
from noisegen.references.windows import Repair

SIDE = 192
SIGMA = 8.0


def still(down: float = 0, across: float = 0, seed: int = 0) -> Pixels:
    """A picture of soft texture, seen from a camera that points so far lower and further right."""
    rng = np.random.default_rng(seed)
    whole = np.full((SIDE + 32, SIDE + 32, 3), 128.0)
    for sigma in (1.5, 4, 12):
        layer = ndimage.gaussian_filter(rng.normal(size=(*whole.shape[:2], 1)), (sigma, sigma, 0))
        whole += 14 * layer / layer.std()
    shifted = ndimage.shift(whole, (-down, -across, 0), order=5)[16:-16, 16:-16]
    samples: Pixels = np.clip(np.rint(shifted), 0, 255).astype(np.uint8)
    return samples


def burst_of(*scenes: Pixels, sigma: float = SIGMA) -> Burst:
    shots = tuple(add_gaussian(clean, sigma, seed) for seed, clean in enumerate(scenes))
    return Burst("shots", tuple(f"{i}.png" for i in range(len(shots))), shots)


def measured(burst: Burst, repair: bool = True) -> Measured:
    return measure_references([burst], repair=Repair.ALL if repair else Repair.NONE)


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(st.integers(2, 9), st.sampled_from([3.0, 8.0, 15.0]))
def test_a_burst_of_any_length_shows_the_full_noise(count: int, sigma: float) -> None:
    done = measured(burst_of(*[still()] * count, sigma=sigma))
    np.testing.assert_allclose(done.statistics.sigma * 255, sigma, rtol=0.03)
    assert done.cut.repairs == ()
    assert (done.cut.kind, len(done.cut.shots)) == ("burst", count)


def test_a_burst_measures_like_a_pair() -> None:
    """Signal-dependent noise with grain: level, grain and colour, not only strength."""
    clean = still()
    rng = np.random.default_rng(0)
    shots = []
    for _ in range(5):
        grain = ndimage.gaussian_filter(rng.normal(size=clean.shape), (0.7, 0.7, 0.4))
        noisy = clean + np.sqrt(clean) * grain / grain.std()
        shots.append(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
    burst = measured(Burst("b", ("0", "1", "2", "3", "4"), tuple(shots))).statistics
    pairs = measure_references([Reference(f"{i}", s, clean) for i, s in enumerate(shots)])
    pair = pairs.statistics
    np.testing.assert_allclose(burst.sigma, pair.sigma, rtol=0.03)
    # The mean is noisy too, which blurs the levels of the few darkest and brightest pixels.
    intensities = np.quantile(clean, np.linspace(0.03, 0.97, 20), axis=(0, 1)).T / 255
    levels = level_at(burst, intensities), level_at(pair, intensities)
    np.testing.assert_allclose(levels[0], levels[1], rtol=0.05)
    assert np.abs(burst.autocorrelation - pair.autocorrelation).max() < 0.05
    assert np.abs(burst.colour_correlation - pair.colour_correlation).max() < 0.05


@pytest.mark.parametrize(("down", "across"), [(3, -2), (0.5, 0.3), (-1.4, 0)])
@pytest.mark.parametrize("count", [2, 4])
def test_moved_shots_are_found_named_and_registered(down: float, across: float, count: int) -> None:
    burst = burst_of(*[still()] * (count - 1), still(down, across))
    done = measured(burst)
    (repair,) = done.cut.repairs
    # Of two shots, either may be the one that the other is moved onto.
    sign = -1 if count == 2 and repair.startswith("shots/0.png") else 1
    assert repair.startswith(f"shots/{count - 1 if sign > 0 else 0}.png: moved by ")
    found = [float(word) for word in repair.split() if word[0] in "+-"]
    np.testing.assert_allclose(found, [sign * down, sign * across], atol=0.06)
    np.testing.assert_allclose(done.statistics.sigma * 255, SIGMA, rtol=0.05)
    off = measured(burst, repair=False)
    assert off.cut.repairs == ()
    assert (off.statistics.sigma > 1.01 * done.statistics.sigma).all()


def test_windows_in_which_something_moved_are_left_out() -> None:
    scenes = [still() for _ in range(4)]
    for index, picture in enumerate(scenes):
        picture[40:64, 30 + 25 * index : 54 + 25 * index] = 210
    burst = burst_of(*scenes)
    done = measured(burst)
    assert any("in which something moved" in repair for repair in done.cut.repairs)
    np.testing.assert_allclose(done.statistics.sigma * 255, SIGMA, rtol=0.05)
    assert (measured(burst, repair=False).statistics.sigma * 255 > 1.1 * SIGMA).all()


def test_noise_that_is_stronger_on_texture_does_not_move() -> None:
    rng = np.random.default_rng(0)
    level = np.where(rng.random((200, 1, 1, 1)) < 0.3, 1.4, 1)
    residual = (level * rng.normal(size=(200, 3, 32, 32))).astype(np.float32)
    clean = rng.random((200, 1, 1, 1), np.float32) * np.ones((1, 3, 32, 32), np.float32)
    assert not moving(residual, clean).any()


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (still(seed=5), "another scene"),
        (ndimage.gaussian_filter(still(), (0, 4, 0)), "no shift undoes"),
    ],
)
def test_a_shot_that_does_not_belong_is_left_out_and_named(odd: Pixels, reason: str) -> None:
    done = measured(burst_of(still(), odd, still(), still()))
    left_out = [repair for repair in done.cut.repairs if reason in repair]
    assert len(left_out) == 1
    assert left_out[0].startswith("shots/1.png: left out")
    np.testing.assert_allclose(done.statistics.sigma * 255, SIGMA, rtol=0.03)


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("kind", ["clean", "mean"])
def test_a_clean_among_the_shots_is_left_out_and_named(kind: str, count: int) -> None:
    burst = burst_of(*[still()] * count)
    mean = np.rint(np.mean(burst.shots, axis=0)).astype(np.uint8)
    odd = still() if kind == "clean" else mean
    done = measured(Burst("shots", (*burst.names, "gt.png"), (*burst.shots, odd)))
    assert [repair.split(",")[0] for repair in done.cut.repairs] == ["shots/gt.png: left out"]
    np.testing.assert_allclose(done.statistics.sigma * 255, SIGMA, rtol=0.03)


@pytest.mark.parametrize("gains", [(1, 1.08, 0.93), (1, 1.2, 0.7)])
def test_flicker_is_undone(gains: tuple[float, ...]) -> None:
    scenes = [np.clip(np.rint(still() * gain), 0, 255).astype(np.uint8) for gain in gains]
    done = measured(burst_of(*scenes))
    assert any("gain" in repair for repair in done.cut.repairs)
    np.testing.assert_allclose(done.statistics.sigma * 255, SIGMA, rtol=0.05)


def test_a_copy_is_no_second_shot() -> None:
    burst = burst_of(still(), still(), still())
    copied = Burst("shots", (*burst.names, "copy.png"), (*burst.shots, burst.shots[0]))
    done = measured(copied)
    assert done.cut.repairs == ("shots/copy.png: left out, a copy of 0.png",)
    assert done.cut.shots == ("shots/0.png", "shots/1.png", "shots/2.png")
    assert done.cut.pixels == measured(burst).cut.pixels
    np.testing.assert_allclose(done.statistics.sigma * 255, SIGMA, rtol=0.03)


def test_clipping_does_not_make_the_noise_weaker() -> None:
    """Half the picture lies near white: there the mean of what is clipped is not the scene."""
    clean = np.full((SIDE, SIDE, 1), 128, np.uint8)
    clean[:, SIDE // 2 :] = 250
    done = measured(burst_of(*[clean] * 6, sigma=12))
    middle, bright = 255 * level_at(done.statistics, np.array([128, 250]) / 255)[0]
    assert middle == pytest.approx(12, rel=0.03)
    assert bright == pytest.approx(12, rel=0.1)


@pytest.mark.parametrize("part", [0.0, 0.3, 0.5])
def test_interpolation_is_known_to_smooth_noise(part: float) -> None:
    assert kept_power(Shift(3, 0)) == pytest.approx(np.ones((32, 32)))
    power = kept_power(Shift(part, 0))
    assert power[0, 0] == pytest.approx(1)
    assert power.mean() <= 1 + 1e-6
    assert power[16, 0] == pytest.approx(np.cos(np.pi * part) ** 2, abs=0.05)


@pytest.mark.parametrize(
    ("shots", "reason"),
    [
        ([add_gaussian(still(), 8)], "a burst of 1"),
        ([add_gaussian(still(), 8)] * 3, "all 3 shots are the same"),
        ([add_gaussian(still(), 8), add_gaussian(still(), 8, 1)[:-8]], "must be alike"),
        ([add_gaussian(still(), 8), add_gaussian(still(), 8)[..., :1]], "uint8 gray .* uint8 RGB"),
        ([add_gaussian(still(), 4 + 12 * (s > 1), s) for s in range(4)], "or settings"),
        ([add_gaussian(still(seed=s), 8, s) for s in (0, 1)], "different scenes"),
        ([add_gaussian(still(seed=s % 2), 8, s) for s in range(4)], "different scenes"),
        ([add_gaussian(scene(20, 20), 8, s) for s in range(2)], "too small"),
    ],
)
def test_what_is_no_burst_is_refused(shots: list[Pixels], reason: str) -> None:
    names = tuple(f"{i}.png" for i in range(len(shots)))
    with pytest.raises(BadReferenceError, match=reason) as caught:
        measured(Burst("holiday", names, tuple(shots)))
    assert "holiday" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bursts_and_single_shots_do_not_mix(weights: Weights) -> None:
    mixed: list[Reference] = [burst_of(still(), still()), Reference("a", still())]  # type: ignore[list-item]  # the point
    with pytest.raises(BadReferenceError, match="beside single shots"):
        create_profile(mixed, weights)


def test_the_profile_says_burst(weights: Weights) -> None:
    profile = create_profile([burst_of(still(), still()), burst_of(still(2), still(2))], weights)
    assert profile.kind == "burst"
    assert profile.references == ("shots/0.png", "shots/1.png") * 2
    assert profile.pixels == 4 * SIDE * SIDE


def test_shots_without_a_place_in_common_are_refused(weights: Weights) -> None:
    shots = [still(down)[60:116, :128] for down in (0, 12, -12)]
    with pytest.raises(BadReferenceError, match=r"shots: its shots are too far shifted"):
        create_profile([burst_of(*shots)], weights)


def test_shots_that_hardly_differ_show_no_noise(weights: Weights) -> None:
    first = add_gaussian(still()[:33, :33], SIGMA)
    second = first.copy()
    second[32] += 1
    burst = Burst("shots", ("0.png", "1.png"), (first, second))
    with pytest.raises(BadReferenceError, match="shows no noise"):
        create_profile([burst], weights)
