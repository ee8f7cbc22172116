"""References → noise profile: residual, windows, measured statistics, prompt."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from noisegen.errors import BadReferenceError
from noisegen.files import to_float, white_level_of
from noisegen.model.config import WINDOW
from noisegen.model.content_network import ContentNetwork
from noisegen.model.denoiser import Denoiser
from noisegen.model.weights import Weights
from noisegen.noise.record import Recording, find_recording
from noisegen.noise.statistics import NoiseStatistics
from noisegen.noise.windows import Windows, join
from noisegen.references.burst import Burst, burst_windows, refuse_no_burst
from noisegen.references.completed import measure_whole
from noisegen.references.estimate import blind_windows
from noisegen.references.profile import NoiseProfile
from noisegen.references.profile_check import safe_name
from noisegen.references.repair import ANY, GROSS, refuse_other_scene, repaired_windows
from noisegen.references.screening import Screened, screen, warnings_of
from noisegen.references.tensors import statistics_tensors, window_tensors
from noisegen.references.windows import all_windows, paired_windows

Pixels = NDArray[Any]

AT_LEAST_ESTIMATED = 0.16
"""Share of the noise's power that no residual shows of a lone shot, however small its denoiser
says its errors are: on instruments of known noise σ is off by 5 to 20 %, unseen by any trial."""

SMALLEST_SIGMA = 1e-4
"""Overall standard deviation, of the white level, below which a reference holds no noise."""


class Repair(Enum):
    """What is done to a pair before it is measured.

    All but ``NONE`` leave out windows whose residual follows the clean's edges. ``GROSS`` undoes
    large shifts, differences of brightness and drifts first, ``ALL`` every significant one.
    """

    ALL = auto()
    GROSS = auto()
    MASK = auto()
    NONE = auto()


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


@dataclass(frozen=True)
class Measured:
    """References cut into windows and measured.

    Attributes:
        kind: ``paired``, ``burst`` or ``estimated``.
        references: file names.
        pixels: of all references together.
        white_level: that they are scaled by.
        dtype: of their pixels.
        windows: of all of them.
        statistics: of the windows, completed where these show nothing.
        repairs: what was done to imperfect pairs, each with its reference's name.
        warnings: what is doubtful about them, each with its reference's name.
        white_level_given: the white level was not found from them.
        lowest: of their values, at most 0.
        gray: they are a gray camera's, saved as RGB; one channel is measured.
        estimated_share: of the noise's power, what no residual shows; 0 where the clean was given.
        used_share: of the references' pixels, those that are measured and not clipped.
    """

    kind: str
    references: tuple[str, ...]
    pixels: int
    white_level: float
    dtype: str
    windows: Windows
    statistics: NoiseStatistics
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    white_level_given: bool = False
    lowest: float = 0.0
    gray: bool = False
    estimated_share: float = 0.0
    used_share: float = 1.0


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
    """

    name: str
    shots: tuple[str, ...]
    pixels: int
    windows: Windows
    repairs: tuple[str, ...]
    screened: Screened


@dataclass(frozen=True)
class CutReferences:
    """References checked to be alike and cut into windows, not yet measured.

    Attributes:
        bursts: they are bursts, not single pictures.
        white_level: that they are scaled by.
        dtype: of their pixels.
        each: one or more.
        doubts: about all of them together, in words.
        white_level_given: the white level was not found from them.
        lowest: of their values, at most 0.
        gray: they are a gray camera's, saved as RGB.
    """

    bursts: bool
    white_level: float
    dtype: str
    each: tuple[CutReference, ...]
    doubts: tuple[str, ...] = ()
    white_level_given: bool = False
    lowest: float = 0.0
    gray: bool = False

    @property
    def kind(self) -> str:
        """``paired``, ``burst`` or ``estimated``."""
        if self.bursts:
            return "burst"
        return "estimated" if any(part.windows.estimated for part in self.each) else "paired"

    def where(self, index: Sequence[int]) -> CutReferences:
        """Some of the references, without the doubts about all."""
        each = tuple(self.each[place] for place in index)
        return replace(self, each=each, doubts=())


def create_profile(
    references: Sequence[Reference] | Sequence[Burst],
    weights: Weights,
    *,
    name: str = "profile",
    white_level: float | None = None,
    repair: bool = True,
) -> NoiseProfile:
    """Measures references of one camera and setting and encodes their prompt.

    Args:
        references: one or more noisy pictures, or bursts; all gray or all RGB, of one type.
        weights: whose encoder makes the prompt; the profile is tied to them.
        name: of the profile.
        white_level: the count that is white in the camera's files. Found from the references where
            not given: 255 for 8 bits; for 16 bits the smallest of 10, 12, 14 and 16 bits that holds
            them; for floats 1, or their largest value if that is more. The profile says which.
            Floats above a given one count as saturated.
        repair: undo gross shift, brightness and drift between a reference and its clean, leave out
            what follows the clean's edges; move a burst's shots onto each other. The profile's
            ``repairs`` say what was done.

    Raises:
        BadReferenceError: no profile can be made; names the reference and the reason.
    """
    kind = Repair.GROSS if repair else Repair.NONE
    measured = measure_references(references, white_level, kind, weights.denoiser, weights.content)
    return encode_profile(measured, weights, name=name)


def measure_references(
    references: Sequence[Reference] | Sequence[Burst],
    white_level: float | None = None,
    repair: Repair = Repair.GROSS,
    denoiser: Denoiser | None = None,
    network: ContentNetwork | None = None,
) -> Measured:
    """The first half of :func:`create_profile`, with the same errors: no prompt yet.

    Weights count where a reference has no clean, by their denoiser (the shipped one is taken where
    none is given), and by their content network, if that is given.
    """
    return measure_cut(cut_references(references, white_level, repair, denoiser), network)


def cut_references(
    references: Sequence[Reference] | Sequence[Burst],
    white_level: float | None = None,
    repair: Repair = Repair.GROSS,
    denoiser: Denoiser | None = None,
) -> CutReferences:
    """Checks references, repairs each and cuts it; arguments and errors as for all of it."""
    if not references:
        raise BadReferenceError("no references given; name at least one noisy picture")
    bursts = [reference for reference in references if isinstance(reference, Burst)]
    if bursts and len(bursts) != len(references):
        raise BadReferenceError(f"{bursts[0].name}: a burst beside single shots; give one kind")
    shaped = _alike(references)
    level = _white_level(shaped, white_level)
    gray = all(_is_gray(shot) for shot in shaped)
    recording = find_recording([shot.noisy for shot in shaped], level)
    if gray:
        shaped, recording = [_one_channel(shot) for shot in shaped], recording.first()
    recording = recording.scaled(1 / level)
    each, left = [], iter(shaped)
    for reference in _one_channel_each(references) if gray else references:
        # First: what shows no noise is not worth estimating.
        screened = _screened(reference, level)
        shots = list(islice(left, len(reference.shots) if isinstance(reference, Burst) else 1))
        if isinstance(reference, Burst):
            undo = repair in (Repair.ALL, Repair.GROSS)
            windows, repairs = _burst_windows(reference, level, recording, undo)
        else:
            windows, repairs = _windows(shots[0], level, recording, repair, denoiser)
        each.append(
            CutReference(
                name=reference.name,
                shots=tuple(shot.name for shot in shots),
                pixels=sum(shot.noisy.shape[0] * shot.noisy.shape[1] for shot in shots),
                # Of floats: what lies below black or above white has no intensity of its own.
                windows=replace(windows, clean=windows.clean.clip(0, 1)),
                repairs=repairs,
                screened=screened,
            )
        )
    return CutReferences(
        bursts=bool(bursts),
        white_level=level,
        dtype=_type_name(shaped[0].noisy),
        each=tuple(each),
        white_level_given=white_level is not None,
        lowest=min(0.0, *(float(shot.noisy.min()) for shot in shaped)),
        gray=gray,
    )


def measure_cut(cut: CutReferences, network: ContentNetwork | None = None) -> Measured:
    """Measures references' windows together; what a network's maps say counts if it is given.

    Raises:
        BadReferenceError: they show no noise.
    """
    windows = join([reference.windows for reference in cut.each])
    statistics = measure_whole(windows, network)
    _check_noise(statistics, windows, cut.each[0].shots[0])
    return Measured(
        kind=cut.kind,
        references=tuple(shot for reference in cut.each for shot in reference.shots),
        pixels=sum(reference.pixels for reference in cut.each),
        white_level=cut.white_level,
        dtype=cut.dtype,
        windows=windows,
        statistics=statistics,
        repairs=tuple(repair for reference in cut.each for repair in reference.repairs),
        warnings=(*warnings_of([reference.screened for reference in cut.each]), *cut.doubts),
        white_level_given=cut.white_level_given,
        lowest=cut.lowest,
        gray=cut.gray,
        estimated_share=max(windows.made_up, AT_LEAST_ESTIMATED) if windows.estimated else 0.0,
        used_share=_used_share(windows, sum(reference.pixels for reference in cut.each)),
    )


def _used_share(windows: Windows, pixels: int) -> float:
    """Share of the references' pixels that windows show unclipped."""
    unclipped = windows.unclipped
    return min(1.0, unclipped[:, 0].size / pixels) * float(unclipped.mean())


def encode_profile(measured: Measured, weights: Weights, *, name: str = "profile") -> NoiseProfile:
    """The profile of measured references by one encoder."""
    return NoiseProfile(
        name=safe_name(name),
        kind=measured.kind,
        references=measured.references,
        pixels=measured.pixels,
        white_level=measured.white_level,
        dtype=measured.dtype,
        weights_sha256=weights.sha256,
        tokens=encode(measured.windows, measured.statistics, weights),
        measured=measured.statistics,
        recording=measured.windows.recording.scaled(measured.white_level),
        repairs=measured.repairs,
        warnings=measured.warnings,
        white_level_given=measured.white_level_given,
        lowest=measured.lowest,
        gray=measured.gray,
    )


def encode(windows: Windows, measured: NoiseStatistics, weights: Weights) -> NDArray[np.float32]:
    """The prompt, T×D.

    In double precision, on the CPU: rounded to float32, it is then the same with any number of
    threads and on nearly any machine, and with it the profile's hash.
    """
    encoder = copy.deepcopy(weights.encoder).cpu().double()
    batch = window_tensors([windows])
    batch = type(batch)(
        batch.residual.double(), batch.clean.double(), batch.valid, batch.estimated.double()
    )
    statistics = statistics_tensors(measured)
    statistics = type(statistics)(*(value.double() for value in vars(statistics).values()))
    with torch.inference_mode():
        tokens = encoder(batch, statistics).tokens
    result: NDArray[np.float32] = tokens[0].numpy().astype(np.float32)
    return result


def find_white_level(references: Sequence[Reference | Burst]) -> float:
    """The white level that references show, of several channels together where they are.

    Raises:
        BadReferenceError: they are not alike, or cannot be used.
    """
    return _white_level(_alike(references), None)


def _alike(references: Sequence[Reference | Burst]) -> list[Reference]:
    """All pictures, H×W×C, checked to be fit for one profile."""
    shaped = [_with_channels(shot) for reference in references for shot in _shots(reference)]
    for reference in shaped:
        _check(reference, shaped[0])
    return shaped


def _shots(reference: Reference | Burst) -> list[Reference]:
    """A reference's noisy pictures, a burst's under their folder's name."""
    if isinstance(reference, Reference):
        return [reference]
    refuse_no_burst(reference)
    return [
        Reference(f"{reference.name}/{name}", pixels)
        for name, pixels in zip(reference.names, reference.shots, strict=True)
    ]


def _is_gray(reference: Reference) -> bool:
    """Whether a picture in colour is a gray one, its clean too."""
    pictures = [reference.noisy] if reference.clean is None else [reference.noisy, reference.clean]
    return all(p.shape[2] == 3 and bool((p == p[..., :1]).all()) for p in pictures)


def _one_channel(reference: Reference) -> Reference:
    clean = None if reference.clean is None else reference.clean[..., :1]
    return replace(reference, noisy=reference.noisy[..., :1], clean=clean)


def _one_channel_each(references: Sequence[Reference | Burst]) -> list[Reference | Burst]:
    return [
        replace(reference, shots=tuple(shot[..., :1] for shot in reference.shots))
        if isinstance(reference, Burst)
        else _one_channel(_with_channels(reference))
        for reference in references
    ]


def _with_channels(reference: Reference) -> Reference:
    clean = reference.clean
    if clean is not None and clean.ndim == 2:
        clean = clean[..., None]
    noisy = reference.noisy[..., None] if reference.noisy.ndim == 2 else reference.noisy
    if noisy.ndim != 3 or noisy.shape[2] not in (1, 3):
        raise BadReferenceError(
            f"{reference.name}: shape {reference.noisy.shape}; give gray or RGB, H×W or H×W×3"
        )
    return replace(reference, noisy=noisy, clean=clean)


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
    if clean is None:
        return
    if clean.shape != noisy.shape or clean.dtype not in (noisy.dtype, np.float32, np.float64):
        raise BadReferenceError(
            f"{name}: is {_kind(noisy)} of {width}×{height}, its clean is {_kind(clean)} of "
            f"{clean.shape[1]}×{clean.shape[0]}; give the clean of this very picture"
        )
    if np.array_equal(noisy, clean):
        raise BadReferenceError(
            f"{name}: identical to its clean, so it holds no noise; give a noisy shot"
        )


def _kind(pixels: Pixels) -> str:
    channels = {1: "gray", 3: "RGB"}.get(pixels.shape[2], f"{pixels.shape[2]} channels")
    return f"{_type_name(pixels)} {channels}"


def _type_name(pixels: Pixels) -> str:
    return "float32" if pixels.dtype.kind == "f" else pixels.dtype.name


def _white_level(references: Sequence[Reference], given: float | None) -> float:
    noisies, cleans = ([r.noisy for r in references], [r.clean for r in references])
    arrays = [*noisies, *(c for c in cleans if c is not None and c.dtype == noisies[0].dtype)]
    if references[0].noisy.dtype.kind == "f":
        if given is not None and not 0 < given < np.inf:
            raise BadReferenceError(
                f"{references[0].name}: white level {given:g} cannot be; give a positive number"
            )
        return float(given or max(1.0, *(array.max() for array in arrays)))
    if given is None:
        return float(white_level_of(arrays))
    largest = max(int(array.max()) for array in arrays)
    if not 0 < given <= np.iinfo(references[0].noisy.dtype).max or given < largest:
        raise BadReferenceError(
            f"{references[0].name}: white level {given:g} does not fit: its type is "
            f"{references[0].noisy.dtype} and its brightest pixel {largest}"
        )
    return float(given)


def _screened(reference: Reference | Burst, white_level: float) -> Screened:
    """A reference judged by its noisy picture, a burst by its first shot: they are alike."""
    shot = _with_channels(_shots(reference)[0])
    has_clean = isinstance(reference, Burst) or reference.clean is not None
    return screen(shot.noisy, shot.name, white_level, has_clean, shot.jpeg_quality)


def _windows(
    reference: Reference,
    white_level: float,
    recording: Recording,
    repair: Repair,
    denoiser: Denoiser | None,
) -> tuple[Windows, tuple[str, ...]]:
    """Windows of a reference, and what was done to it."""
    name, noisy = reference.name, _scaled(reference.noisy, white_level)
    if reference.clean is None:
        return blind_windows(noisy, recording, denoiser), ()
    clean = _scaled(reference.clean, white_level)
    if repair in (Repair.MASK, Repair.NONE):
        refuse_other_scene(noisy, clean, name)
        take = paired_windows if repair is Repair.MASK else all_windows
        return take(noisy, clean, recording), ()
    least = ANY if repair is Repair.ALL else GROSS
    windows, repairs = repaired_windows(noisy, clean, name, recording, least)
    return windows, tuple(f"{name}: {done}" for done in repairs)


def _scaled(pixels: Pixels, white_level: float) -> NDArray[np.float32]:
    """In units of the white level; floats above it are saturated, as integers are by their type."""
    return np.minimum(to_float(pixels, white_level), np.float32(1))


def _burst_windows(
    burst: Burst, white_level: float, recording: Recording, repair: bool
) -> tuple[Windows, tuple[str, ...]]:
    """Windows of a burst, and what was done to it."""
    shots = tuple(_with_channels(shot).noisy for shot in _shots(burst))
    windows, done = burst_windows(replace(burst, shots=shots), white_level, recording, repair)
    return windows, tuple(f"{burst.name}/{what}" for what in done)


def _check_noise(measured: NoiseStatistics, windows: Windows, name: str) -> None:
    if float(measured.sigma.max()) >= SMALLEST_SIGMA:
        return
    against = "an estimated clean" if windows.estimated else "its clean"
    raise BadReferenceError(f"{name}: shows no noise against {against}; give a noisy shot")
