"""Several shots of one still scene: their mean is the clean, what a shot differs by its noise.

A shot's own noise is in the mean too, so the residual of one of N shots has (N − 1)/N of the
noise's variance, and is scaled back. Shots that lie off the others are moved into the mean, but
noise is only ever taken from shots as they are: interpolated noise has another strength and
grain. What is the same in every shot, as a sensor's fixed pattern is, cannot be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noisegen.errors import BadReferenceError
from noisegen.files import to_float
from noisegen.model.config import WINDOW
from noisegen.noise.arrays import Floats, Mask, Pixels
from noisegen.noise.record import Recording
from noisegen.noise.windows import Windows, cut, cut_places, join
from noisegen.references.check import Burst
from noisegen.references.misplaced import SMALLEST_REGISTERED_SHARE
from noisegen.references.pixel_blocks import taper
from noisegen.references.repair import equalised
from noisegen.references.scenes import moving, same_scene
from noisegen.references.shift import Shift, find_shift, inside, kept_power, moved

MOST_WINDOWS = 16384
"""Of all shots of a burst together (16 Mpx)."""

AT_REST = 0.8
"""Share of windows in which a shot must be at rest; what moves in the others is left out there."""

RESTLESS = 1.6
"""Times the variance of the quietest shot's difference, from which a shot is not at rest."""

LEAST_OF_USUAL = 0.5
"""Share of the usual variance, below which a shot is none of the others' setting."""

LESS_NOISE = "it has less noise than the others, as a clean or a mean among them has"


@dataclass(frozen=True)
class _Placed:
    """A shot, and how it must be moved to lie on the others."""

    name: str
    pixels: Pixels
    shift: Shift


def burst_windows(
    burst: Burst, white_level: float, recording: Recording, repair: bool
) -> tuple[Windows, tuple[str, ...], tuple[str, ...]]:
    """Windows of a burst's noise beside its mean, what was done, and names of the shots taken.

    Args:
        burst: checked to be one.
        white_level: of the shots.
        recording: of the shots.
        repair: move shots onto each other, undo flicker, leave out what moved.

    Raises:
        BadReferenceError: the shots show different scenes.
    """
    step = float(recording.step.max())
    shots, done = _lying_together(burst, white_level, step if repair else None)
    place = _shared_place(shots)
    if min(part.stop - part.start for part in place) < WINDOW:
        raise BadReferenceError(
            f"{burst.name}: its shots are too far shifted: they have less than {WINDOW}×{WINDOW} "
            "pixels in common; give larger ones, or leave out those that lie farthest off"
        )
    mean = np.mean([moved(to_float(s.pixels, white_level), s.shift)[place] for s in shots], 0)
    mean = mean.clip(recording.low, recording.high).astype(np.float32)
    # Of two shots, one: the other's residual is the same with its sign turned.
    still = [s for s in shots if s.shift.is_none][: 1 if len(shots) == 2 else None]
    noisies = [to_float(shot.pixels, white_level)[place] for shot in still]
    cleans = [mean] * len(still)
    if repair:
        even = [equalised(noisy, mean, step, moves=moving) for noisy in noisies]
        cleans = [pair.clean for pair in even]
        done += [f"{s.name}: {w}" for s, e in zip(still, even, strict=True) for w in e.repairs]
    beside = list(zip(still, noisies, cleans, strict=True))
    moves = np.any([moving(cut(noisy - clean), cut(clean)) for _, noisy, clean in beside], 0)
    if repair and len(beside) == len(shots) and (quiet := _quieter(beside, moves)):
        windows, others, taken = burst_windows(
            _without(burst, quiet), white_level, recording, repair
        )
        return windows, (*(f"{name}: left out, {LESS_NOISE}" for name in quiet), *others), taken
    kept, left_out = _kept(moves) if repair else (np.ones_like(moves), [])
    parts = [
        _windows(noisy, clean, recording, _scale(cut(noisy - clean)[kept], shot, shots))
        for shot, noisy, clean in beside
    ]
    limit = MOST_WINDOWS // len(parts)
    windows = join([part.where(kept).take(limit) for part in parts])
    return windows, (*done, *left_out), tuple(shot.name for shot in shots)


def _quieter(beside: Sequence[tuple[_Placed, Floats, Floats]], moves: Mask) -> list[str]:
    """Names of shots that lie by their noise alone nearer to the mean than the others can.

    A shot's own variance follows from its residual's and from the share that all have in the mean.
    A mean of the others has none of its own left.

    Args:
        beside: each shot with its picture and its clean, which is the mean of all.
        moves: windows in which something moved.
    """
    count = len(beside)
    if count < 3 or moves.all():
        return []
    seen = np.array([float((cut(n - c)[~moves] ** 2).mean()) for _, n, c in beside])
    own = (seen - seen.sum() / (count * (count - 1))) * count / (count - 2)
    quiet = own < LEAST_OF_USUAL * np.median(own)
    return [shot.name for (shot, *_), is_quiet in zip(beside, quiet, strict=True) if is_quiet]


def _without(burst: Burst, names: Sequence[str]) -> Burst:
    kept = [(n, s) for n, s in zip(burst.names, burst.shots, strict=True) if n not in names]
    return Burst(burst.name, *(tuple(each) for each in zip(*kept, strict=True)))


def _lying_together(
    burst: Burst, white_level: float, step: float | None
) -> tuple[list[_Placed], list[str]]:
    """Shots of one scene, moved onto each other unless no step of their values is given."""
    shots, done = _without_copies(burst)
    if step is not None:
        shots, placing = _placed(burst.name, shots, white_level, step)
        return shots, done + placing
    first = to_float(shots[0].pixels, white_level)
    for shot in shots[1:]:
        if not same_scene(first, to_float(shot.pixels, white_level)):
            raise BadReferenceError(
                f"{burst.name}/{shot.name}: shows another scene than {shots[0].name}; give the "
                "shots of one still scene"
            )
    return shots, done


def _without_copies(burst: Burst) -> tuple[list[_Placed], list[str]]:
    """Each picture once: a copy would pass for a shot without noise."""
    kept: list[_Placed] = []
    done = []
    for name, pixels in zip(burst.names, burst.shots, strict=True):
        twin = next((shot for shot in kept if np.array_equal(shot.pixels, pixels)), None)
        if twin is None:
            kept.append(_Placed(name, pixels, Shift()))
        else:
            done.append(f"{name}: left out, a copy of {twin.name}")
    return kept, done


def _placed(
    name: str, shots: Sequence[_Placed], white_level: float, step: float
) -> tuple[list[_Placed], list[str]]:
    """The shots with their shifts, less those that no shift brings onto the others."""
    centre = to_float(shots[_most_usual(shots)].pixels, white_level)
    placed, unrest, done = [], [], []
    for shot in shots:
        pixels = to_float(shot.pixels, white_level)
        shift = find_shift(centre, pixels)
        place = inside(centre.shape, shift)
        there = moved(pixels, shift)[place]
        if min(there.shape[:2]) < WINDOW or not same_scene(centre[place], there):
            done.append(f"{shot.name}: left out, it shows another scene")
            continue
        if not shift.is_none:
            done.append(f"{shot.name}: moved by {shift}")
        placed.append(_Placed(shot.name, shot.pixels, shift))
        even = equalised(centre[place], there, step).clean
        unrest.append(float(np.quantile(cut(centre[place] - even).var((1, 2, 3)), AT_REST)))
    # Where the quietest difference is noise, so must the others be.
    least = min((value for value in unrest if value > 0), default=0.0)
    quiet = []
    for shot, value in zip(placed, unrest, strict=True):
        if value <= RESTLESS * least:
            quiet.append(shot)
        else:
            done.append(f"{shot.name}: left out, it differs in a way that no shift undoes")
    if 2 * len(quiet) <= len(shots):
        raise BadReferenceError(
            f"{name}: its shots show different scenes or settings, only {len(quiet)} of "
            f"{len(shots)} the same; give the shots of one still scene at one setting"
        )
    return quiet, done


def _most_usual(shots: Sequence[_Placed]) -> int:
    """The shot that lies nearest to the shots' median."""
    rough = np.stack(
        [shot.pixels[4::8, 4::8].astype(np.float32).mean(2, keepdims=True) for shot in shots]
    )
    distance = np.abs(rough - np.median(rough, 0)).mean((1, 2, 3))
    return int(distance.argmin())


def _shared_place(shots: Sequence[_Placed]) -> tuple[slice, slice]:
    """Rectangle that all shots show once they are moved."""
    places = [inside(shot.pixels.shape, shot.shift) for shot in shots]
    rows, columns = (
        slice(max(p[axis].start for p in places), min(p[axis].stop for p in places))
        for axis in (0, 1)
    )
    return rows, columns


def _scale(residual: Floats, source: _Placed, shots: Sequence[_Placed]) -> float:
    """Factor on a shot's residual: √(N/(N − 1)) where no shot was moved.

    Interpolated shots bring less noise into the mean, by how fine the noise's grain is.

    Args:
        residual: N×C×32×32.
        source: the shot that it is of.
        shots: of the mean.
    """
    share = 1 / len(shots)
    others = sum(kept_power(shot.shift) for shot in shots if shot is not source)
    visible = (1 - share) ** 2 + share**2 * others
    power = (np.abs(np.fft.fft2(residual * taper(WINDOW, WINDOW))) ** 2).mean((0, 1))
    return float(np.sqrt((power / visible).sum() / max(power.sum(), 1e-30)))


def _windows(noisy: Floats, clean: Floats, recording: Recording, scale: float) -> Windows:
    """The scaled residual, clipped like a picture: what reaches an end may have gone beyond."""
    picture = (clean + np.float32(scale) * (noisy - clean)).clip(recording.low, recording.high)
    residual = cut((picture - clean).astype(np.float32))
    return Windows(residual, cut(clean), False, recording, cut_places(*clean.shape[:2]), True)


def _kept(moves: Mask) -> tuple[Mask, list[str]]:
    """Windows that are used, and what is said of those that are not."""
    if not moves.any() or (~moves).mean() < SMALLEST_REGISTERED_SHARE:
        return np.ones_like(moves), []
    said = f"left out {int(moves.sum())} of {len(moves)} windows, in which something moved"
    return ~moves, [said]
