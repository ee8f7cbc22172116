"""References that no profile can be made from, or only a doubtful one: each by name and reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeGuard

import numpy as np

from noisegen.errors import BadReferenceError
from noisegen.model.config import WINDOW
from noisegen.noise.arrays import Floats, Pixels
from noisegen.references.appearance import (
    brightness_range,
    ends_shares,
    noise_floors,
    plain_share,
    quantisation_step,
    unclipped,
    unevenness,
)
from noisegen.references.jpeg_history import jpeg_quality_seen
from noisegen.references.pixel_blocks import spread_blocks
from noisegen.references.scenes import most_detail

NEARLY_ALL_CLIPPED = 0.95
MUCH_CLIPPED = 0.3
"""Shares of black or saturated blocks from which a shot is refused and warned about."""

PLAIN = 0.25
"""Share of blocks of one single value from which a picture looks drawn; of a shot's, below 0.03."""

ROUNDING = 0.4
"""σ, in quantisation steps, up to which nothing but rounding shows (0.29 by itself)."""

NO_NOISE = 0.03
"""The same in steps of 8 bits, for finer quantisation."""

QUIET_GROUPS = 3
"""Groups of like brightness that must be without noise: near one, a camera may hide it."""

QUIET_GROUPS_OF_JPEG = 6
"""The same of a coarse JPEG, which may have taken it from the darkest places alone."""

LOW_QUALITY = 73.0
"""Of a JPEG. At 75, where low begins, the quality is seen to within 2."""

GENTLE_QUALITY = 90.0
"""From it a JPEG is no reason for noise to be missing."""

UNEVEN = 0.6
"""Unevenness of the flattest windows from which they are texture: beyond it the blind σ of PolyU's
scenes and of noisy Kodak pictures is mostly 2 to 9 times too large."""

MOST_WINDOWS = 1024
"""Looked at for unevenness (1 Mpx)."""

SMALLEST_DETAIL = 1.0
"""σ, in steps of 8 bits, of what a scene shows at the scale of 8 to 70 px."""

NARROW = 25.5
"""Range of brightness, in steps of 8 bits, below which it is narrow if it is also below half of
the brightest: a microscope's pictures are dark."""


class Doubt(Enum):
    """Why a profile is to be taken with care."""

    CLIPPED = auto()
    COMPRESSED = auto()
    TEXTURED = auto()
    EVEN = auto()


@dataclass(frozen=True)
class Screened:
    """A reference's noisy picture that shows noise.

    Attributes:
        name: of the reference.
        doubts: what is doubtful about it, and what to do.
        brightness: lowest and highest that it shows, of 255; None if all is clipped.
    """

    name: str
    doubts: dict[Doubt, str]
    brightness: tuple[float, float] | None


def screen(
    noisy: Pixels, name: str, white_level: float, has_clean: bool, jpeg_quality: float | None = None
) -> Screened:
    """Looks at a reference's noisy picture.

    Args:
        noisy: H×W×C, integers up to the white level or floats; at least 32×32.
        name: of the reference, for messages.
        white_level: of its pixels.
        has_clean: whether its clean is known, as a burst's is.
        jpeg_quality: of its file on libjpeg's scale, where it is a JPEG.

    Raises:
        BadReferenceError: it shows no noise.
    """
    blocks = spread_blocks(noisy, white_level)
    inner = unclipped(blocks)
    clipped = _clipped(blocks, name)
    quality = jpeg_quality or jpeg_quality_seen(noisy, white_level)
    if not has_clean:
        _refuse_graphic(inner, name, quality)
        _refuse_noiseless(inner, name, quantisation_step(noisy, white_level), quality)
    compressed = _compressed(quality)
    doubts = {
        Doubt.CLIPPED: clipped,
        Doubt.COMPRESSED: compressed,
        # A coarse JPEG's blocks are uneven of themselves.
        Doubt.TEXTURED: None if has_clean or compressed else _textured(noisy, white_level),
        Doubt.EVEN: _even(noisy, white_level),
    }
    brightness = brightness_range(inner) if len(inner) else None
    return Screened(name, {doubt: why for doubt, why in doubts.items() if why}, brightness)


def warnings_of(references: Sequence[Screened]) -> tuple[str, ...]:
    """Warnings about the references of one profile: a line for each kind of doubt."""
    warnings = []
    for doubt in Doubt:
        doubtful = [reference for reference in references if doubt in reference.doubts]
        # Detail that one reference lacks, another may show.
        if doubtful and (doubt is not Doubt.EVEN or len(doubtful) == len(references)):
            warnings.append(f"{_named(doubtful)}: {doubtful[0].doubts[doubt]}")
    shown = [reference.brightness for reference in references if reference.brightness]
    narrow = _narrow(min(low for low, _ in shown), max(high for _, high in shown)) if shown else ""
    return (*warnings, f"{_named(references)}: {narrow}") if narrow else tuple(warnings)


def _named(references: Sequence[Screened]) -> str:
    others = f" and {len(references) - 1} more" if len(references) > 1 else ""
    return f"{references[0].name}{others}"


def _clipped(blocks: Floats, name: str) -> str:
    black, white = ends_shares(blocks)
    both = "black or saturated" if min(black, white) > 0.01 else ""
    which = both or ("black" if black > white else "saturated")
    share = black + white
    if share >= NEARLY_ALL_CLIPPED:
        raise BadReferenceError(
            f"{name}: black or saturated nearly everywhere, so its noise cannot be seen; use "
            "another shot"
        )
    if share < MUCH_CLIPPED:
        return ""
    return (
        f"{share:.0%} of it is {which} and shows no noise, so the profile rests on the others; "
        "use shots with less of it"
    )


def _refuse_graphic(inner: Floats, name: str, quality: float | None) -> None:
    share = plain_share(inner) if len(inner) else 0.0
    if share < PLAIN:
        return
    what = f"or JPEG of quality about {quality:.0f} " if _is_coarse(quality) else ""
    raise BadReferenceError(
        f"{name}: looks like a screenshot or graphic {what}and shows no noise: {share:.0%} of its "
        "8×8 blocks hold one single value; give a photograph as the camera saved it"
    )


def _is_coarse(quality: float | None) -> TypeGuard[float]:
    return quality is not None and quality < GENTLE_QUALITY


def _refuse_noiseless(inner: Floats, name: str, step: float, quality: float | None) -> None:
    coarse = _is_coarse(quality)
    quiet = (noise_floors(inner) < max(ROUNDING * step, NO_NOISE)).sum()
    if quiet < (QUIET_GROUPS_OF_JPEG if coarse else QUIET_GROUPS):
        return
    cause = (
        f"it is or was a JPEG of quality about {quality:.0f}, which took it away"
        if coarse
        else "it is clean already, denoised or computed"
    )
    raise BadReferenceError(
        f"{name}: shows no noise where it is flat: {cause}; give a noisy shot as the camera "
        "saved it"
    )


def _compressed(quality: float | None) -> str:
    if quality is None or quality >= LOW_QUALITY:
        return ""
    return (
        f"its noise is mostly gone: it is or was a JPEG of quality about {quality:.0f}; use the "
        "file as the camera saved it, for the profile holds only what is left"
    )


def _textured(noisy: Pixels, white_level: float) -> str:
    windows = spread_blocks(noisy, white_level, side=WINDOW, most=MOST_WINDOWS)
    uneven = unevenness(windows)
    if uneven is None or uneven < UNEVEN:
        return ""
    return (
        "hardly a flat place, so texture passes for noise, which may be far overrated; give its "
        "clean with --ref-clean, or a shot with even areas"
    )


def _even(noisy: Pixels, white_level: float) -> str:
    shown = most_detail(noisy.astype(np.float32) * np.float32(255 / white_level))
    if shown is None or shown >= SMALLEST_DETAIL:
        return ""
    return (
        "hardly any texture or edge, so it does not show what the camera does to noise on detail; "
        "add a shot of an ordinary scene"
    )


def _narrow(low: float, high: float) -> str:
    if high - low >= min(NARROW, 0.5 * high):
        return ""
    return (
        f"shows brightness {low:.0f} to {high:.0f} of 255 only, so the noise at others is guessed; "
        "add shots with dark and bright places"
    )
