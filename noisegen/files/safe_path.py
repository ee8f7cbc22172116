"""Relative paths from files that somebody else may have written."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from noisegen.errors import ManifestError


def safe_relative(text: object, where: str) -> PurePosixPath:
    """A relative path that stays where it is joined to, on any system.

    Args:
        text: the path, with ``/``.
        where: the file and line that it stands in, for the error.

    Raises:
        ManifestError: not a path, absolute, with a drive, with ``..`` or NUL.
    """
    if not isinstance(text, str) or not text or "\0" in text:
        raise ManifestError(f"{where}: {text!r} is not a file's name; do not use this file")
    posix, windows = PurePosixPath(text), PureWindowsPath(text)
    leaves = posix.is_absolute() or bool(windows.anchor)
    if leaves or ".." in posix.parts or ".." in windows.parts or posix.as_posix() != text:
        raise ManifestError(f"{where}: {text!r} would leave its folder; do not use this file")
    return posix


def refuse_links(root: Path, folder: PurePosixPath) -> None:
    """Checks that no part of a folder below a root is a link.

    Raises:
        ManifestError: one is, so that files would be written or read elsewhere.
    """
    for below in (folder, *folder.parents):
        if below != PurePosixPath() and (root / below).is_symlink():
            raise ManifestError(
                f"{root / below}: a link, which may lead out of {root}; put a folder in its place"
            )
