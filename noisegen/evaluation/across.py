"""PolyU's cameras across scenes: the reference shows another scene of the same camera and ISO.

So is the tool used: the shots are of one scene, the clean pictures of others. A reference's own
scene as the target, as in :func:`polyu_cases`, forgives what is the pair's and not the camera's:
how bright the clean is beside the shot, and how far it is shifted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from noisegen.evaluation.protocol import Case, middle_crop, polyu_cases
from noisegen.references.check import Reference
from noisegen.training.realdata import polyu_camera, polyu_isos, polyu_pair

SIDE = 1024
"""Pixels a side, of the middle of a scene, that are the reference."""


def across_cases(data: Path, split: str, crops: int) -> Iterator[Case]:
    """The middle of another scene of the camera and ISO as reference; targets as ever.

    Args:
        data: the data folder.
        split: of the targets' scenes, ``seen`` or ``unseen`` (cameras).
        crops: at most so many targets a scene.
    """
    isos = polyu_isos(data)

    @cache
    def reference(scene: str) -> Reference:
        pair = polyu_pair(data, scene)
        noisy, clean = (middle_crop(picture, (SIDE, SIDE)) for picture in (pair.noisy, pair.clean))
        return Reference(scene, noisy, clean)

    for case in polyu_cases(data, split, crops=crops):
        for scene, iso in isos.items():
            alike = iso == isos[case.name] and polyu_camera(scene) == polyu_camera(case.name)
            if alike and scene != case.name:
                name = f"{case.name} by {scene}"
                yield replace(case, name=name, references=(reference(scene),))
