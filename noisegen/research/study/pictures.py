"""What a study trains and tests on, wherever it comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from noisegen.errors import UsageError
from noisegen.evaluation.denoiser import Picture
from noisegen.evaluation.protocol import PROTOCOL_SEED, Case, polyu_cases, registered_crops
from noisegen.files import Pixels, to_float
from noisegen.references.check import Reference
from noisegen.training.realdata import polyu_isos


@dataclass(frozen=True, eq=False)
class Shot:
    """A real pair: a crop that passed hygiene.

    Attributes:
        name: of the crop; also the key of noise that is put on its clean.
        scene: the picture that it is cut from.
        noisy: H×W×C, uint8 or uint16.
        clean: the same.
    """

    name: str
    scene: str
    noisy: Pixels
    clean: Pixels


@dataclass(frozen=True, eq=False)
class Clean:
    """A picture that noise is put on; name and pixels as in :class:`Shot`."""

    name: str
    pixels: Pixels


@dataclass(frozen=True, eq=False)
class Source:
    """The references of one camera setting."""

    name: str
    references: tuple[Reference, ...]


@dataclass(frozen=True, eq=False)
class Noises:
    """Whose noise goes on which clean.

    Attributes:
        sources: one or more.
        turns: the source's index for each clean.
        cleans: that it goes on.
    """

    sources: tuple[Source, ...]
    turns: tuple[int, ...]
    cleans: tuple[Clean, ...]


@dataclass(frozen=True, eq=False)
class StudyData:
    """All pictures of a study; no picture of ``tests`` is in the rest.

    Attributes:
        real: training pairs; empty where there are only a few, which are references too.
        references: a few shots, and the cleans of ``real`` (other cleans where there are none).
        few: the references that come with their clean, as training pairs; may be empty.
        from_few: their noise on other cleans; None where there are none.
        extra: what is mixed with real pairs: the noise of a camera that ``real`` does not hold,
            or of the references on other cleans.
        new_camera: whether it is a camera that ``real`` does not hold.
        tests: what is tested on, by name.
        white_level: of all of them.
        left_out: what could not be used, each with its reason.
    """

    real: tuple[Shot, ...]
    references: Noises
    few: tuple[Shot, ...]
    from_few: Noises | None
    extra: Noises
    new_camera: bool
    tests: dict[str, tuple[Shot, ...]]
    white_level: float = 255
    left_out: tuple[str, ...] = ()

    def for_denoiser(self, pixels: Pixels) -> Picture:
        """As a denoiser takes it: uint8, or float32 in [0, 1]."""
        return pixels if pixels.dtype.itemsize == 1 else to_float(pixels, self.white_level)


def in_turn(sources: Sequence[Source], cleans: Sequence[Clean]) -> Noises:
    """Each source's noise on every so many cleans."""
    turns = tuple(index % len(sources) for index in range(len(cleans)))
    return Noises(tuple(sources), turns, tuple(cleans))


def shots_digest(shots: Iterable[Shot]) -> str:
    """SHA-256 of real pairs' names and pixels."""
    return _digest((shot.name, (shot.noisy, shot.clean)) for shot in shots)


def noises_digest(noises: Noises) -> str:
    """SHA-256 of all that decides what is generated, but for the weights."""
    shown = [
        (source.name, (reference.noisy, reference.clean))
        for source in noises.sources
        for reference in source.references
    ]
    cleans = [
        (f"{turn} {clean.name}", (clean.pixels,))
        for turn, clean in zip(noises.turns, noises.cleans, strict=True)
    ]
    return _digest([*shown, *cleans])


def _digest(named: Iterable[tuple[str, tuple[Pixels | None, ...]]]) -> str:
    digest = hashlib.sha256()
    for name, pictures in named:
        digest.update(repr(name).encode("utf-8", "surrogatepass"))
        for pixels in pictures:
            if pixels is not None:
                digest.update(f"{pixels.shape}{pixels.dtype}".encode())
                digest.update(pixels.tobytes())
    return digest.hexdigest()


CAMERAS = ("Canon5D2", "Canon80D", "Nikon", "SonyA7II")
"""Cameras, as the names of their scenes begin."""

TRAINED = 16
"""Crops of 256² of each training scene."""

TESTED = 24
"""Crops of 256² of each test scene."""


def polyu_study(
    data: Path, say: Callable[[str], None], trained: int = TRAINED, tested: int = TESTED
) -> StudyData:
    """Reads 33 scenes: about two minutes on one core.

    Args:
        data: the data folder.
        say: takes what there is to tell.
        trained: crops a training scene.
        tested: crops a test scene.

    Raises:
        UsageError: the folder does not hold PolyU.
    """
    if not (data / "polyu" / "iso.csv").is_file():
        raise UsageError(f"--data {data}: does not hold PolyU (polyu/); name its folder")
    say("reading PolyU: about two minutes on one core")
    isos = polyu_isos(data)
    real: list[Shot] = []
    settings: list[str] = []
    sources: dict[str, Source] = {}
    few: dict[str, Source] = {}
    few_pairs: list[Shot] = []
    for case in polyu_cases(data, "train", crops=trained):
        camera = camera_of(case.name)
        setting = f"{camera}-{isos[case.name]}"
        if setting not in sources:
            sources[setting] = _source(setting, case)
        if camera not in few and (crops := _reference_crops(case, trained)):
            few[camera] = _source(f"few-{camera}", case)
            few_pairs += crops
        shots = _shots(case)
        real += shots
        settings += [setting] * len(shots)
    new, unseen = _new_camera(data, isos, tested)
    seen = [shot for case in polyu_cases(data, "seen", crops=tested) for shot in _shots(case)]
    cleans = tuple(Clean(shot.name, shot.clean) for shot in real)
    names, cameras = list(sources), list(few)
    return StudyData(
        real=tuple(real),
        references=Noises(
            tuple(sources.values()), tuple(names.index(setting) for setting in settings), cleans
        ),
        few=tuple(few_pairs),
        from_few=Noises(
            tuple(few.values()),
            tuple(cameras.index(camera_of(shot.scene)) for shot in real),
            cleans,
        ),
        extra=in_turn(new, cleans),
        new_camera=True,
        tests={"seen": tuple(seen), "unseen": tuple(unseen)},
    )


def _new_camera(data: Path, isos: dict[str, str], tested: int) -> tuple[list[Source], list[Shot]]:
    """The Sony's references, of one scene for each ISO, and test crops of its other scenes."""
    sources: dict[str, Source] = {}
    shots: list[Shot] = []
    for case in polyu_cases(data, "unseen", crops=tested):
        setting = f"{camera_of(case.name)}-{isos[case.name]}"
        if setting in sources:
            shots += _shots(case)
        else:
            sources[setting] = _source(setting, case)
    return list(sources.values()), shots


def camera_of(scene: str) -> str:
    """The camera that took a scene."""
    return next(camera for camera in CAMERAS if scene.startswith(camera))


def _shots(case: Case) -> list[Shot]:
    # Copies: a view would keep the whole picture in memory.
    return [Shot(t.name, t.scene, t.noisy.copy(), t.clean.copy()) for t in case.targets]


def _references(case: Case) -> tuple[Reference, ...]:
    """A PolyU case's references: pictures, never bursts."""
    return tuple(shot for shot in case.references if isinstance(shot, Reference))


def _source(setting: str, case: Case) -> Source:
    return Source(setting, _references(case))


def _reference_crops(case: Case, count: int) -> list[Shot]:
    """Crops of a reference that pass hygiene."""
    (reference,) = _references(case)
    noisy, clean = reference.noisy, reference.clean
    if clean is None:
        return []
    rng = np.random.default_rng([PROTOCOL_SEED, count, *case.name.encode()])
    places = registered_crops(noisy, clean, (0, noisy.shape[1]), rng)
    return [
        Shot(f"{case.name}/few/{index:02d}", case.name, noisy[place].copy(), clean[place].copy())
        for index, place in zip(range(count), places, strict=False)
    ]
