"""A study's pictures from PolyU.

Training pairs are crops of the right halves of the training scenes (Canon, Nikon), test pairs those
of the validation scenes: of the same cameras (``seen``), and of the Sony (``unseen``). All of them
pass the validation protocol's hygiene (:func:`.polyu_cases`): drift taken out, nothing whose
residual follows the clean's edges.

References are left halves: of one training scene for each camera and ISO, the first by name. The
Sony's are of one scene for each ISO, and only its other scenes are tested on. The few real pairs
are three such halves, of the first scene of each camera that was seen: whole as references, and as
many crops of each as of other scenes as training pairs. Four crops each were tried as references
too: those that pass hygiene are flat, and a profile of one brightness says little of others.

The generator's own weights have seen the training scenes, but no validation scene and no Sony.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from noisegen.errors import UsageError
from noisegen.evaluation.protocol import PROTOCOL_SEED, Case, polyu_cases, registered_crops
from noisegen.references.check import Reference
from noisegen.research.study.pictures import Clean, Noises, Shot, Source, StudyData, in_turn
from noisegen.training.realdata import polyu_isos

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
