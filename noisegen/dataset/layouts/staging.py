"""Folders that appear under their names whole or not at all."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from noisegen.errors import OutputError

WAY_OUT = "free some space there or choose another folder"


@contextmanager
def staged_folders(folder: Path, names: tuple[str, ...]) -> Iterator[Path]:
    """A temporary folder whose subfolders ``names`` go to ``folder`` once all are written.

    Folders of these names that are there already are replaced.

    Raises:
        OutputError: they cannot be written.
    """
    temporary = folder / f".{secrets.token_hex(8)}.part"
    try:
        temporary.mkdir()
        yield temporary
        for name in names:
            if (folder / name).exists():
                shutil.rmtree(folder / name)
            (temporary / name).replace(folder / name)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{folder}: cannot be written ({reason}): {WAY_OUT}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
