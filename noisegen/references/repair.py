"""An imperfect pair made good: shift, brightness and drift between a noisy picture and its clean.

Whatever is done is done to the clean: interpolated noise has another strength and grain. Each
repair is made only where it is significant and large enough to matter, so a perfect pair stays as
it is, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from noisegen.model.config import WINDOW
from noisegen.noise.arrays import Doubles, Floats, Mask
from noisegen.noise.record import Recording
from noisegen.noise.windows import Windows, cut
from noisegen.references.brightness import Brightness, fit_brightness
from noisegen.references.drift import Drift, find_drift
from noisegen.references.misplaced import (
    LARGEST_MISPLACED,
    SMALLEST_REGISTERED_SHARE,
    all_windows,
    misplaced,
    registered,
)
from noisegen.references.pixel_blocks import taper
from noisegen.references.scenes import (
    lying_still,
    refuse_other_contrast,
    refuse_other_scene,
    showing_another,
)
from noisegen.references.shift import Shift, find_shift, inside, moved

LARGEST_LOST = 0.02
"""Share of a window's pixels whose clean may be unknown, as where it was saturated."""

INTERPOLATED = 0.3
"""Cycles a pixel up to which detail is moved faithfully, for photographs are aliased beyond."""

LARGEST_FINE = 0.1
"""Largest energy of finer detail, as a share of the residual's; about half of it is aliased."""

SMALLEST_LEFT_OUT = 0.1
"""Share of windows left out that is worth naming."""


@dataclass(frozen=True)
class Significance:
    """Thresholds from which a difference between a shot and its clean is undone.

    Statistical significance is asked for in any case.

    Attributes:
        shift: pixels, in either direction.
        gain: distance from 1.
        offset: units of the white level.
        drift: standard deviation, units of the white level.
    """

    shift: float = 0.0
    gain: float = 0.0
    offset: float = 0.0
    drift: float = 0.0

    def of_shift(self, shift: Shift) -> Shift:
        """Return the shift if it is large enough, else none."""
        return shift if max(abs(shift.down), abs(shift.across)) >= self.shift else Shift()

    def of_brightness(self, brightness: Brightness) -> Brightness:
        """Return gain and offset if they are large enough, else 1 and 0."""
        gain, offset = np.abs(brightness.gain - 1), np.abs(brightness.offset)
        changed = brightness.changed
        if (changed & ((gain >= self.gain) | (offset >= self.offset))).any():
            return brightness
        return Brightness(np.ones_like(gain), np.zeros_like(gain))

    def of_drift(self, drift: Drift | None) -> Drift | None:
        """Return the drift if it is large enough, else None."""
        return drift if drift is not None and drift.strength >= self.drift else None


ANY = Significance()
"""Whatever is significant."""

GROSS = Significance(shift=1.0, gain=0.08, offset=10 / 255, drift=2 / 255)
"""What leaving out windows cannot mend. Less is masked, for on PolyU shifts differ over the frame;
but where one shift is all that is wrong, undoing it leaves more windows than masking does."""


@dataclass(frozen=True)
class RepairedPair:
    """A pair as it is measured.

    Attributes:
        noisy: H×W×C, cut to what the clean shows; its pixels are never altered.
        clean: the same shape, in [0, 1].
        lost: H×W, pixels whose clean is not known.
        repairs: what was done, with its size; empty where nothing was.
        interpolated: the clean was moved by parts of a pixel.
    """

    noisy: Floats
    clean: Floats
    lost: Mask
    repairs: tuple[str, ...]
    interpolated: bool = False


def repaired_windows(
    noisy: Floats, clean: Floats, name: str, recording: Recording, least: Significance = ANY
) -> tuple[Windows, tuple[str, ...]]:
    """Windows of a pair as good as it can be made, and what was done to it.

    Args:
        noisy: H×W×C in units of the white level.
        clean: the same shape.
        name: of the reference, for the error.
        recording: of the noisy picture.
        least: what is undone.

    Raises:
        BadReferenceError: the two show different scenes.
    """
    found = _found(noisy, clean, name, recording, least)
    if found.lie_well < 1 - SMALLEST_LEFT_OUT and least is not ANY:
        once = _found(noisy, clean, name, recording, replace(least, shift=0.0))
        gained = once.lie_well - found.lie_well
        if once.misplaced <= SMALLEST_LEFT_OUT < gained:
            # One shift is all that is wrong, and what interpolation spoils is less.
            found = once
        if found.lie_well < SMALLEST_REGISTERED_SHARE:
            # Hardly a window lies as it should, so there is nothing to mask: undo all there is.
            found = _found(noisy, clean, name, recording, ANY)
    kept, repairs = registered(found.windows, found.share), found.repairs
    if (~kept).mean() > SMALLEST_LEFT_OUT:
        repairs += (f"left out {_count(~kept)}, which are shifted against the clean",)
    return found.windows.where(kept), repairs


@dataclass(frozen=True)
class _Found:
    """A repaired pair's windows, before those that do not lie well are left out.

    Attributes:
        windows: whose clean is known.
        share: of each one's power, what a shift explains.
        lie_well: those that hardly a shift explains, as a share of all of the pair's windows.
        repairs: what was done.
    """

    windows: Windows
    share: Doubles
    lie_well: float
    repairs: tuple[str, ...]

    @property
    def misplaced(self) -> float:
        """Share of the windows whose residual a shift explains."""
        return float((self.share > LARGEST_MISPLACED).mean())


def _found(
    noisy: Floats, clean: Floats, name: str, recording: Recording, least: Significance
) -> _Found:
    pair = repair_pair(noisy, clean, name, recording, least)
    windows = all_windows(pair.noisy, pair.clean, recording)
    count, repairs = len(windows), list(pair.repairs)
    known = cut(pair.lost[..., None]).mean((1, 2, 3)) <= LARGEST_LOST
    if not known.all() and known.any():
        repairs.append(f"left out {_count(~known)}, whose clean was black or saturated")
        windows = windows.where(known)
    same = ~showing_another(windows.residual, windows.clean)
    if not same.all() and same.mean() >= SMALLEST_REGISTERED_SHARE:
        repairs.append(f"left out {_count(~same)}, in which something moved")
        windows = windows.where(same)
    if pair.interpolated:
        coarse = _coarse(windows)
        if not coarse.all():
            repairs.append(f"left out {_count(~coarse)}, whose clean is too fine to be moved so")
            windows = windows.where(coarse)
    share = misplaced(windows)
    lie_well = float((share <= LARGEST_MISPLACED).sum()) / count
    return _Found(windows, share, lie_well, tuple(repairs))


def repair_pair(
    noisy: Floats, clean: Floats, name: str, recording: Recording, least: Significance = ANY
) -> RepairedPair:
    """Shift, brightness and drift undone, in this order; see :func:`repaired_windows`."""
    repairs = []
    shift = least.of_shift(find_shift(noisy, clean))
    if not shift.is_none:
        repairs.append(f"moved the clean by {shift}")
        place = inside(clean.shape, shift)
        noisy, clean = noisy[place], moved(clean, shift)[place].clip(0, 1)
    refuse_other_scene(noisy, clean, name)
    even = equalised(noisy, clean, float(recording.step.max()), least, showing_another)
    refuse_other_contrast(noisy, even.clean, name)
    repairs += even.repairs
    return replace(even, repairs=tuple(repairs), interpolated=not shift.is_whole)


def equalised(
    noisy: Floats,
    clean: Floats,
    step: float,
    least: Significance = ANY,
    moves: Callable[[Floats, Floats], Mask] = lying_still,
) -> RepairedPair:
    """Brightness and drift undone between two H×W×C pictures that lie on each other.

    Args:
        noisy: in units of the white level.
        clean: the same shape.
        step: of the quantisation, in the same unit.
        least: what is undone.
        moves: windows, by their residual and their clean, that say nothing of either.
    """
    repairs = []
    lost: Mask = np.zeros(clean.shape[:2], bool)
    moved_now = moves(cut(noisy - clean), cut(clean))
    still = ~moved_now
    brightness = least.of_brightness(fit_brightness(noisy, clean, still, step))
    if not brightness.is_none:
        repairs.append(f"gave the clean {brightness}")
        changed = clean * np.float32(brightness.gain) + np.float32(brightness.offset)
        # What was saturated in the clean is not known, nor can be seen what saturates now.
        beyond = (clean <= 0) | (clean >= 1) | (changed < 0) | (changed > 1)
        lost = np.any(beyond & brightness.changed, axis=2)
        clean = changed.clip(0, 1).astype(np.float32)
        moved_now = moves(cut(noisy - clean), cut(clean))
    drift = least.of_drift(find_drift(_where_still(noisy, clean, moved_now), clean))
    if drift is not None:
        repairs.append(f"added to the clean a slow {drift}")
        clean = (clean + drift.surface).clip(0, 1)
    return RepairedPair(noisy, clean, lost, tuple(repairs))


def _where_still(noisy: Floats, clean: Floats, moves: Mask) -> Floats:
    """A picture with its clean in the windows in which something moved; both H×W×C."""
    if not moves.any():
        return noisy
    rows, columns = (side // WINDOW for side in clean.shape[:2])
    laid = moves.reshape(rows, columns).repeat(WINDOW, 0).repeat(WINDOW, 1)
    padding = [(0, side - known) for side, known in zip(clean.shape, laid.shape, strict=False)]
    return np.asarray(np.where(np.pad(laid, padding)[..., None], clean, noisy))


def _coarse(windows: Windows) -> Mask:
    """Windows whose clean has little beyond what interpolation keeps, beside their noise.

    Detail finer than two pixels is aliased: moved by half a pixel, it is another detail. A few
    windows are kept in any case.
    """
    turns = np.fft.fftfreq(WINDOW)
    fine = np.maximum(np.abs(turns)[:, None], np.abs(turns)) > INTERPOLATED
    energy = np.empty((2, len(windows)))
    for i, pictures in enumerate((windows.clean, windows.residual)):
        spectrum = np.abs(np.fft.fft2(pictures.mean(1) * taper(WINDOW, WINDOW))) ** 2
        energy[i] = (spectrum * fine if i == 0 else spectrum).sum((1, 2))
    share = energy[0] / np.maximum(energy[1], 1e-12)
    limit = max(LARGEST_FINE, float(np.quantile(share, SMALLEST_REGISTERED_SHARE)))
    return np.asarray(share <= limit)


def _count(left_out: Mask) -> str:
    return f"{int(left_out.sum())} of {len(left_out)} windows of 32×32"
