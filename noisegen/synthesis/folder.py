"""The output folder: what may be written into it, and what an overwrite takes away."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from noisegen.errors import OutputError, UsageError
from noisegen.synthesis.plan import RECIPE

METADATA = "metadata.jsonl"
OURS = ("noisy", "clean", "profiles", METADATA, RECIPE)
"""Everything that a dataset's folder holds of ours."""


def check_output(out: Path, overwrite: bool) -> None:
    """Refuses a folder that holds anything, unless it is a dataset of ours to be overwritten.

    Raises:
        OutputError: not empty, or not a folder.
    """
    try:
        if out.exists() and not out.is_dir():
            raise OutputError(f"{out}: is a file; name a folder for --out")
        if not out.exists() or not any(out.iterdir()):
            return
    except OSError as error:
        raise OutputError(f"{out}: {error.strerror}; name another folder for --out") from error
    if not (out / RECIPE).is_file():
        raise OutputError(f"{out}: is not empty and not a noisegen dataset; name another folder")
    if not overwrite:
        raise OutputError(
            f"{out}: holds a dataset already; name another folder, or replace it with --overwrite"
        )


def check_inputs(out: Path, inputs: Iterable[Path]) -> None:
    """Refuses inputs that overwriting the folder would delete.

    Raises:
        UsageError: one lies in what :func:`prepare_output` empties.
    """
    ours = [(out / name).resolve() for name in OURS if (out / name).exists()]
    if not ours:
        return
    for path in inputs:
        real = path.resolve()
        if any(real.is_relative_to(folder) for folder in ours):
            raise UsageError(
                f"{path}: lies in --out {out}, which --overwrite empties first; name another folder"
            )


def prepare_output(out: Path) -> None:
    """Makes the folder, empty of ours; other files in it stay.

    Raises:
        OutputError: it cannot be made or emptied.
    """
    try:
        _remove_ours(out)
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out}: {error.strerror}; choose a folder you may write to") from error


def abandon_output(out: Path) -> None:
    """Takes ours away again, and the folder if that leaves it empty.

    Raises:
        OutputError: it cannot be emptied.
    """
    try:
        _remove_ours(out)
        if not any(out.iterdir()):
            out.rmdir()
    except OSError as error:
        raise OutputError(f"{out}: cannot be removed ({error.strerror}); remove it") from error


def _remove_ours(out: Path) -> None:
    # The recipe goes last: as long as it is there, the folder is known to be ours.
    for name in OURS:
        path = out / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Makes a folder and its parents.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}; choose a folder you may write to") from error
