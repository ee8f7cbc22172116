"""The output folder: what may be written into it, and what an overwrite takes away."""

from __future__ import annotations

import shutil
from pathlib import Path

from noisegen.errors import OutputError
from noisegen.synthesis import recipe

METADATA = "metadata.jsonl"
OURS = ("noisy", "clean", "profiles", METADATA, recipe.FILE_NAME)
"""Everything that a dataset's folder holds of ours."""


def check_output(out: Path, overwrite: bool) -> None:
    """Refuses a folder that holds anything, unless it is a dataset of ours to be overwritten.

    Raises:
        OutputError: not empty, or not a folder.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is a file; name a folder for --out")
    if not out.exists() or not any(out.iterdir()):
        return
    if not (out / recipe.FILE_NAME).is_file():
        raise OutputError(f"{out}: is not empty and not a noisegen dataset; name another folder")
    if not overwrite:
        raise OutputError(
            f"{out}: holds a dataset already; name another folder, or replace it with --overwrite"
        )


def prepare_output(out: Path) -> None:
    """Makes the folder, empty of ours; other files in it stay.

    Raises:
        OutputError: it cannot be made or emptied.
    """
    try:
        # The recipe goes last: as long as it is there, the folder is known to be ours.
        for name in OURS:
            path = out / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out}: {error.strerror}; choose a folder you may write to") from error


def make_folder(path: Path) -> None:
    """Makes a folder and its parents.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}; choose a folder you may write to") from error
