"""Noisy shots whose camera and ISO are known: PolyU's, or a user's list."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from noisegen.errors import UsageError
from noisegen.references.check import Reference
from noisegen.references.load import read_references
from noisegen.training.realdata import polyu_isos, polyu_pair

COLUMNS = ("noisy", "clean", "camera", "iso", "scene")
"""Of a list of shots; ``noisy`` and one of ``camera`` and ``iso`` must be there."""

QUESTIONS = ("camera", "iso")
"""What a shot may be labelled with."""


@dataclass(frozen=True)
class LabelledShot:
    """A noisy shot, not read yet.

    Attributes:
        name: of its file, for messages.
        scene: what it shows; shots of one scene never vote for each other.
        labels: ``camera`` and ``iso``, those that are known.
        read: its pictures with their cleans, several of a stack.
    """

    name: str
    scene: str
    labels: dict[str, str]
    read: Callable[[], list[Reference]]


def polyu_shots(data: Path) -> list[LabelledShot]:
    """PolyU's scenes, less those beyond repair: a shot each, its drift moved into the clean.

    Args:
        data: the data folder.
    """
    return [
        LabelledShot(
            scene,
            scene,
            {"camera": _polyu_camera(scene), "iso": iso},
            partial(_polyu_reference, data, scene),
        )
        for scene, iso in polyu_isos(data).items()
    ]


def listed_shots(path: Path) -> list[LabelledShot]:
    """Shots of a CSV file with the columns of ``COLUMNS``; its paths start at its folder.

    A shot without a scene is a scene of its own, one without a clean has it estimated.

    Raises:
        UsageError: the list cannot be read, lacks a column, or names a file that is not there.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows, columns = list(reader), reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: cannot be read as CSV ({error}); name a list of shots") from None
    if "noisy" not in columns or not set(QUESTIONS) & set(columns):
        raise UsageError(
            f"{path}: its first line must name the columns noisy and camera or iso, with commas "
            f"between them (all that are known: {','.join(COLUMNS)})"
        )
    if not rows:
        raise UsageError(f"{path}: lists no shot; name one a line")
    return [_listed(path, line, row) for line, row in enumerate(rows, 2)]


def _listed(path: Path, line: int, row: dict[str, str | None]) -> LabelledShot:
    cells = {column: (row.get(column) or "").strip() for column in COLUMNS}
    if not cells["noisy"]:
        raise UsageError(f"{path}: line {line}: names no noisy file; take the line out")
    noisy = path.parent / cells["noisy"]
    clean = path.parent / cells["clean"] if cells["clean"] else None
    for file in (noisy, clean):
        if file is not None and not file.is_file():
            raise UsageError(f"{path}: line {line}: {file} is no file; paths start at the list's")
    labels = {name: cells[name] for name in QUESTIONS if cells[name]}
    scene = cells["scene"] or str(noisy)
    return LabelledShot(noisy.name, scene, labels, partial(_read_one_channel, noisy, clean))


def _read_one_channel(noisy: Path, clean: Path | None) -> list[Reference]:
    channels = read_references([(noisy, clean)])
    if len(channels) > 1:
        raise UsageError(
            f"{noisy}: has the channels {', '.join(channels)}; give files of one channel"
        )
    (references,) = channels.values()
    return references


def _polyu_reference(data: Path, scene: str) -> list[Reference]:
    pair = polyu_pair(data, scene)
    return [Reference(scene, pair.noisy, pair.clean)]


def _polyu_camera(scene: str) -> str:
    """``Nikon_800_carbi`` and ``Nikon800_bulle`` are of one camera."""
    return scene.rsplit("_", 1)[0].replace("_", "")
