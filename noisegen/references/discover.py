"""Finding reference files and matching noisy ones with their cleans."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from noisegen.errors import UsageError
from noisegen.images import read_picture
from noisegen.references.create import Reference

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp"})
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
    return match(noisies, find_pictures(clean, "--ref-clean"))


def read_references(matches: Matches) -> list[Reference]:
    """Reads matched files.

    Raises:
        ImageError: one of them cannot be read.
    """
    return [
        Reference(
            str(noisy),
            read_picture(noisy).pixels,
            None if clean is None else read_picture(clean).pixels,
        )
        for noisy, clean in matches
    ]


def find_pictures(specs: Sequence[str], option: str) -> list[Path]:
    """Picture files of files, folders and glob patterns, each once, sorted within each.

    Args:
        specs: what the user gave.
        option: that it was given to, for the message.

    Raises:
        UsageError: one of them names nothing.
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
    if path.is_dir():
        return sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if path.exists():
        return [path]
    return sorted(Path(p) for p in glob.glob(spec, recursive=True) if Path(p).is_file())  # noqa: PTH207 (absolute patterns too)


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
        matched = [noisy for noisy in noisies if key(noisy) in by_name]
        if not matched:
            continue
        _refuse_twins(noisies, key)
        _refuse_twins(cleans, key)
        if len(matched) == len(noisies) == len(cleans):
            return [(noisy, by_name[key(noisy)]) for noisy in noisies]
        names = {key(noisy) for noisy in noisies}
        alone = [p for p in noisies if key(p) not in by_name]
        alone += [p for p in cleans if key(p) not in names]
        raise UsageError(
            f"{alone[0]}: has no counterpart of its name, but others have; give every --ref one "
            "--ref-clean of the same name"
        )
    if len(noisies) != len(cleans):
        raise UsageError(
            f"{len(noisies)} references but {len(cleans)} cleans, and no names match: "
            f"{noisies[0]}, {cleans[0]}; give one clean for each, named alike"
        )
    return list(zip(noisies, cleans, strict=True))


def _stem(path: Path) -> str:
    return path.stem


def _bare_stem(path: Path) -> str:
    return _MARKERS.sub("", path.stem).lower()


def _refuse_twins(paths: Sequence[Path], key: Callable[[Path], str]) -> None:
    seen: dict[str, Path] = {}
    for path in paths:
        twin = seen.setdefault(key(path), path)
        if twin is not path:
            raise UsageError(
                f"{twin} and {path}: share a name, so their match is unclear; rename one"
            )
