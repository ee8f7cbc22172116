"""References → windows: checked, screened, repaired and cut, each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from noisegen.model.config import Precision
from noisegen.model.denoiser import Denoiser
from noisegen.noise.arrays import Pixels
from noisegen.noise.windows import Windows
from noisegen.references.burst import burst_windows
from noisegen.references.check import Burst, Checked, Reference, Samples, check_references, scaled
from noisegen.references.lone import DenoisedPicture, denoised_picture
from noisegen.references.misplaced import all_windows, paired_windows
from noisegen.references.repair import ANY, GROSS, repaired_windows
from noisegen.references.scenes import refuse_other_contrast, refuse_other_scene
from noisegen.references.screening import Screened, screen, warnings_of

TRIED_AGAIN = 12
"""Blocks of all lone references together that can be denoised again with known noise: 0.8 Mpx."""


IN_BFLOAT16 = "estimated its clean in bfloat16"
"""What a profile says of a lone shot whose clean was estimated so."""


class Repair(Enum):
    """Repairs of a pair before it is measured.

    All but ``NONE`` leave out windows whose residual follows the clean's edges. ``GROSS`` undoes
    large shifts, differences of brightness and drifts first, ``ALL`` every significant one.
    """

    ALL = auto()
    GROSS = auto()
    MASK = auto()
    NONE = auto()


@dataclass(frozen=True)
class CutReference:
    """A reference, or a burst, cut into windows of its own.

    Attributes:
        name: of its file, or of the burst's folder.
        shots: names of its pictures: its own, or a burst's.
        pixels: of all of them together.
        windows: of it alone, their clean in [0, 1].
        repairs: what was done to it, each with its name.
        screened: what its picture shows of its history.
        denoised: how its clean was estimated, where it was.
    """

    name: str
    shots: tuple[str, ...]
    pixels: int
    windows: Windows
    repairs: tuple[str, ...]
    screened: Screened
    denoised: DenoisedPicture | None = None


@dataclass(frozen=True)
class CutReferences:
    """References checked to be alike and cut into windows, not yet measured.

    Attributes:
        bursts: they are bursts, not single pictures.
        samples: what the values of their pixels mean.
        each: one or more.
        doubts: about all of them together, in words.
    """

    bursts: bool
    samples: Samples
    each: tuple[CutReference, ...]
    doubts: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """``paired``, ``burst`` or ``estimated``."""
        if self.bursts:
            return "burst"
        return "estimated" if any(part.windows.estimated for part in self.each) else "paired"

    @property
    def shots(self) -> tuple[str, ...]:
        """Names of all pictures."""
        return tuple(shot for part in self.each for shot in part.shots)

    @property
    def denoised(self) -> tuple[DenoisedPicture | None, ...]:
        """How the clean of each was estimated, where it was."""
        return tuple(part.denoised for part in self.each)

    @property
    def pixels(self) -> int:
        """Number of pixels of all pictures together."""
        return sum(part.pixels for part in self.each)

    @property
    def repairs(self) -> tuple[str, ...]:
        """Repairs of imperfect references, each with the reference's name."""
        return tuple(repair for part in self.each for repair in part.repairs)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Doubts about the references, with their names."""
        return (*warnings_of([part.screened for part in self.each]), *self.doubts)

    def where(self, index: Sequence[int]) -> CutReferences:
        """Some of the references, without the doubts about all."""
        return replace(self, each=tuple(self.each[place] for place in index), doubts=())


def cut_references(
    references: Sequence[Reference | Burst],
    white_level: float | None = None,
    repair: Repair = Repair.GROSS,
    denoiser: Denoiser | None = None,
) -> CutReferences:
    """Checks references, repairs each and cuts it.

    Args:
        references: one or more noisy pictures, or bursts; all gray or all RGB, of one type.
        white_level: the count that is white in the camera's files. Found from the references where
            not given: 255 for 8 bits; for 16 bits the smallest of 10, 12, 14 and 16 bits that holds
            them; for floats 1, or their largest value if more than noise and hot pixels lie above;
            for floats of whole numbers that of their bits, from 8. Floats above it count as
            saturated.
        repair: what is undone of a pair; of a burst all, or nothing.
        denoiser: estimates the clean of a reference that has none; the shipped one if not given.

    Raises:
        BadReferenceError: one of them cannot be used; names it and the reason.
    """
    checked = check_references(references, white_level)
    kept = -(-TRIED_AGAIN // len(checked.each))
    each = tuple(_cut(reference, checked, repair, denoiser, kept) for reference in checked.each)
    return CutReferences(isinstance(references[0], Burst), checked.samples, each)


def _cut(
    reference: Reference | Burst,
    checked: Checked,
    repair: Repair,
    denoiser: Denoiser | None,
    kept: int,
) -> CutReference:
    pictures, level = reference.pictures, checked.samples.white_level
    # First: what shows no noise is not worth estimating. A burst's shots are alike.
    first, burst = pictures[0], isinstance(reference, Burst)
    has_clean = burst or first.clean is not None
    screened = screen(first.noisy, first.name, level, has_clean, first.jpeg_quality)
    denoised = None
    if isinstance(reference, Burst):
        undo = repair in (Repair.ALL, Repair.GROSS)
        windows, done, taken = burst_windows(reference, level, checked.recording, undo)
        both = zip(pictures, reference.names, strict=True)
        pictures = tuple(picture for picture, name in both if name in taken)
    elif first.clean is None:
        noisy = scaled(first.noisy, level)
        denoised = denoised_picture(noisy, checked.recording, denoiser, kept)
        coarse = denoised.denoiser.precision is Precision.BFLOAT16
        windows, done = denoised.windows, (IN_BFLOAT16,) if coarse else ()
    else:
        windows, done = _pair_windows(reference, first.clean, checked, repair)
    return CutReference(
        name=reference.name,
        shots=tuple(picture.name for picture in pictures),
        pixels=sum(picture.noisy[..., 0].size for picture in pictures),
        # Of floats: what lies below black or above white has no intensity of its own.
        windows=replace(windows, clean=windows.clean.clip(0, 1)),
        repairs=tuple(f"{reference.name}{'/' if burst else ': '}{what}" for what in done),
        screened=screened,
        denoised=denoised,
    )


def _pair_windows(
    reference: Reference, its_clean: Pixels, checked: Checked, repair: Repair
) -> tuple[Windows, tuple[str, ...]]:
    """Windows of a picture with its clean, and what was done to it."""
    level, recording = checked.samples.white_level, checked.recording
    noisy, clean = scaled(reference.noisy, level), scaled(its_clean, level)
    if repair in (Repair.MASK, Repair.NONE):
        refuse_other_scene(noisy, clean, reference.name)
        refuse_other_contrast(noisy, clean, reference.name)
        take = paired_windows if repair is Repair.MASK else all_windows
        return take(noisy, clean, recording), ()
    least = ANY if repair is Repair.ALL else GROSS
    return repaired_windows(noisy, clean, reference.name, recording, least)
