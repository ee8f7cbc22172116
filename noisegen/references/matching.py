"""Noisy files matched with their cleans: by folder, by name, by number, and else by order."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path, PurePosixPath

from noisegen.errors import UsageError, counted

_NOISY, _CLEAN = "noisy|noise|real", "clean|mean|gt|groundtruth|ref"
_MARKER = r"(?:^|[ _.-]+)(?:{})(?=$|[ _.-])"
_MARKERS = re.compile(_MARKER.format(f"{_NOISY}|{_CLEAN}"), re.IGNORECASE)
"""What tells a noisy file's name from its clean's: ``scene_noisy``/``scene_clean``, PolyU's
``_Real``/``_mean``, SIDD's ``NOISY_SRGB_010``/``GT_SRGB_010``."""

_SIDES = tuple(re.compile(_MARKER.format(side), re.IGNORECASE) for side in (_NOISY, _CLEAN))

Matches = list[tuple[Path, Path | None]]
Pairs = list[tuple[Path, Path]]
Folders = tuple[str, ...]


def match(noisies: Sequence[Path], cleans: Sequence[Path]) -> Matches:
    """Matches by folder and name, by name or number alone, or by order.

    Names are alike with and without a noisy/clean marker, and with numbers compared as numbers.
    Order counts only where as many cleans as noisies are given and no name or number matches.

    Raises:
        UsageError: names say that noisies are cleans, some match and some do not, two files share
            a name in one folder, folder and name say different things, or counts differ.
    """
    matched = by_likeness(noisies, cleans)
    _refuse_swapped(matched or ())
    if matched is None:
        _refuse_partial_match(noisies, cleans)
        if len(noisies) != len(cleans):
            raise UsageError(
                f"{counted(len(noisies), 'reference')} but {counted(len(cleans), 'clean')}, and no "
                f"names match: {noisies[0]}, {cleans[0]}; give one clean for each, named alike"
            )
        matched = list(zip(noisies, cleans, strict=True))
    return [*matched]


def _refuse_swapped(matched: Sequence[tuple[Path, Path]]) -> None:
    for noisy, clean in matched:
        said = tuple(side.search(path.stem) for side in _SIDES for path in (noisy, clean))
        if [mark is not None for mark in said] == [False, True, True, False]:
            raise UsageError(
                f"{noisy.name} is given as --ref and {clean.name} as --ref-clean, and their names "
                "say the opposite; swap the two options"
            )


def matched_by_order(matches: Matches) -> bool:
    """Whether several cleans were matched without any folder, name or number to go by."""
    pairs = [(noisy, clean) for noisy, clean in matches if clean is not None]
    if len(pairs) < 2 or len(pairs) < len(matches):
        return False
    return by_likeness([noisy for noisy, _ in pairs], [clean for _, clean in pairs]) is None


def by_likeness(noisies: Sequence[Path], cleans: Sequence[Path]) -> Pairs | None:
    """Matches one to one by folder, name and number; None where these do not decide.

    Raises:
        UsageError: folder and name say different things.
    """
    named, placed = _by_names(noisies, cleans), _by_folders(noisies, cleans)
    if named and placed and named != placed:
        both = zip(named, placed, strict=True)
        noisy, clean, other = next((n, c, o) for (n, c), (_, o) in both if c != o)
        raise UsageError(
            f"{noisy}: by its name it goes with {clean}, by its folder with {other}; rename one"
        )
    return placed or named


def most_alike(noisies: Sequence[Path], cleans: Sequence[Path]) -> tuple[Pairs, list[Path]]:
    """Matches as :func:`by_likeness` makes them, and the files that no other is like.

    Raises:
        UsageError: folder and name say different things.
    """
    whole = by_likeness(noisies, cleans) if noisies and cleans else []
    if whole is not None:
        return whole, [] if whole else [*noisies, *cleans]
    for key in (_numbered_stem, _numbers):
        keys = [
            {file: (folder, key(file)) for folder, files in side.items() for file in files}
            for side in (_in_folders(noisies), _in_folders(cleans))
        ]
        both = set(keys[0].values()) & set(keys[1].values())
        sides = [[file for file, its in side.items() if its in both] for side in keys]
        alone = [file for side in keys for file, its in side.items() if its not in both]
        pairs = by_likeness(*sides) if both else None
        if pairs is not None:
            return pairs, alone
    return [], [*noisies, *cleans]


def _by_names(noisies: Sequence[Path], cleans: Sequence[Path]) -> Pairs | None:
    if len(noisies) == len(cleans) == 1:
        return [(noisies[0], cleans[0])]
    for key in (_stem, _bare_stem, _numbered_stem, _numbers):
        pairs = _by_key(noisies, cleans, key)
        if pairs is not None:
            return pairs
    return None


def _by_key(
    noisies: Sequence[Path], cleans: Sequence[Path], key: Callable[[Path], Hashable]
) -> Pairs | None:
    by_key = {key(clean): clean for clean in cleans}
    keys = {key(noisy) for noisy in noisies}
    if not len(keys) == len(noisies) == len(cleans) or keys != set(by_key):
        return None
    return [(noisy, by_key[key(noisy)]) for noisy in noisies]


def _by_folders(noisies: Sequence[Path], cleans: Sequence[Path]) -> Pairs | None:
    """Matches within folders that are alike, below what is common to each side."""
    for name in (_bare_folders, _varying_folders, _numbers_of_folders):
        here, there = (_in_folders(side, name) for side in (noisies, cleans))
        if len(here) < 2 or set(here) != set(there):
            continue
        found: dict[Path, Path] = {}
        for folder, files in here.items():
            found.update(_by_names(files, there[folder]) or ())
        if len(found) == len(noisies):
            return [(noisy, found[noisy]) for noisy in noisies]
    return None


def _bare_folders(files: Sequence[Path]) -> list[Folders]:
    """Folders of each file below the common one, without markers, numbers as numbers."""
    parts = [below.parent.parts for below in _below_common_folder(files)]
    return [tuple(filter(None, (_numbered(_bare(part)) for part in each))) for each in parts]


def _varying_folders(files: Sequence[Path]) -> list[Folders]:
    """Those of them that differ from file to file: ``s1/input``, ``s2/input`` → ``s1``, ``s2``."""
    folders = _bare_folders(files)
    if len(set(map(len, folders))) > 1:
        return folders
    kept = [level for level in zip(*folders, strict=True) if len(set(level)) > 1]
    return list(zip(*kept, strict=True)) if kept else [()] * len(folders)


def _numbers_of_folders(files: Sequence[Path]) -> list[Folders]:
    """The numbers in them alone."""
    return [tuple(re.findall(r"\d+", "/".join(folders))) for folders in _bare_folders(files)]


def _in_folders(
    files: Sequence[Path], name: Callable[[Sequence[Path]], list[Folders]] = _bare_folders
) -> dict[Folders, list[Path]]:
    found = defaultdict(list)
    for folder, file in zip(name(files), files, strict=True):
        found[folder].append(file)
    return found


def _refuse_partial_match(noisies: Sequence[Path], cleans: Sequence[Path]) -> None:
    """Refuses names, folders and numbers that match, but not one to one: it would be a guess.

    Every pair of equal stems is a pair of equal numbered stems too, so these decide.
    """
    folders = [_in_folders(side) for side in (noisies, cleans)]
    places = [{file: f for f, files in side.items() for file in files} for side in folders]
    for key in (_numbered_stem, _numbers):
        noisy_keys, clean_keys = ([key(path) for path in side] for side in (noisies, cleans))
        if not set(noisy_keys) & set(clean_keys):
            continue
        if key is _numbers and _repeat(noisy_keys) | _repeat(clean_keys):
            # Numbers that files share do not tell them apart.
            continue
        if all(len(side) > 1 for side in folders):
            alone = [path for path in noisies if places[0][path] not in folders[1]]
            alone += [path for path in cleans if places[1][path] not in folders[0]]
            if alone:
                raise UsageError(
                    f"{_listed(alone)}: no counterpart in a folder of that name; give every --ref "
                    "one --ref-clean in a folder of the same name"
                )
        for side, where in zip((noisies, cleans), places, strict=True):
            _refuse_twins(side, where)
        alone = [path for path in noisies if key(path) not in clean_keys]
        alone += [path for path in cleans if key(path) not in noisy_keys]
        raise UsageError(
            f"{_listed(alone or [*noisies, *cleans])}: no counterpart of that name or number, "
            "though others have one; give every --ref one --ref-clean of the same name"
        )


def _refuse_twins(paths: Sequence[Path], places: dict[Path, tuple[str, ...]]) -> None:
    seen: dict[Hashable, Path] = {}
    for path in paths:
        twin = seen.setdefault((places[path], _numbered_stem(path)), path)
        if twin is not path:
            raise UsageError(
                f"{twin} and {path}: share a name, so their match is unclear; rename one"
            )


def _repeat(keys: Sequence[Hashable]) -> bool:
    return len(set(keys)) < len(keys)


def _listed(paths: Sequence[Path]) -> str:
    return ", ".join(map(str, paths[:3])) + (", …" if len(paths) > 3 else "")


def _stem(path: Path) -> str:
    return unicodedata.normalize("NFC", path.stem)


def _bare(name: str) -> str:
    return _MARKERS.sub("", unicodedata.normalize("NFC", name)).lower()


def _bare_stem(path: Path) -> str:
    return _bare(path.stem)


def _numbered(name: str) -> str:
    return re.sub(r"\d+", lambda digits: str(int(digits[0])), name)


def _numbered_stem(path: Path) -> str:
    return _numbered(_bare_stem(path))


def _numbers(path: Path) -> tuple[int, ...] | None:
    """Numbers of a name; two names without any are not alike."""
    return tuple(map(int, re.findall(r"\d+", path.stem))) or None


def sides_by_marker(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Noisy files and cleans of one folder, told by markers in names or folders'."""
    stems = [[path.stem] for path in paths]
    folders = [below.parent.parts for below in _below_common_folder(paths)] if paths else []
    for names in (stems, folders):
        noisies, cleans = (
            [path for path, its in zip(paths, names, strict=True) if any(map(side.search, its))]
            for side in _SIDES
        )
        if noisies and cleans:
            break
    return noisies, cleans


def in_order(path: Path) -> tuple[list[str], Path]:
    """A key that sorts paths by their parts, with numbers as numbers: ``2`` before ``10``."""
    return [re.sub(r"\d+", lambda digits: digits[0].zfill(30), part) for part in path.parts], path


def told_apart(paths: Sequence[Path]) -> list[str]:
    """Names that tell files apart: theirs alone, or with as many folders as that takes.

    Never more than their path below their common folder: a profile must not tell where on a
    machine its references lay.
    """
    below = _below_common_folder(paths)
    distinct = len(set(below))
    for parts in range(1, max(len(path.parts) for path in below)):
        names = [PurePosixPath(*path.parts[-parts:]).as_posix() for path in below]
        if len(set(names)) == distinct:
            return names
    return [path.as_posix() for path in below]


def _below_common_folder(paths: Sequence[Path]) -> list[PurePosixPath]:
    whole = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100 (links stay as they are)
    try:
        common = Path(os.path.commonpath([path.parent for path in whole]))
    except ValueError:  # on two drives
        return [PurePosixPath(path.name) for path in paths]
    return [PurePosixPath(path.relative_to(common).as_posix()) for path in whole]
