"""What a study trains and tests on, and PolyU's pictures for one.

PolyU: training pairs are crops of the right halves of the training scenes (Canon, Nikon), test
pairs those of the validation scenes: of the same cameras (``seen``), and of the Sony (``unseen``).
Further tests, where the data folder holds them, are of instruments that no arm knows: ``nam25``,
``s95`` (each shot against the mean of its burst's others) and ``micro`` (its gray as three equal
channels).
All of them pass the validation protocol's hygiene (:func:`.polyu_cases`): drift taken out, nothing
whose residual follows the clean's edges.

References are left halves: of one training scene for each camera and ISO, the first by name. The
Sony's are of one scene for each ISO, and only its other scenes are tested on. The few real pairs
are three such halves, of the first scene of each camera that was seen: whole as references, and as
many crops of each as of other scenes as training pairs. Four crops each were tried as references
too: those that pass hygiene are flat, and a profile of one brightness says little of others.

The generator's own weights have seen the training scenes, but no validation scene and no Sony.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from noisegen.errors import UsageError
from noisegen.evaluation.held_out import micro_cases, nam25_cases, s95_shots
from noisegen.evaluation.protocol import (
    PROTOCOL_SEED,
    Case,
    Target,
    polyu_cases,
    registered_crops,
)
from noisegen.files import Pixels
from noisegen.noise.record import as_stored
from noisegen.references.check import Reference
from noisegen.training.realdata import polyu_isos


@dataclass(frozen=True, eq=False)
class Source:
    """The references of one camera setting."""

    name: str
    references: tuple[Reference, ...]


@dataclass(frozen=True, eq=False)
class Order:
    """A noisy picture to be made.

    Attributes:
        source: whose noise it has.
        name: of the clean; also the key of the noise.
        clean: that the noise goes on, H×W×C.
    """

    source: Source
    name: str
    clean: Pixels


Orders = tuple[Order, ...]

NO_SOURCE = Source("no reference", ())


@dataclass(frozen=True, eq=False)
class StudyData:
    """All pictures of a study; no picture of ``tests`` is in the rest.

    Attributes:
        real: training pairs, crops that passed hygiene; empty where there are only a few, which are
            references too.
        references: noise of a few shots, on the cleans of ``real`` (other cleans where there are
            none).
        few: the references that come with their clean, as training pairs; may be empty.
        from_few: their noise on other cleans; empty where there are none.
        extra: what is mixed with real pairs: the noise of a camera that ``real`` does not hold,
            or of the references on other cleans.
        new_camera: whether it is a camera that ``real`` does not hold.
        blind: orders for noise of no camera in particular, on the same cleans as ``references``.
        tests: what is tested on, by name.
        white_level: of all of them.
        left_out: what could not be used, each with its reason.
    """

    real: tuple[Target, ...]
    references: Orders
    few: tuple[Target, ...]
    from_few: Orders
    extra: Orders
    new_camera: bool
    blind: Orders
    tests: dict[str, tuple[Target, ...]]
    white_level: float = 255
    left_out: tuple[str, ...] = ()


def in_turn(sources: Sequence[Source], cleans: Iterable[tuple[str, Pixels]]) -> Orders:
    """Orders for named cleans, assigned to the sources round-robin."""
    return tuple(Order(sources[index % len(sources)], *clean) for index, clean in enumerate(cleans))


def named_cleans(shots: Iterable[Target]) -> list[tuple[str, Pixels]]:
    """The shots' cleans."""
    return [(shot.name, shot.clean) for shot in shots]


def blind_orders(orders: Orders) -> Orders:
    """Orders on the same cleans for noise that no reference shows; every third picture is gray.

    So one denoiser learns colour cameras and microscopes.
    """
    return tuple(
        Order(NO_SOURCE, order.name, _grayed(order.clean) if index % 3 == 2 else order.clean)
        for index, order in enumerate(orders)
    )


def _grayed(clean: Pixels) -> Pixels:
    """A picture without colour, of as many channels."""
    return np.broadcast_to(as_stored(clean.mean(2, keepdims=True), clean.dtype), clean.shape).copy()


def shots_digest(shots: Iterable[Target]) -> str:
    """SHA-256 of real pairs' names and pixels."""
    return _digest((shot.name, (shot.noisy, shot.clean)) for shot in shots)


def orders_digest(orders: Orders) -> str:
    """SHA-256 of all that decides what is generated, but for the weights."""
    shown = [
        (source.name, (reference.noisy, reference.clean))
        for source in dict.fromkeys(order.source for order in orders)
        for reference in source.references
    ]
    cleans = [(f"{order.source.name} {order.name}", (order.clean,)) for order in orders]
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
    """Reads PolyU's 33 scenes for a study: about two minutes on one core.

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
    real: list[Target] = []
    references: list[Order] = []
    few: dict[str, Source] = {}
    few_pairs: list[Target] = []
    for case, source in _by_setting(data, "train", trained):
        camera = camera_of(case.name)
        if camera not in few and (crops := _reference_crops(case, trained)):
            few[camera] = _source(f"few-{camera}", case)
            few_pairs += crops
        real += case.targets
        references += in_turn([source], named_cleans(case.targets))
    new, unseen = _new_camera(data, tested)
    seen = [shot for case in polyu_cases(data, "seen", crops=tested) for shot in case.targets]
    return StudyData(
        real=tuple(real),
        references=tuple(references),
        blind=blind_orders(tuple(references)),
        few=tuple(few_pairs),
        from_few=tuple(Order(few[camera_of(s.scene)], s.name, s.clean) for s in real),
        extra=in_turn(new, named_cleans(real)),
        new_camera=True,
        tests={"seen": tuple(seen), "unseen": tuple(unseen), **_unknown(data)},
    )


def _unknown(data: Path) -> dict[str, tuple[Target, ...]]:
    """Tests of instruments that no arm knows, of those that the data folder holds."""
    shots: dict[str, Callable[[Path], Iterable[Target]]] = {
        "nam25": lambda data: (shot for case in nam25_cases(data) for shot in case.targets),
        "s95": s95_shots,
        "micro": lambda data: (shot for case in micro_cases(data) for shot in case.targets),
    }
    return {
        name: tuple(_in_colour(shot) for shot in of(data))
        for name, of in shots.items()
        if (data / name).is_dir()
    }


def _in_colour(shot: Target) -> Target:
    """A shot with three channels, which are equal where it has none."""
    noisy, clean = (np.broadcast_to(p, (*p.shape[:2], 3)) for p in (shot.noisy, shot.clean))
    return replace(shot, noisy=noisy, clean=clean)


def _new_camera(data: Path, tested: int) -> tuple[list[Source], list[Target]]:
    """The Sony's references, of one scene for each ISO, and test crops of its other scenes."""
    sources: list[Source] = []
    shots: list[Target] = []
    for case, source in _by_setting(data, "unseen", tested):
        if source.references[0].name == case.name:
            sources.append(source)
        else:
            shots += case.targets
    return sources, shots


def _by_setting(data: Path, split: str, crops: int) -> Iterator[tuple[Case, Source]]:
    """Cases, each with the references of the first one of its camera and ISO."""
    isos = polyu_isos(data)
    sources: dict[str, Source] = {}
    for case in polyu_cases(data, split, crops=crops):
        setting = f"{camera_of(case.name)}-{isos[case.name]}"
        yield case, sources.setdefault(setting, _source(setting, case))


def camera_of(scene: str) -> str:
    """The camera that took a scene."""
    return next(camera for camera in CAMERAS if scene.startswith(camera))


def _source(name: str, case: Case) -> Source:
    """A PolyU case's references: pictures, never bursts."""
    return Source(name, tuple(shot for shot in case.references if isinstance(shot, Reference)))


def _reference_crops(case: Case, count: int) -> list[Target]:
    """Crops of a reference that pass hygiene."""
    (reference,) = _source("", case).references
    noisy, clean = reference.noisy, reference.clean
    if clean is None:
        return []
    rng = np.random.default_rng([PROTOCOL_SEED, count, *case.name.encode()])
    places = registered_crops(noisy, clean, (0, noisy.shape[1]), rng)
    return [
        Target(f"{case.name}/few/{index:02d}", case.name, noisy[place].copy(), clean[place].copy())
        for index, place in zip(range(count), places, strict=False)
    ]
