"""Files that appear whole or not at all: written under another name, flushed, then renamed."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeAlias

from noisegen.errors import OutputError

FileContent: TypeAlias = bytes | Callable[[BinaryIO], None]
"""Of a file that is written: its bytes, or what writes them into an empty file."""

_WAYS_OUT = {
    errno.ENOSPC: "free some space there or choose another folder",
    errno.EDQUOT: "free some space there or choose another folder",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "choose a folder that you may write to",
    errno.ENOENT: "make the folder first",
    errno.ENAMETOOLONG: "choose a shorter name",
}


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write a file that appears whole or not at all; one that is there is replaced.

    Args:
        path: the file; its folder must exist.
        data: the whole content.

    Raises:
        OutputError: the disk is full, the folder is missing or may not be written.
    """
    write_together([(Path(path), data)])


def write_together(files: Sequence[tuple[Path, FileContent]], within: Path | None = None) -> None:
    """Write several files that belong together: none appears before all are safely on the disk.

    Args:
        files: each file with its content, or what writes it, which may raise errors of its own;
            these go through once nothing is left behind.
        within: folder for the temporary names, on the same volume; each file's own where not given.

    Raises:
        OutputError: the disk is full, a folder is missing or may not be written.
    """
    staged: list[tuple[Path, Path]] = []
    try:
        for path, content in files:
            # A random name of its own, not one made from the target's, which may already be as
            # long as the file system allows.
            temporary = (within or path.parent) / f".{secrets.token_hex(8)}.part"
            staged.append((temporary, path))
            _stage(temporary, path, content)
        for temporary, path in staged:
            with _output_error(path):
                temporary.replace(path)
    finally:
        for temporary, _ in staged:
            _remove(temporary)


def _stage(temporary: Path, path: Path, content: FileContent) -> None:
    with _output_error(path), temporary.open("xb") as file:
        if isinstance(content, bytes):
            file.write(content)
        else:
            content(file)
        file.flush()
        os.fsync(file.fileno())


def _remove(temporary: Path) -> None:
    """Delete a file that was not renamed away; the error that stopped it is the one to report."""
    with suppress(OSError):
        temporary.unlink(missing_ok=True)


@contextmanager
def _output_error(path: Path) -> Iterator[None]:
    """What the system refuses becomes an ``OutputError`` that names the file and a way out."""
    try:
        yield
    except OSError as error:
        way_out = _WAYS_OUT.get(error.errno or 0, "choose another folder")
        reason = f"cannot be written ({error.strerror or error}): {way_out}"
        raise OutputError(f"{path}: {reason}") from error
