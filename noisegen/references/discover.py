"""Finding reference files and matching noisy ones with their cleans."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from noisegen.errors import ImageError, UsageError
from noisegen.files.search import matching, search, unreadable

_PHOTOGRAPHS, _PLAIN = "png jpg jpeg tif tiff webp bmp gif", "pbm pgm ppm pnm"
SUFFIXES = frozenset(f".{ending}" for ending in f"{_PHOTOGRAPHS} {_PLAIN}".split())
"""Endings, in lower case, of the files that a folder is searched for."""

_MARKERS = re.compile(
    r"(?:^|[ _.-]+)(?:noisy|noise|real|clean|mean|gt|groundtruth|ref)(?=$|[ _.-])", re.IGNORECASE
)
"""What tells a noisy file's name from its clean's: ``scene_noisy``/``scene_clean``, PolyU's
``_Real``/``_mean``."""

Matches = list[tuple[Path, Path | None]]


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
        name: of their folder, or of the one stack.
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
    for folder in places:
        if folder.is_file():
            bursts.append(BurstFiles(folder.stem, (folder,)))
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
        bursts.append(BurstFiles(folder.resolve().name, tuple(shots)))
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
            raise UsageError(f"{option} {spec}: no such picture, folder or match; check the path")
        found.update(dict.fromkeys(paths))
    return list(found)


def _expand(spec: str) -> list[Path]:
    path = Path(spec)
    if not path.is_dir():
        if path.exists():
            return [path]
        paths = [path] if path.is_symlink() else matching(spec)
        return [_readable(path) for path in paths if not path.is_dir()]
    found = search(path)
    for circle in found.unreadable:
        raise ImageError(circle.path, circle.reason)
    return sorted(_readable(path) for path in found.files if path.suffix.lower() in SUFFIXES)


def _readable(path: Path) -> Path:
    """The path, once it is known to lead to a file: a picture must not go missing in silence."""
    reason = unreadable(path)
    if reason is not None:
        raise ImageError(path, reason)
    return path


def match(noisies: Sequence[Path], cleans: Sequence[Path]) -> Matches:
    """Matches by equal stems, by stems less their noisy/clean marker, or by order.

    Order counts only where as many cleans as noisies are given and no name matches.

    Raises:
        UsageError: some names match and some do not, two files share a name, or counts differ.
    """
    if len(noisies) == len(cleans) == 1:
        return [(noisies[0], cleans[0])]
    for key in (_stem, _bare_stem):
        by_name = {key(clean): clean for clean in cleans}
        names = {key(noisy) for noisy in noisies}
        if len(names) == len(noisies) == len(cleans) and names == set(by_name):
            return [(noisy, by_name[key(noisy)]) for noisy in noisies]
    _refuse_partial_match(noisies, cleans)
    if len(noisies) != len(cleans):
        raise UsageError(
            f"{len(noisies)} references but {len(cleans)} cleans, and no names match: "
            f"{noisies[0]}, {cleans[0]}; give one clean for each, named alike"
        )
    return list(zip(noisies, cleans, strict=True))


def matched_by_order(matches: Matches) -> bool:
    """Whether several cleans were matched without any name to go by."""
    return len(matches) > 1 and all(
        clean is not None and _bare_stem(noisy) != _bare_stem(clean) for noisy, clean in matches
    )


def _refuse_partial_match(noisies: Sequence[Path], cleans: Sequence[Path]) -> None:
    """Some names match, but not one to one: which is meant would be a guess.

    Every pair of equal stems is a pair of equal bare stems too, so these decide.
    """
    noisy_names = {_bare_stem(path) for path in noisies}
    clean_names = {_bare_stem(path) for path in cleans}
    if not noisy_names & clean_names:
        return
    _refuse_twins(noisies)
    _refuse_twins(cleans)
    alone = [path for path in noisies if _bare_stem(path) not in clean_names]
    alone += [path for path in cleans if _bare_stem(path) not in noisy_names]
    shown = ", ".join(map(str, alone[:3])) + (", …" if len(alone) > 3 else "")
    raise UsageError(
        f"{shown}: no counterpart of that name, though others have one; give every --ref one "
        "--ref-clean of the same name"
    )


def _stem(path: Path) -> str:
    return unicodedata.normalize("NFC", path.stem)


def _bare_stem(path: Path) -> str:
    return _MARKERS.sub("", _stem(path)).lower()


def _refuse_twins(paths: Sequence[Path]) -> None:
    seen: dict[str, Path] = {}
    for path in paths:
        twin = seen.setdefault(_bare_stem(path), path)
        if twin is not path:
            raise UsageError(
                f"{twin} and {path}: share a name, so their match is unclear; rename one"
            )
