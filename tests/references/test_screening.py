"""Bad references, each recognised, named and refused or warned about; good ones left in peace."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fitted import create_profile, measure_references
from numpy.typing import NDArray
from pictures import Pixels, add_gaussian
from PIL import Image, ImageDraw
from scipy import ndimage

from noisegen.errors import BadReferenceError
from noisegen.files import open_image, read_picture
from noisegen.model.weights import Weights
from noisegen.references.check import Burst, Reference, check_references
from noisegen.references.jpeg_history import jpeg_quality_seen
from noisegen.references.screening import screen, warnings_of
from noisegen.simulator import draw_setting, input_side, simulate

SIDE = 256


def photograph(seed: int = 0, height: int = SIDE, width: int = SIDE) -> NDArray[Any]:
    """Soft shading with patches of texture and sharp edges, in [30, 225]."""
    rng = np.random.default_rng([11, seed])

    def layer(sigma: float) -> NDArray[Any]:
        grown = ndimage.gaussian_filter(rng.normal(size=(height, width)), sigma, mode="wrap")
        scaled: NDArray[Any] = grown / grown.std()
        return scaled

    picture = 128 + 25 * layer(40) + 18 * np.sign(layer(20))
    picture += np.where(layer(25) > 0.7, 12 * layer(1.2), 0)
    colours = picture[..., None] * [1, 0.95, 0.85]
    clipped: NDArray[Any] = ndimage.gaussian_filter(colours, (0.7, 0.7, 0)).clip(30, 225)
    return clipped


def as_bytes(picture: NDArray[Any]) -> Pixels:
    samples: Pixels = np.rint(picture.clip(0, 255)).astype(np.uint8)
    return samples


def as_jpeg(picture: Pixels, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture.squeeze()).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def through_jpeg(picture: Pixels, quality: int) -> Pixels:
    return np.array(Image.open(io.BytesIO(as_jpeg(picture, quality))))


def screenshot(seed: int = 0) -> Pixels:
    """Panels and text on pale gray."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (320, 256), (240, 240, 238))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 320, 24), fill=(52, 92, 150))
    draw.rectangle((0, 24, 80, 256), fill=(222, 224, 228))
    for line in range(32, 250, 14):
        draw.text((90, line), "".join(chr(c) for c in rng.integers(97, 123, 30)), fill=(20, 20, 20))
    return np.array(image)


def told(noisy: Pixels, clean: Pixels | None = None) -> tuple[str, ...]:
    """What a profile of the shot would warn of."""
    checked = check_references([Reference("shot.png", noisy, clean)])
    (picture,) = checked.each[0].pictures
    level = checked.samples.white_level
    return warnings_of([screen(picture.noisy, "shot.png", level, clean is not None)])


NOISY = add_gaussian(as_bytes(photograph()), 8)
EVEN = np.full((SIDE, SIDE, 3), 120.0)
RAMP = np.linspace(40, 200, SIDE)[None, :, None] * np.ones((SIDE, 1, 3))


def half_saturated() -> Pixels:
    picture = photograph()
    picture[: SIDE // 2] = 300
    return add_gaussian(as_bytes(picture), 4) | np.where(picture >= 300, 255, 0).astype(np.uint8)


@pytest.mark.parametrize(
    ("noisy", "reason"),
    [
        (as_bytes(photograph()), r"clean already"),
        (as_bytes(photograph())[..., :1], r"clean already"),
        (as_bytes(photograph()).astype(np.uint16) * 257, r"clean already"),
        (as_bytes(RAMP), r"clean already"),
        (through_jpeg(as_bytes(photograph()), 40), r"JPEG of quality about \d\d"),
        (screenshot(), r"screenshot or graphic"),
        (np.full((64, 64, 3), 128, np.uint8), r"screenshot or graphic"),
        (np.full((64, 64, 3), 255, np.uint8), r"black or saturated nearly everywhere"),
        (np.zeros((64, 64, 1), np.uint16), r"black or saturated nearly everywhere"),
    ],
)
def test_what_shows_no_noise_is_refused(weights: Weights, noisy: Pixels, reason: str) -> None:
    with pytest.raises(BadReferenceError, match=reason) as caught:
        create_profile([Reference("shot.png", noisy)], weights)
    assert str(caught.value).startswith("shot.png: ")
    assert "\n" not in str(caught.value)
    assert "; " in str(caught.value), "names no way out"


def test_with_its_clean_a_faint_noise_is_no_reason_to_refuse() -> None:
    clean = as_bytes(photograph())
    faint = clean + (np.random.default_rng(0).random(clean.shape) < 0.02).astype(np.uint8)
    assert told(faint, clean) == ()
    with pytest.raises(BadReferenceError, match="shows no noise where it is flat"):
        told(faint)


@pytest.mark.parametrize(
    ("noisy", "reason"),
    [
        (half_saturated(), r"5\d% of it is saturated"),
        (255 - half_saturated(), r"5\d% of it is black"),
        (add_gaussian(as_bytes(EVEN), 8), "hardly any texture or edge"),
        (add_gaussian(as_bytes(EVEN), 8), "brightness 11[89] to 12[12] of 255 only"),
        (add_gaussian(as_bytes(90 + RAMP / 5), 8), "hardly any texture or edge"),
        (through_jpeg(NOISY, 60), r"its noise is mostly gone.* quality about (59|6[01]);"),
        (through_jpeg(NOISY, 30)[3:, 5:], r"its noise is mostly gone.* quality about (2\d|3\d);"),
        (through_jpeg(NOISY[..., 0], 50), r"its noise is mostly gone.* quality about (4\d|5\d);"),
    ],
)
def test_what_is_doubtful_is_told(noisy: Pixels, reason: str) -> None:
    (warning,) = [w for w in told(noisy) if re.search(reason, w)]
    assert warning.startswith("shot.png: ")
    assert "\n" not in warning
    assert "; " in warning, "names no way out"


def leaves() -> Pixels:
    """Patches of different fine texture everywhere."""
    rng = np.random.default_rng(5)
    coarse = ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), 4)
    fine = ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), 0.8)
    picture = 128 + 60 * fine / fine.std() * np.abs(coarse / coarse.std())
    return as_bytes(picture[..., None] * np.ones(3))


def test_all_texture_is_told_only_where_the_clean_is_not_known() -> None:
    clean = leaves()
    noisy = add_gaussian(clean, 2)
    (warning,) = told(noisy)
    assert "hardly a flat place" in warning
    assert told(noisy, clean) == ()


@pytest.mark.slow
def test_what_one_reference_lacks_another_may_show() -> None:
    even = [add_gaussian(as_bytes(EVEN + level), 8, 80 + level) for level in (-80, 0, 80)]
    references = [Reference(f"{index}.png", picture) for index, picture in enumerate(even)]
    (warning,) = measure_references(references).cut.warnings
    assert warning.startswith("0.png and 2 more: hardly any texture")
    references.append(Reference("scene.png", NOISY))
    assert measure_references(references).cut.warnings == ()


def test_profiles_hold_what_was_told(weights: Weights) -> None:
    noisy = through_jpeg(NOISY, 60)
    profile = create_profile([Reference("shot.png", noisy)], weights)
    assert profile.warnings == told(noisy) != ()


def test_a_burst_is_told_of_once(weights: Weights) -> None:
    shots = [through_jpeg(add_gaussian(as_bytes(photograph()), 8, seed), 60) for seed in range(3)]
    names = tuple(f"{index}.jpg" for index in range(3))
    (warning,) = create_profile([Burst("evening", names, tuple(shots))], weights).warnings
    assert warning.startswith("evening/0.jpg: its noise is mostly gone")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_burst_that_shows_no_noise_is_refused(weights: Weights, count: int) -> None:
    burst = Burst("evening", tuple("abc"[:count]), (NOISY,) * count)
    reason = "a burst of 1" if count == 1 else f"all {count} shots are the same picture"
    with pytest.raises(BadReferenceError, match=f"^evening: {reason}"):
        create_profile([burst], weights)


def gaussian(sigma: float) -> Callable[[NDArray[Any]], Pixels]:
    return lambda clean: add_gaussian(as_bytes(clean), sigma)


def gray(clean: NDArray[Any]) -> Pixels:
    return add_gaussian(as_bytes(clean[..., :1]), 0.8)


def poisson(clean: NDArray[Any]) -> Pixels:
    return as_bytes(np.random.default_rng(0).poisson(clean / 2) * 2.0)


def twelve_bits(clean: NDArray[Any]) -> Pixels:
    noise = np.random.default_rng(0).normal(0, 6, clean.shape)
    return np.rint(clean * 16 + noise).clip(0, 4095).astype(np.uint16)


def floats(clean: NDArray[Any]) -> Pixels:
    noise = np.random.default_rng(0).normal(0, 0.004, clean.shape)
    return (clean / 255 + noise).astype(np.float32)


def fine_jpeg(clean: NDArray[Any]) -> Pixels:
    return through_jpeg(add_gaussian(as_bytes(clean), 4), 90)


def dim(clean: NDArray[Any]) -> Pixels:
    """A microscope's: few photons, half of it nearly black."""
    return as_bytes(np.random.default_rng(0).poisson((clean - 30) / 16) * 4.0)


@pytest.mark.parametrize(
    "make",
    [
        *(gaussian(sigma) for sigma in (0.8, 1, 2, 10, 50)),
        *(gray, poisson, twelve_bits, floats, fine_jpeg, dim),
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_good_references_are_left_in_peace(
    make: Callable[[NDArray[Any]], Pixels], seed: int
) -> None:
    assert told(make(photograph(seed))) == ()


def test_simulated_cameras_are_left_in_peace() -> None:
    """Of an unprocessed or gently compressed picture, whose noise is more than rounding."""
    rng = np.random.default_rng(1)
    # In light: what shows little of the range is told so, and rightly. So is blotchy noise of
    # cameras that denoise: it looks like texture.
    drawn = [replace(draw_setting(rng), dimming=1.0, resize=1.0, exposures=0) for _ in range(90)]
    gentle = [s for s in drawn if s.quality is None or s.quality >= 90]
    settings = [s for s in gentle if not s.denoises]
    side = input_side(settings, SIDE)
    clean = torch.from_numpy(photograph(3, side, side).astype(np.float32) / 255).permute(2, 0, 1)
    batch = clean.expand(len(settings), 1, -1, -1, -1)
    noisy, pure = simulate(batch, settings, torch.Generator().manual_seed(0), SIDE)
    loud = (noisy.float() - pure.float()).std((1, 2, 3, 4)) >= 1
    shots = [shot[0].permute(1, 2, 0).numpy() for shot in noisy[loud]]
    named = [warnings_of([screen(shot, "shot.png", 255, has_clean=False)]) for shot in shots]
    assert len(shots) > 10
    assert named == [()] * len(shots)


@pytest.mark.parametrize("quality", [20, 50, 75, 90, 100])
def test_quality_of_a_file(tmp_path: Path, quality: int) -> None:
    path = tmp_path / "shot.jpg"
    path.write_bytes(as_jpeg(NOISY, quality))
    with open_image(path) as image:
        read = image.jpeg_quality()
    assert read is not None
    assert abs(read - quality) < 1.5
    Image.fromarray(NOISY).save(tmp_path / "shot.png")
    with open_image(tmp_path / "shot.png") as image:
        assert image.jpeg_quality() is None


@pytest.mark.parametrize("quality", [30, 50, 70, 85])
@pytest.mark.parametrize("sigma", [0, 5, 25])
def test_quality_of_what_was_a_jpeg(quality: int, sigma: float) -> None:
    decoded = through_jpeg(add_gaussian(as_bytes(photograph()), sigma), quality)
    for picture, white in ((decoded, 255), (decoded.astype(np.uint16) * 257, 65535)):
        seen = jpeg_quality_seen(picture, white)
        assert seen is not None
        assert abs(seen - quality) < 6


def test_no_jpeg_is_seen_where_none_was() -> None:
    """Not in noise, not in slopes that all blocks share, not in few gray levels."""
    rng = np.random.default_rng(0)
    triangle = np.abs((np.arange(SIDE) % 64) - 32)[:, None, None] * 5.0 * np.ones((1, SIDE, 3))
    levels = (NOISY // 16) * 16
    for picture in (
        NOISY,
        as_bytes(RAMP),
        add_gaussian(as_bytes(RAMP + RAMP.swapaxes(0, 1)) // 2, 1),
    ):
        assert jpeg_quality_seen(picture, 255) is None
    for picture in (
        add_gaussian(as_bytes(triangle), 1),
        levels,
        as_bytes(rng.uniform(0, 255, NOISY.shape)),
    ):
        assert jpeg_quality_seen(picture, 255) is None


def shots_of(folder: Path, patterns: Sequence[str]) -> list[Path]:
    return sorted(path for pattern in patterns for path in folder.glob(pattern))


@pytest.mark.realdata
def test_real_references_are_left_in_peace(real_data: Path) -> None:
    """Camera JPEGs and a microscope's frames, whole; both halves of a scene with its clean."""
    for path in shots_of(real_data, ["polyu/*_Real.JPG", "w2s/*_noisy.png"])[::3]:
        pixels = read_picture(path).pixels
        found = screen(pixels, path.name, 255, has_clean=False)
        assert "COMPRESSED" not in {doubt.name for doubt in found.doubts}, path.name
        if "door" not in path.name:  # Its blind σ is indeed twice too large.
            assert warnings_of([found]) == (), path.name
        middle = pixels.shape[1] // 2
        for half in (pixels[:, :middle], pixels[:, middle:]):
            assert warnings_of([screen(half, path.name, 255, has_clean=True)]) == (), path.name


@pytest.mark.realdata
def test_real_cleans_are_refused(real_data: Path) -> None:
    for path in shots_of(real_data, ["polyu/*_mean.JPG"])[::5]:
        with pytest.raises(BadReferenceError, match="shows no noise"):
            screen(read_picture(path).pixels, path.name, 255, has_clean=False)
