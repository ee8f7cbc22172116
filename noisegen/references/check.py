"""References given by users, checked to be fit for one profile: types, sizes, white level, gray."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from noisegen.errors import BadReferenceError
from noisegen.files import to_float, white_level_of
from noisegen.files.picture import DEPTHS
from noisegen.model.config import WINDOW
from noisegen.noise.arrays import Floats, Pixels
from noisegen.noise.record import Recording, find_recording
from noisegen.references.float_white import white_of_floats

IN_COUNTS = 4.0
"""A shot's mean over its clean's largest value of at most 1, from which only the shot counts."""


@dataclass(frozen=True)
class Reference:
    """One noisy picture of the camera, with its clean if there is one.

    Attributes:
        name: file name, for messages and the profile.
        noisy: H×W or H×W×C (C is 1 or 3), uint8, uint16, or float in any range; black is 0, and
            noise may go below.
        clean: the same shape, and type or float in the same units, as means are; or None.
        jpeg_quality: of the noisy file on libjpeg's scale, where it is a JPEG.
    """

    name: str
    noisy: Pixels
    clean: Pixels | None = None
    jpeg_quality: float | None = None

    @property
    def pictures(self) -> tuple[Reference, ...]:
        """Noisy pictures of it: itself."""
        return (self,)


@dataclass(frozen=True)
class Burst:
    """Shots of one still scene.

    Attributes:
        name: of their folder.
        names: of the shots.
        shots: H×W×C each, of one shape and type.
    """

    name: str
    names: tuple[str, ...]
    shots: tuple[Pixels, ...]

    @property
    def pictures(self) -> tuple[Reference, ...]:
        """Noisy pictures of it: its shots, under their folder's name."""
        return tuple(
            Reference(f"{self.name}/{name}", pixels)
            for name, pixels in zip(self.names, self.shots, strict=True)
        )


@dataclass(frozen=True)
class Samples:
    """Meaning of the values of references' pixels.

    Attributes:
        dtype: ``uint8``, ``uint16`` or ``float32``.
        white_level: the value that is white.
        white_level_given: it was not found from the references.
        lowest: smallest value, at most 0.
        gray: a gray camera's, saved as RGB.
    """

    dtype: str
    white_level: float
    white_level_given: bool
    lowest: float
    gray: bool


@dataclass(frozen=True)
class Checked:
    """References fit for one profile.

    Attributes:
        each: H×W×C, one channel where they are a gray camera's; of one kind.
        samples: what their values mean.
        recording: how they were clipped and rounded, in units of the white level.
    """

    each: tuple[Reference | Burst, ...]
    samples: Samples
    recording: Recording


def check_references(
    references: Sequence[Reference | Burst], white_level: float | None = None
) -> Checked:
    """References as H×W×C, one channel where all are gray, with their white level.

    Raises:
        BadReferenceError: they are not alike, or cannot be used; names the first and the reason.
    """
    if not references:
        raise BadReferenceError("no references given; name at least one noisy picture")
    bursts = [reference for reference in references if isinstance(reference, Burst)]
    if bursts and len(bursts) != len(references):
        raise BadReferenceError(f"{bursts[0].name}: a burst beside single shots; give one kind")
    each = _alike(references)
    pictures = [picture for reference in each for picture in reference.pictures]
    level = _white_level(pictures, white_level)
    both = [p for picture in pictures for p in (picture.noisy, picture.clean) if p is not None]
    gray = both[0].shape[2] == 3 and all(map(_is_gray, both))
    noisies = [picture.noisy[..., : 1 if gray else None] for picture in pictures]
    samples = Samples(
        dtype=_type_name(noisies[0]),
        white_level=level,
        white_level_given=white_level is not None,
        lowest=min(0.0, *(float(noisy.min()) for noisy in noisies)),
        gray=gray,
    )
    recording = find_recording(noisies, level).scaled(1 / level)
    return Checked(tuple(map(_one_channel, each) if gray else each), samples, recording)


def find_white_level(references: Sequence[Reference | Burst]) -> float:
    """The white level that references of one channel show.

    Raises:
        BadReferenceError: they are not alike, or cannot be used.
    """
    return _white_level([p for reference in _alike(references) for p in reference.pictures], None)


def scaled(pixels: Pixels, white_level: float) -> Floats:
    """Scale to units of the white level; floats above it are saturated, as integers are."""
    return np.minimum(to_float(pixels, white_level), np.float32(1))


def _alike(references: Sequence[Reference | Burst]) -> list[Reference | Burst]:
    """The references as H×W×C, checked to be fit for one profile."""
    shaped = [_shaped_burst(r) if isinstance(r, Burst) else with_channels(r) for r in references]
    first = shaped[0].pictures[0]
    for reference in shaped:
        for picture in reference.pictures:
            _check(picture, first)
    return shaped


def with_channels(reference: Reference) -> Reference:
    """The reference as H×W×C.

    Raises:
        BadReferenceError: it is neither gray nor RGB.
    """
    noisy, clean = _shaped(reference.noisy, reference.name), reference.clean
    if clean is not None:
        clean = _shaped(clean, f"{reference.name}: its clean")
        if clean.shape[2] != noisy.shape[2] and _is_gray(noisy) and _is_gray(clean):
            clean = np.repeat(clean[..., :1], noisy.shape[2], axis=2)
    return replace(reference, noisy=noisy, clean=clean)


def _shaped_burst(burst: Burst) -> Burst:
    _refuse_no_burst(burst)
    return replace(burst, shots=tuple(_shaped(p.noisy, p.name) for p in burst.pictures))


def _shaped(pixels: Pixels, name: str) -> Pixels:
    shaped = pixels[..., None] if pixels.ndim == 2 else pixels
    if shaped.ndim != 3 or shaped.shape[2] not in (1, 3):
        raise BadReferenceError(f"{name}: shape {pixels.shape}; give gray or RGB, H×W or H×W×3")
    return np.asarray(shaped, shaped.dtype.newbyteorder("="))


def _refuse_no_burst(burst: Burst) -> None:
    """Refuses what shows no noise or is no burst."""
    if len(burst.shots) < 2:
        raise BadReferenceError(
            f"{burst.name}: a burst of {len(burst.shots)}; give two or more shots of one scene, "
            "or this one with --ref"
        )
    first = burst.shots[0]
    for name, shot in zip(burst.names, burst.shots, strict=True):
        if shot.shape != first.shape or shot.dtype != first.dtype:
            raise BadReferenceError(
                f"{burst.name}/{name}: {_kind(shot)} of {shot.shape[1]}×{shot.shape[0]}, but "
                f"{burst.names[0]} is {_kind(first)} of {first.shape[1]}×{first.shape[0]}; the "
                "shots of a burst must be alike"
            )
    if all(np.array_equal(shot, first) for shot in burst.shots[1:]):
        raise BadReferenceError(
            f"{burst.name}: all {len(burst.shots)} shots are the same picture, so they show no "
            "noise; give shots taken one after the other"
        )


def _is_gray(pixels: Pixels) -> bool:
    """Whether all channels are the same."""
    return bool((pixels == pixels[..., :1]).all())


def _one_channel(reference: Reference | Burst) -> Reference | Burst:
    if isinstance(reference, Burst):
        return replace(reference, shots=tuple(shot[..., :1] for shot in reference.shots))
    clean = None if reference.clean is None else reference.clean[..., :1]
    return replace(reference, noisy=reference.noisy[..., :1], clean=clean)


def _check(reference: Reference, first: Reference) -> None:
    name, noisy, clean = reference.name, reference.noisy, reference.clean
    height, width, channels = noisy.shape
    if _type_name(noisy) not in ("uint8", "uint16", "float32"):
        raise BadReferenceError(f"{name}: {noisy.dtype} pixels; give 8 or 16 bits, or float")
    if height < WINDOW or width < WINDOW:
        raise BadReferenceError(
            f"{name}: {width}×{height} is too small to show noise; give at least {WINDOW}×{WINDOW}"
        )
    if channels != first.noisy.shape[2] or _type_name(noisy) != _type_name(first.noisy):
        raise BadReferenceError(
            f"{name}: {_kind(noisy)}, but {first.name} is {_kind(first.noisy)}; references of one "
            "profile must be alike, make a profile each"
        )
    for pixels in (noisy, clean):
        if pixels is not None and not np.isfinite(pixels).all():
            raise BadReferenceError(f"{name}: holds NaN or infinite values; replace them")
    if clean is not None:
        _check_clean(name, noisy, clean)


def _check_clean(name: str, noisy: Pixels, clean: Pixels) -> None:
    """Refuses what is no clean of a noisy picture."""
    if clean.shape != noisy.shape:
        sizes = [f"{_kind(x)} of {x.shape[1]}×{x.shape[0]}" for x in (noisy, clean)]
        raise BadReferenceError(
            f"{name}: is {sizes[0]}, its clean is {sizes[1]}; give the clean of this very picture"
        )
    if {clean.dtype, noisy.dtype} == set(DEPTHS):
        bits, others = (8 * pixels.dtype.itemsize for pixels in (noisy, clean))
        raise BadReferenceError(
            f"{name}: has {bits} bits, its clean {others}, so their values cannot be compared; "
            "save both at one depth (8 bits times 257 are 16)"
        )
    if clean.dtype not in (noisy.dtype, np.float32, np.float64):
        raise BadReferenceError(
            f"{name}: has {_type_name(noisy)} values, its clean {_type_name(clean)}; save both as "
            "one type, in the same units"
        )
    brightest = float(clean.max()) if clean.dtype.kind == "f" else np.inf
    if noisy.dtype.kind == "u" and 0 < brightest <= 1 and noisy.mean() > IN_COUNTS * brightest:
        raise BadReferenceError(
            f"{name}: holds counts, its clean floats in [0, 1]; multiply the clean by the count "
            "that is white, or save both as one type"
        )
    if np.array_equal(noisy, clean):
        raise BadReferenceError(f"{name}: identical to its clean; give a noisy shot")


def _kind(pixels: Pixels) -> str:
    channels = {1: "gray", 3: "RGB"}.get(pixels.shape[2], f"{pixels.shape[2]} channels")
    return f"{_type_name(pixels)} {channels}"


def _type_name(pixels: Pixels) -> str:
    return "float32" if pixels.dtype.kind == "f" else pixels.dtype.name


def _white_level(pictures: Sequence[Reference], given: float | None) -> float:
    first = pictures[0]
    if first.noisy.dtype.kind == "f":
        if given is not None and not 0 < given < np.inf:
            raise BadReferenceError(
                f"{first.name}: white level {given:g} cannot be; give a positive number"
            )
        cleans = [picture.clean for picture in pictures]
        return float(given or white_of_floats([picture.noisy for picture in pictures], cleans))
    both = (p for picture in pictures for p in (picture.noisy, picture.clean) if p is not None)
    arrays = [pixels for pixels in both if pixels.dtype == first.noisy.dtype]
    if given is None:
        return float(white_level_of(arrays))
    largest = max(int(array.max()) for array in arrays)
    if not 0 < given <= np.iinfo(first.noisy.dtype).max or given < largest:
        raise BadReferenceError(
            f"{first.name}: white level {given:g} does not fit: its type is "
            f"{first.noisy.dtype} and its brightest pixel {largest}"
        )
    return float(given)
