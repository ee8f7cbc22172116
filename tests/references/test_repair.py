"""Imperfect pairs: what is found between a noisy picture and its clean, and undone."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fitted import measure_references
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pictures import Pixels, add_gaussian, scene
from PIL import Image
from scipy import ndimage

from noisegen.errors import BadReferenceError
from noisegen.files import read_picture, to_float
from noisegen.noise.record import Recording
from noisegen.noise.statistics import NoiseStatistics
from noisegen.profiles.fit import Measured
from noisegen.references.check import Reference
from noisegen.references.drift import find_drift
from noisegen.references.repair import repair_pair
from noisegen.references.shift import Shift, find_shift, inside, kept_power, moved
from noisegen.references.windows import Repair

Doubles = NDArray[Any]

SIDE = 256
MARGIN = 8


def texture(seed: int = 0) -> Doubles:
    """A picture of edges and soft texture at all scales, in [30, 225], with a margin all round."""
    rng = np.random.default_rng(seed)
    side = SIDE + 2 * MARGIN
    picture = np.zeros((side, side, 3))
    for sigma in (1.5, 4, 12, 30):
        layer = ndimage.gaussian_filter(rng.normal(size=(side, side, 1)), (sigma, sigma, 0))
        picture += layer / layer.std() * np.array([1, 0.9, 0.7])
    picture += 3 * np.sign(ndimage.gaussian_filter(rng.normal(size=(side, side, 1)), (15, 15, 0)))
    picture = ndimage.gaussian_filter(picture, (0.8, 0.8, 0))
    scaled: Doubles = 30 + 195 * (picture - picture.min()) / np.ptp(picture)
    return scaled


def at(picture: Doubles, down: float, across: float) -> Doubles:
    """What a camera sees that points so many pixels lower and further right."""
    shifted: Doubles = ndimage.shift(picture, (-down, -across, 0), order=5, mode="nearest")
    return shifted[MARGIN:-MARGIN, MARGIN:-MARGIN]


def as_bytes(values: Doubles) -> Pixels:
    samples: Pixels = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return samples


def white(clean: Doubles, rng: np.random.Generator) -> Doubles:
    return clean + rng.normal(0, 8, clean.shape)


def grainy(clean: Doubles, rng: np.random.Generator) -> Doubles:
    grain: Doubles = ndimage.gaussian_filter(rng.normal(size=clean.shape), (0.8, 0.8, 0.4))
    noisy: Doubles = clean + 10 * grain / grain.std()
    return noisy


def shot(clean: Doubles, rng: np.random.Generator) -> Doubles:
    noisy: Doubles = clean + rng.normal(0, 0.8, clean.shape) * np.sqrt(clean)
    return noisy


def salted(clean: Doubles, rng: np.random.Generator) -> Doubles:
    """Salt without pepper raises the mean and lowers the contrast, and is noise all the same."""
    return np.where(rng.random(clean.shape) < 0.05, 255, clean + rng.normal(0, 4, clean.shape))


def banded(clean: Doubles, rng: np.random.Generator) -> Doubles:
    rows = rng.normal(0, 5, (clean.shape[0], 1, 1))
    return clean + rows + rng.normal(0, 5, clean.shape)


NOISES = {f.__name__: f for f in (white, grainy, shot)}


def gained(clean: Doubles) -> Doubles:
    changed: Doubles = clean * np.array([0.85, 0.9, 1.1]) + np.array([9, 0, -4])
    return changed


def drifting(clean: Doubles) -> Doubles:
    y, x = np.mgrid[:SIDE, :SIDE][..., None] / 60
    drifted: Doubles = clean + 5 * np.sin(x) * np.cos(y + 1) + 3 * y
    return drifted


DAMAGES: dict[str, Callable[[Doubles], Doubles]] = {
    "gain": lambda p: gained(at(p, 0, 0)),
    "drift": lambda p: drifting(at(p, 0, 0)),
    "whole pixels": lambda p: at(p, -3, 2),
    "parts of a pixel": lambda p: at(p, 0.4, -0.3),
    "all": lambda p: drifting(gained(at(p, 2.5, -1.3))),
}


def measured(noisy: Pixels, clean: Pixels, repair: bool = True) -> Measured:
    return measure_references(
        [Reference("shot.png", noisy, clean)], repair=Repair.ALL if repair else Repair.NONE
    )


def correlation_error(one: NoiseStatistics, other: NoiseStatistics) -> float:
    apart = np.concatenate(
        [
            (one.autocorrelation - other.autocorrelation).ravel(),
            (one.colour_correlation - other.colour_correlation).ravel(),
        ]
    )
    return float(np.sqrt((apart**2).mean()))


@cache
def undamaged(noise: str) -> tuple[Pixels, NoiseStatistics]:
    """A shot, and what it measures like beside its clean."""
    clean = at(texture(), 0, 0)
    noisy = as_bytes(NOISES[noise](clean, np.random.default_rng(1)))
    return noisy, measured(noisy, as_bytes(clean)).statistics


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("noise", NOISES)
def test_a_damaged_pair_measures_like_the_undamaged(noise: str, damage: str) -> None:
    picture, (noisy, whole) = texture(), undamaged(noise)
    repaired = measured(noisy, as_bytes(DAMAGES[damage](picture)))
    np.testing.assert_allclose(repaired.statistics.sigma, whole.sigma, rtol=0.05)
    assert correlation_error(repaired.statistics, whole) < 0.05
    assert repaired.cut.repairs
    assert all(repair.startswith("shot.png: ") for repair in repaired.cut.repairs)
    left = measured(noisy, as_bytes(DAMAGES[damage](picture)), repair=False)
    assert left.cut.repairs == ()
    off = np.abs(left.statistics.sigma / whole.sigma - 1).max()
    assert off > max(0.02, np.abs(repaired.statistics.sigma / whole.sigma - 1).max())


def test_small_damage_is_masked_and_gross_damage_undone() -> None:
    picture = texture()
    noisy = as_bytes(white(at(picture, 0, 0), np.random.default_rng(1)))

    def under(clean: Doubles, repair: Repair) -> Measured:
        return measure_references([Reference("shot.png", noisy, as_bytes(clean))], repair=repair)

    small = at(picture, 0, 0).copy()
    small[: SIDE // 2] = at(picture, 0.4, -0.3)[: SIDE // 2] * 0.98
    masked, left = under(small, Repair.GROSS), under(small, Repair.NONE)
    np.testing.assert_array_equal(
        masked.windows.residual, under(small, Repair.MASK).windows.residual
    )
    assert len(masked.windows) < len(left.windows)
    assert all("left out" in repair for repair in masked.cut.repairs)
    # Where nothing lies as it should there is nothing to mask.
    everywhere = at(picture, 0.4, -0.3)
    assert under(everywhere, Repair.GROSS).cut.repairs == under(everywhere, Repair.ALL).cut.repairs
    gross = under(at(picture, 3, 0) * 0.9, Repair.GROSS)
    assert "moved the clean by" in gross.cut.repairs[0]
    assert "gain and offset" in gross.cut.repairs[1]
    whole = under(at(picture, 0, 0), Repair.GROSS)
    assert whole.cut.repairs == ()
    np.testing.assert_allclose(gross.statistics.sigma, whole.statistics.sigma, rtol=0.05)


def test_one_small_shift_is_undone_though_even_places_hide_it() -> None:
    picture = texture()
    picture[: SIDE // 2] = 120
    noisy = as_bytes(white(at(picture, 0, 0), np.random.default_rng(1)))
    moved_clean = Reference("shot.png", noisy, as_bytes(at(picture, 0.4, -0.3)))
    found = measure_references([moved_clean], repair=Repair.GROSS)
    assert "moved the clean by" in found.cut.repairs[0]
    np.testing.assert_allclose(found.statistics.sigma * 255, 8, rtol=0.05)


def test_where_an_object_moved_is_left_out_and_no_drift() -> None:
    picture = at(texture(), 0, 0)
    noisy = as_bytes(white(picture, np.random.default_rng(1)))
    clean = as_bytes(picture)
    clean[100:180, 90:170] = clean[10:90, 150:230]
    found = measure_references([Reference("shot.png", noisy, clean)])
    (repair,) = found.cut.repairs
    assert repair.endswith("in which something moved")
    np.testing.assert_allclose(found.statistics.sigma * 255, 8, rtol=0.05)


def test_drift_is_as_strong_as_distant_blocks_agree() -> None:
    clean = at(texture(), 0, 0)
    noisy = to_float(as_bytes(grainy(clean, np.random.default_rng(0))), 255)
    ramp = np.linspace(-6, 6, SIDE)[:, None]
    drift = find_drift(noisy, to_float(as_bytes(clean + ramp), 255))
    assert drift is not None
    # On so small a picture distant blocks lie on a good part of the ramp, and agree less.
    assert 0.7 < 255 * drift.strength / ramp.std() < 1.05


@pytest.mark.parametrize("noise", [white, grainy, shot, salted, banded])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_perfect_pair_stays_as_it_is(
    noise: Callable[[Doubles, np.random.Generator], Doubles], seed: int
) -> None:
    clean = at(texture(seed), 0, 0)
    noisy = to_float(as_bytes(noise(clean, np.random.default_rng(seed))), 255)
    given_clean = to_float(as_bytes(clean), 255)
    pair = repair_pair(noisy, given_clean, "shot.png", Recording.even(3, 1 / 255))
    assert pair.repairs == ()
    np.testing.assert_array_equal(pair.clean, given_clean)
    np.testing.assert_array_equal(pair.noisy, noisy)


def test_clipping_is_taken_for_neither_gain_nor_drift() -> None:
    """Noise at black has a mean; it must stay in the residual, where it is undone as clipping."""
    clean = as_bytes(np.clip(at(texture(), 0, 0) * 1.6 - 100, 0, 255))
    noisy = add_gaussian(clean, 20)
    assert measured(noisy, clean).cut.repairs == ()


def test_the_noisy_picture_is_only_cut() -> None:
    picture = texture()
    noisy = to_float(as_bytes(white(at(picture, 0, 0), np.random.default_rng(0))), 255)
    clean = to_float(as_bytes(drifting(gained(at(picture, 2.5, -1.3)))), 255)
    pair = repair_pair(noisy, clean, "shot.png", Recording.even(3, 1 / 255))
    assert len(pair.repairs) >= 3
    place = inside(noisy.shape, Shift(2.5, -1.3))
    np.testing.assert_array_equal(pair.noisy, noisy[place])
    assert 0 <= pair.clean.min() <= pair.clean.max() <= 1


@settings(max_examples=8, deadline=None)
@given(
    st.integers(-6, 6), st.integers(-6, 6), st.sampled_from([0.0, 0.25, 0.5]), st.integers(0, 99)
)
def test_any_shift_is_found(down: int, across: int, part: float, seed: int) -> None:
    picture = texture(seed % 3)
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 10, (SIDE, SIDE, 3))
    noisy, moved_clean = (
        (values / 255).astype(np.float32)
        for values in (at(picture, 0, 0) + noise, at(picture, down + part, across))
    )
    shift = find_shift(noisy, moved_clean)
    assert abs(shift.down - down - part) < 0.04
    assert abs(shift.across - across) < 0.04
    if part == 0:
        assert shift == Shift(down, across)


@given(st.integers(-5, 5), st.integers(-5, 5))
def test_whole_pixels_are_moved_exactly(down: int, across: int) -> None:
    picture = scene(40, 50).astype(np.float32)
    shift = Shift(down, across)
    rows, columns = inside(picture.shape, shift, grid=1)
    back = picture[
        rows.start - down : rows.stop - down, columns.start - across : columns.stop - across
    ]
    np.testing.assert_array_equal(moved(picture, shift)[rows, columns], back)


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9])
def test_interpolation_keeps_brightness_and_says_what_noise_it_keeps(part: float) -> None:
    noise = np.random.default_rng(0).normal(5, 1, (300, 300)).astype(np.float32)
    shifted = moved(noise, Shift(part, -part))[8:-8, 8:-8]
    assert abs(shifted.mean() - 5) < 0.01
    assert shifted.var() == pytest.approx(kept_power(Shift(part, -part)).mean(), rel=0.02)


def test_another_scene_is_refused() -> None:
    noisy = add_gaussian(as_bytes(at(texture(0), 0, 0)), 10)
    other = as_bytes(at(texture(1), 0, 0))
    for repair in (True, False):
        with pytest.raises(BadReferenceError, match=r"shot\.png: shows another scene") as caught:
            measured(noisy, other, repair)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("gain", [0.4, 0.6, 1.8])
def test_a_clean_of_another_exposure_becomes_as_bright(gain: float) -> None:
    """Its strongest edges seem to have moved until it is; they must not hold the gain at 1."""
    picture = scene(2 * SIDE, 2 * SIDE).astype(float)
    for corner in range(0, 2 * SIDE, 64):
        picture[corner + 8 : corner + 16, corner + 4 : corner + 20] = 20
    exposed = picture / max(gain, 1)
    noisy = as_bytes(white(exposed * gain, np.random.default_rng(0)))
    found = measured(noisy, as_bytes(exposed))
    assert any("gain" in repair for repair in found.cut.repairs)
    np.testing.assert_allclose(found.statistics.sigma * 255, 8, rtol=0.05)


@pytest.mark.parametrize("gain", [1 / 16, 16])
@pytest.mark.parametrize("repair", [True, False])
def test_a_clean_in_other_units_is_refused(gain: float, repair: bool) -> None:
    clean = 10 * as_bytes(at(texture(), 0, 0)).astype(np.uint16)
    noisy = clean + np.random.default_rng(0).integers(0, 300, clean.shape, np.uint16)
    beside = (clean * gain).astype(np.uint16)
    with pytest.raises(BadReferenceError, match=r"shot\.png: its values have .* the contrast"):
        measured(noisy, beside, repair)


def test_a_gray_card_is_a_scene() -> None:
    """Nothing but noise is shown, and nothing can contradict."""
    card = np.full((SIDE, SIDE, 3), 120, np.uint8)
    assert measured(add_gaussian(card, 10), card).cut.repairs == ()


@pytest.mark.parametrize("contrast", [0, 0.5, 1.5])
@pytest.mark.parametrize("repair", [Repair.GROSS, Repair.ALL])
def test_an_even_wall_whose_clean_was_saved_as_jpeg_is_as_bright(
    contrast: float, repair: Repair
) -> None:
    """What JPEG makes of its faint texture is in no shot, which does not lower the gain."""
    wall = 130 + contrast * (at(texture(), 0, 0) - 130) / 40
    file = BytesIO()
    mean = wall + np.random.default_rng(1).normal(0, 1.5 / np.sqrt(500), wall.shape)
    Image.fromarray(as_bytes(mean)).save(file, "JPEG", quality=90)
    noisy = as_bytes(wall + grainy(0 * wall, np.random.default_rng(0)) / 4)
    reference = Reference("wall.png", noisy, np.asarray(Image.open(file)))
    assert measure_references([reference], repair=repair).cut.repairs == ()


def test_where_the_clean_was_saturated_is_left_out() -> None:
    picture = at(texture(), 0, 0)
    clean = as_bytes(picture * 1.4)
    noisy = as_bytes(white(picture, np.random.default_rng(0)))
    repaired = measured(noisy, clean)
    assert any("saturated" in repair for repair in repaired.cut.repairs)
    np.testing.assert_allclose(repaired.statistics.sigma * 255, 8, rtol=0.05)


@pytest.mark.realdata
def test_polyu_needs_repair(real_data: Path) -> None:
    """The mean of hundreds of shots lies off the single shot, and the lamp flickered."""
    noisy, clean = (
        read_picture(real_data / "polyu" / f"Canon5D2_bicyc_{kind}.JPG").pixels[800:1440, 800:1440]
        for kind in ("Real", "mean")
    )
    repaired, left = measured(noisy, clean), measured(noisy, clean, repair=False)
    text = " ".join(repaired.cut.repairs)
    assert "moved the clean" in text
    assert (repaired.statistics.sigma < 0.95 * left.statistics.sigma).all()
    # Damaged on top, it measures the same.
    y, x = np.mgrid[:640, :640][..., None]
    damaged = np.roll(clean, (2, -3), (0, 1)) * 0.93 + 4 + 4 * np.sin(x / 100) * np.cos(y / 80)
    again = measured(noisy, as_bytes(damaged))
    np.testing.assert_allclose(again.statistics.sigma, repaired.statistics.sigma, rtol=0.05)
    assert correlation_error(again.statistics, repaired.statistics) < 0.05
