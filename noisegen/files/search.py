"""Searching folders: links are followed, circles and what is no file are told by name."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from noisegen.errors import ImageError


@dataclass(frozen=True)
class Unreadable:
    """What stands in a folder as a picture or folder and cannot be read.

    Attributes:
        path: where it is.
        reason: what is wrong with it, and the way out.
    """

    path: Path
    reason: str


@dataclass(frozen=True)
class Found:
    """What a folder holds, by the order of its folders.

    Attributes:
        files: every file and whatever else is no folder.
        unreadable: links to folders that lead in circles.
    """

    files: tuple[Path, ...]
    unreadable: tuple[Unreadable, ...]


def search(folder: Path, passed_over: Callable[[Path], bool] = lambda _: False) -> Found:
    """What a folder and its subfolders hold, those behind links too.

    What a dot hides is passed over: macOS writes ``._name`` beside pictures. A link to a folder
    that it lies in is not followed. Where folders lead in circles, each file is taken once, by its
    shortest way; else two links to one folder are two folders.

    Args:
        folder: to be searched.
        passed_over: says which folders below it are left out.

    Raises:
        ImageError: a folder cannot be searched: its pictures would be lost without a word.
    """
    files: list[Path] = []
    circles: list[Unreadable] = []
    for parent, folders, names in os.walk(folder, onerror=_refuse_folder, followlinks=True):
        here = Path(parent)
        kept = []
        for name in sorted(folders):
            below = here / name
            if name.startswith(".") or passed_over(below):
                continue
            if below.is_symlink() and _leads_round(below, folder):
                circles.append(Unreadable(below, "a link to a folder that it lies in; remove it"))
            else:
                kept.append(name)
        folders[:] = kept
        files += (here / name for name in sorted(names) if not name.startswith("."))
    return Found(tuple(_once(files, circles) if circles else files), tuple(circles))


def _leads_round(link: Path, root: Path) -> bool:
    """Whether a link's folder holds, by whatever links, one that the search is in already."""
    real = link.resolve()
    way = (root / parent for parent in link.relative_to(root).parents)
    return any(folder.resolve().is_relative_to(real) for folder in way)


def _once(files: Sequence[Path], circles: Sequence[Unreadable]) -> list[Path]:
    """Each entry of the folders of circles once, by the shortest of its paths."""
    round_about = {circle.path.resolve() for circle in circles}
    shortest: dict[Path, Path] = {}
    for path in sorted(files, key=lambda path: len(path.parts)):
        real = path.parent.resolve() / path.name
        shortest.setdefault(real if round_about & {*real.parents} else path, path)
    kept = set(shortest.values())
    return [path for path in files if path in kept]


def _refuse_folder(error: OSError) -> None:
    raise ImageError(
        error.filename, f"cannot be searched ({error.strerror}): let it be read, or move it away"
    )


def unreadable(path: Path) -> str | None:
    """Why a path holds no file to read: a link to nowhere, a pipe or device; None if it does."""
    try:
        path.resolve(strict=True)
    except (OSError, RuntimeError):
        return "a link that leads nowhere or round in a circle; remove it"
    if path.is_file():
        return None
    return "a folder, pipe or device with a picture's name; move it away"


def matching(pattern: str) -> list[Path]:
    """Files that a glob pattern names, sorted; ``**`` follows links too and goes in no circle."""
    root, below = fixed_part(Path(pattern))
    if "**" not in below:
        return sorted(Path(p) for p in glob.glob(pattern))  # noqa: PTH207 (absolute patterns too)
    found = search(root).files if root.is_dir() else ()
    return sorted(p for p in found if matches(p.relative_to(root).parts, below))


def fixed_part(pattern: Path) -> tuple[Path, tuple[str, ...]]:
    """The folder that a glob pattern begins with, and the parts below it; none of a plain path."""
    parts = pattern.parts
    fixed = next((n for n, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return Path(*parts[:fixed]), parts[fixed:]


def matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether a path's parts are what the parts of a glob pattern name."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return matches(parts, pattern[1:]) or (bool(parts) and matches(parts[1:], pattern))
    return bool(parts) and fnmatch(parts[0], pattern[0]) and matches(parts[1:], pattern[1:])
