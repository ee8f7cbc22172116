"""Finding reference files: pictures of files, folders and patterns; bursts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from noisegen.errors import ImageError, UsageError
from noisegen.files import raw
from noisegen.files.search import matching, search, unreadable
from noisegen.references.matching import Matches, in_order, match, told_apart

_PHOTOGRAPHS = "png jpg jpeg jpe jfif mpo tif tiff webp bmp gif"
_PLAIN = "pbm pgm ppm pnm"
_LATER = "avif heic heif hif jxl jp2 j2k jpx"
SUFFIXES = frozenset(
    (*(f".{ending}" for ending in f"{_PHOTOGRAPHS} {_PLAIN} {_LATER}".split()), *raw.SUFFIXES)
)
"""Endings, in lower case, of the files that a folder is searched for."""


def find_references(noisy: Sequence[str], clean: Sequence[str]) -> Matches:
    """Files of ``--ref`` and ``--ref-clean``, matched.

    Args:
        noisy: files, folders (searched with their subfolders) or glob patterns.
        clean: the same; empty if there are no cleans.

    Raises:
        UsageError: nothing there, or cleans that cannot be matched without guessing.
    """
    noisies = find_pictures(noisy, "--ref")
    if not clean:
        return [(path, None) for path in noisies]
    cleans = find_pictures(clean, "--ref-clean")
    both = {path.resolve() for path in cleans}
    for path in noisies:
        if path.resolve() in both:
            raise UsageError(
                f"{path}: given as --ref and as --ref-clean; tell them apart, as with "
                "--ref 'DIR/*_noisy.*' --ref-clean 'DIR/*_clean.*'"
            )
    return match(noisies, cleans)


@dataclass(frozen=True)
class BurstFiles:
    """Files of one burst: its shots, or stacks of them.

    Attributes:
        name: of their folder, or of the one stack; with folders above where others share it.
        files: one or more.
    """

    name: str
    files: tuple[Path, ...]


def find_bursts(places: Sequence[Path]) -> list[BurstFiles]:
    """Shots of each folder of ``--ref-burst``, subfolders left aside, or the stack that it names.

    Raises:
        UsageError: neither folder nor file, or a folder without pictures.
        ImageError: a link leads nowhere, or what has a picture's name is no file.
    """
    bursts = []
    # The name of a link is meant, not that of what it leads to.
    names = told_apart([Path(os.path.abspath(place)) for place in places])  # noqa: PTH100
    for folder, name in zip(places, names, strict=True):
        if folder.is_file():
            bursts.append(BurstFiles(name.removesuffix(folder.suffix), (folder,)))
            continue
        if not folder.is_dir():
            raise UsageError(
                f"--ref-burst {folder}: is no folder and no file; name the folder of the shots, or "
                "a stack of them"
            )
        shots = sorted(
            _readable(path)
            for path in folder.iterdir()
            if path.suffix.lower() in SUFFIXES and path.name[0] != "." and not path.is_dir()
        )
        if not shots:
            raise UsageError(f"--ref-burst {folder}: holds no picture; put the shots right in it")
        bursts.append(BurstFiles(name, tuple(shots)))
    return bursts


def find_pictures(specs: Sequence[str], option: str) -> list[Path]:
    """Picture files of files, folders and glob patterns, each once, sorted within each.

    Links are followed.

    Args:
        specs: what the user gave.
        option: that it was given to, for the message.

    Raises:
        UsageError: one of them names nothing.
        ImageError: a link leads nowhere or in a circle, or what has a picture's name is no file.
    """
    found: dict[Path, None] = {}
    for spec in specs:
        paths = _expand(spec)
        if not paths:
            raise UsageError(f"{option} {spec}: {_nothing_at(Path(spec))}; check the path")
        found.update(dict.fromkeys(paths))
    return list(found)


def _nothing_at(path: Path) -> str:
    return "holds no picture" if path.is_dir() else "no such picture, folder or match"


def _expand(spec: str) -> list[Path]:
    path = Path(spec)
    if path.is_dir():
        return _pictures_in(path)
    if path.exists() or path.is_symlink():
        return [_readable(path)] if path.is_symlink() else [path]
    found = matching(spec)
    files = [_readable(path) for path in found if not path.is_dir()]
    # A pattern of folders alone means what they hold.
    files = files or [picture for folder in found for picture in _pictures_in(folder)]
    return sorted(files, key=in_order)


def _pictures_in(folder: Path) -> list[Path]:
    found = search(folder)
    for circle in found.unreadable:
        raise ImageError(circle.path, circle.reason)
    pictures = (_readable(path) for path in found.files if path.suffix.lower() in SUFFIXES)
    return sorted(pictures, key=in_order)


def _readable(path: Path) -> Path:
    """The path, once it is known to lead to a file: a picture must not go missing in silence."""
    reason = unreadable(path)
    if reason is not None:
        raise ImageError(path, reason)
    return path
