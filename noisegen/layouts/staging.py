"""A file or folder that appears under its name whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from noisegen.errors import OutputError

WAY_OUT = "free some space there or choose another folder"


@contextmanager
def staged_file(path: Path) -> Iterator[BinaryIO]:
    """A file to be written in pieces, renamed to ``path`` once it is safely on the disk.

    Raises:
        OutputError: it cannot be written.
    """
    temporary = _temporary(path.parent)
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise _refusal(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def staged_folders(folder: Path, names: tuple[str, ...]) -> Iterator[Path]:
    """A temporary folder whose subfolders ``names`` go to ``folder`` once all are written.

    Folders of these names that are there already are replaced.

    Raises:
        OutputError: they cannot be written.
    """
    temporary = _temporary(folder)
    try:
        temporary.mkdir()
        yield temporary
        for name in names:
            if (folder / name).exists():
                shutil.rmtree(folder / name)
            (temporary / name).replace(folder / name)
    except OSError as error:
        raise _refusal(folder, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _temporary(folder: Path) -> Path:
    # A name of its own: the target's may already be as long as the file system allows.
    return folder / f".{secrets.token_hex(8)}.part"


def _refusal(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{path}: cannot be written ({error.strerror or error}): {WAY_OUT}")
