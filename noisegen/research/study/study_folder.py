"""A study's folder: what lies where, and that it is gone on with as it was begun.

::

    OUT/study.json     what was asked for, and so the mark of a study
    OUT/pairs/         noisy pictures that were made, as safetensors
    OUT/runs/          each arm from each seed: checkpoint, denoiser, scores
    OUT/results.json   everything the tables show, when it is finished
    OUT/table.md       the table
    OUT/scores.csv     every test picture's scores
    OUT/curves.csv     the learning curves
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import noisegen
from noisegen.dataset.folder import WORK, make_folder
from noisegen.errors import OutputError
from noisegen.files import write_atomically
from noisegen.model.weights import Weights
from noisegen.research.study.pictures import StudyData, noises_digest, shots_digest
from noisegen.research.study.runs import StudyConfig

MARK = "study.json"
PAIRS, RUNS = "pairs", "runs"
RESULTS, TABLE, SCORES, CURVES = "results.json", "table.md", "scores.csv", "curves.csv"


def check_study_folder(out: Path) -> None:
    """Refuses a folder that holds anything but a study.

    Raises:
        OutputError: it does, or it is a file.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is a file; name a folder for --out")
    strange = out.is_dir() and any(entry.name != WORK for entry in out.iterdir())
    if strange and not (out / MARK).is_file():
        raise OutputError(f"{out}: is not empty and not a study; name another folder")


def begin(out: Path, identity: Mapping[str, Any]) -> None:
    """Makes the folder, or checks that it was begun with the same.

    Raises:
        OutputError: it was begun with something else, is damaged or cannot be written.
    """
    for name in (PAIRS, RUNS):
        make_folder(out / name)
        # What a killed run was writing.
        for part in (out / name).glob(".*.part"):
            part.unlink()
    mark = out / MARK
    if not mark.exists():
        write_atomically(mark, json.dumps(identity, indent=1).encode())
        return
    try:
        before = dict(json.loads(mark.read_bytes()))
    except (ValueError, TypeError) as error:
        raise OutputError(f"{mark}: is damaged; name another folder") from error
    names = [name for name in {**before, **identity} if before.get(name) != identity.get(name)]
    if names:
        shown = "; ".join(
            f"{name} {_short(before.get(name))}, now {_short(identity.get(name))}" for name in names
        )
        raise OutputError(
            f"{out}: was begun with other settings ({shown}); give the same, or another --out"
        )


def identity_of(data: StudyData, weights: Weights, config: StudyConfig) -> dict[str, Any]:
    """All that decides a run's numbers, but for its arm and seed."""
    denoiser = {name: value for name, value in asdict(config.denoiser).items() if name != "seed"}
    return {
        "noisegen": noisegen.__version__,
        "weights": weights.sha256,
        **denoiser,
        "looks": config.looks,
        "watched": config.watched,
        "white level": data.white_level,
        "real pairs": shots_digest(data.real),
        "references": noises_digest(data.references),
        "few": shots_digest(data.few),
        "generated from the few": None if data.from_few is None else noises_digest(data.from_few),
        "generated beside real pairs": noises_digest(data.extra),
        "new camera": data.new_camera,
        **{f"test {name}": shots_digest(shots) for name, shots in data.tests.items()},
    }


def _short(value: object) -> str:
    """A hash by its first digits."""
    return "none" if value is None else str(value)[:12]
