"""Whether two pictures, or two windows of them, show the same, however noisy they are.

Pictures' box means are compared with each other's *neighbouring* boxes: noise is not shared between
boxes, so these covariances are those of the scenes alone. Windows' box means are compared with
those of other windows as bright.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from noisegen.errors import BadReferenceError
from noisegen.noise.arrays import Doubles, Floats, Mask
from noisegen.references.pixel_blocks import of_similar, pooled

BOX = 8
"""Side of the boxes: noise averages out in them, and grain is smaller; things do not."""

AROUND = 9
"""Boxes a side whose mean is taken off each: drift and vignetting do not count."""

SMALLEST_AGREEMENT = 0.5
"""Correlation of the scenes, noise apart, below which they are two."""

SIGNIFICANT = 5.0
"""Standard errors by which a picture shows a scene at all."""

UNSURE = 3.0
"""Standard errors by which noise may have a contrast off."""

FEWEST_BOXES = 36

FAR = 2.5
"""Contrast of a shot over its clean's, from which they are of two units or exposures; clipping
noise of half the white level takes no more than half of it away."""


NEIGHBOURS = 65
"""Windows of similar brightness whose usual unrest a window is compared with."""

UNREST = 5.0
"""Times the usual, above which something moved; noise alone stays below, and so does noise half as
strong again on texture."""

ANOTHER = 10.0
"""The same of a pair, above which a window shows something else than its clean: up to 9 on
instruments whose pairs lie on each other, more where an object was moved."""


def same_scene(picture: Floats, other: Floats) -> bool:
    """Whether two H×W×C pictures that should lie on each other show one scene.

    Where neither shows anything but noise, they count as one: shots of a gray card do.
    """
    a, b = _details(picture), _details(other)
    if a.size < FEWEST_BOXES:
        return True
    shown_a, shown_b, shared = _shared(a, a), _shared(b, b), _shared(a, b)
    clear_a, clear_b = shown_a > _by_chance(a), shown_b > _by_chance(b)
    if not clear_a and not clear_b:
        return True
    if clear_a and clear_b:
        return bool(shared > SMALLEST_AGREEMENT * np.sqrt(shown_a * shown_b))
    # One shows nothing: is that for its noise, or would the other's scene have stood out?
    silent, shown = (b, shown_a) if clear_a else (a, shown_b)
    hidden = _by_chance(silent)
    return bool(SMALLEST_AGREEMENT**2 * shown < hidden) or shared > hidden


def contrast_ratio(picture: Floats, other: Floats, box: int = BOX) -> tuple[float, float] | None:
    """Contrast of a picture's scene over another's, and how far noise may have it off.

    Args:
        picture: H×W×C.
        other: the same shape.
        box: side of the boxes in pixels.

    Returns:
        The ratio, and what noise may add or take; None where the other shows no scene.
    """
    a, b = _details(picture, box), _details(other, box)
    if b.size < FEWEST_BOXES:
        return None
    shown, apart = _shared(b, b), a - b
    if shown <= _by_chance(b):
        return None
    return _shared(a, b) / shown, UNSURE * _standard_error(apart, b) / shown


def refuse_other_scene(noisy: Floats, clean: Floats, name: str) -> None:
    """Refuses two H×W×C pictures that do not show one scene.

    Raises:
        BadReferenceError: names the reference.
    """
    if not same_scene(noisy, clean):
        raise BadReferenceError(
            f"{name}: shows another scene than its clean, or one too far shifted to be found; "
            "give the clean of this very picture, or none"
        )


def refuse_other_contrast(noisy: Floats, clean: Floats, name: str) -> None:
    """Refuses a picture whose contrast is far from its clean's: their difference shows the scene.

    Raises:
        BadReferenceError: names the reference.
    """
    ratio, error = contrast_ratio(noisy, clean) or (1.0, 0.0)
    if ratio - error > FAR or ratio + error < 1 / FAR:
        raise BadReferenceError(
            f"{name}: its values have {ratio:.2g} times the contrast of its clean's, so noise and "
            "scene cannot be told apart; bring both to one unit and exposure"
        )


def most_detail(picture: Floats) -> float | None:
    """Upper limit of the standard deviation of what a picture shows at the scale of 8 to 70 px.

    Noise does not count, but what it may hide does.

    Args:
        picture: H×W×C.

    Returns:
        In the unit of the pixels; None for a picture too small to tell.
    """
    boxes = _details(picture)
    if boxes.size < FEWEST_BOXES:
        return None
    return float(np.sqrt(max(_shared(boxes, boxes), 0.0) + _by_chance(boxes)))


def _by_chance(boxes: Doubles) -> float:
    """Covariance that a picture of nothing but noise may show by chance."""
    return SIGNIFICANT * _standard_error(boxes, boxes)


def _standard_error(a: Doubles, b: Doubles) -> float:
    """Standard error of the covariance of boxes that share nothing."""
    return float(np.sqrt((a**2).mean() * (b**2).mean() / (2 * b.size)))


def _details(picture: Floats, box: int = BOX) -> Doubles:
    """Gray box means less their surroundings'."""
    boxes = pooled(picture.transpose(2, 0, 1), box).mean(0, dtype=np.float64)
    return np.asarray(boxes - _surroundings(boxes))


def _surroundings(boxes: Doubles) -> Doubles:
    for axis in (0, 1):
        half = min(AROUND // 2, boxes.shape[axis] - 1)
        padded = np.pad(boxes, [(half, half) if i == axis else (0, 0) for i in (0, 1)], "reflect")
        shifted = [padded.take(range(k, k + boxes.shape[axis]), axis) for k in range(2 * half + 1)]
        boxes = np.mean(shifted, axis=0)
    return boxes


def _shared(a: Doubles, b: Doubles) -> float:
    """Covariance of each box with the other's neighbours below and right, both ways."""
    pairs = ((a[1:], b[:-1]), (a[:-1], b[1:]), (a[:, 1:], b[:, :-1]), (a[:, :-1], b[:, 1:]))
    return float(np.mean([(x * y).mean() for x, y in pairs]))


def moving(residual: Floats, clean: Floats, limit: float = UNREST) -> Mask:
    """Windows whose box means differ by more than those of windows as bright.

    Args:
        residual: N×C×32×32, of a shot less its burst's mean, or of two shots.
        clean: the same shape.
        limit: times the usual.
    """
    unrest = _unrest(residual)
    usual = of_similar(unrest, clean.mean((1, 2, 3)), NEIGHBOURS, partial(np.median, axis=1))
    return np.asarray(unrest > limit * np.maximum(usual, 1e-12))


def lying_still(residual: Floats, _: Floats) -> Mask:
    """No window, where nothing is known to move."""
    return np.zeros(len(residual), bool)


def showing_another(residual: Floats, clean: Floats) -> Mask:
    """Windows of a pair that show something else than their clean, so that it spoils the noise.

    Beside saturated windows any noise is unusual; so the whole pair's unrest counts too.

    Args:
        residual: N×C×32×32.
        clean: the same shape.
    """
    unrest = _unrest(residual)
    usual = float(np.median(unrest[unrest > 0])) if unrest.any() else 0.0
    return moving(residual, clean, ANOTHER) & (unrest > ANOTHER * usual)


def _unrest(residual: Floats) -> Doubles:
    """Variance of the box means within each window."""
    return np.asarray(pooled(residual, BOX).var((2, 3)).mean(1), np.float64)
