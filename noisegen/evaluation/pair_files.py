"""Finding the noisy/clean pairs that lie in folders: ours, or anybody's."""

from __future__ import annotations

import shutil
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from noisegen.dataset.folder import CLEAN, METADATA, NOISY, RECIPE
from noisegen.dataset.manifest import read_json_lines, read_lines
from noisegen.dataset.plan import PACKED
from noisegen.dataset.recipe import read_recipe
from noisegen.dataset.stored import stored_name, stored_pairs
from noisegen.errors import ImageError, UsageError
from noisegen.files import read_volume_header
from noisegen.files.safe_path import safe_relative
from noisegen.files.search import matching
from noisegen.references.discover import find_pictures
from noisegen.references.matching import Pairs, most_alike, sides_by_marker, told_apart


@dataclass(frozen=True)
class PairFile:
    """A noisy picture and its clean: files of their own, or a plane of two stacks.

    Attributes:
        file_name: relative path without its ending.
        scene: what the pair shows: crops of one picture, versions and planes of it share theirs.
        noisy: file of the noisy picture.
        clean: file of its clean.
        plane: number of the plane in both files; None where they are single pictures.
        channel: number of its channel among those of the file.
        packed: names of both in their dataset, where the files were unpacked from an archive.
    """

    file_name: str
    scene: str
    noisy: Path
    clean: Path
    plane: int | None = None
    channel: int = 0
    packed: tuple[Path, Path] | None = None

    def told(self, error: ImageError) -> str:
        """What is wrong with one of the files, by the name that a user knows."""
        names = dict(zip((self.noisy, self.clean), self.packed or (), strict=False))
        return f"{names.get(error.path, error.path)}: {error.reason}"

    @property
    def name(self) -> str:
        """Name that tells the pair from the folder's other pairs."""
        return self.file_name if self.plane is None else f"{self.file_name}#{self.plane + 1}"


@dataclass(frozen=True)
class PairFolder:
    """The pairs of one place.

    Attributes:
        where: the place, as it was given.
        pairs: by name.
        alone: files without a counterpart.
    """

    where: str
    pairs: tuple[PairFile, ...]
    alone: tuple[Path, ...] = ()


@contextmanager
def found_pairs(where: str, option: str) -> Iterator[PairFolder]:
    """The pairs of a folder, or of two; those of a packed dataset are unpacked until the end.

    Every plane of a TIFF stack is a pair.

    Args:
        where: a folder with ``metadata.jsonl`` (whose lines have ``noisy_file_name`` and
            ``clean_file_name``) or with ``noisy/`` and ``clean/``; a folder of scenes, as SIDD's,
            whose files' names say which are noisy; or ``NOISY:CLEAN``, two folders, files or
            patterns whose pictures have the same relative paths, endings aside, or else match as
            references and their cleans do.
        option: that it was given to, for the errors.

    Raises:
        UsageError: there is no such folder, or no pair in it.
        ManifestError: its metadata or recipe is damaged or hostile.
        LayoutError: an archive is damaged.
    """
    with tempfile.TemporaryDirectory(prefix="noisegen-") as scratch:
        found = _found(where, option, Path(scratch))
        yield replace(found, pairs=tuple(plane for pair in found.pairs for plane in _planes(pair)))


def _found(where: str, option: str, scratch: Path) -> PairFolder:
    folder = Path(where)
    if not folder.is_dir():
        return _of_sides(where, option, *_two_sides(where, option))
    if _is_packed(folder):
        return PairFolder(where, tuple(_unpacked(folder, scratch)))
    if (folder / f"{METADATA}.jsonl").is_file():
        return PairFolder(where, tuple(_listed(folder)))
    if (folder / NOISY).is_dir() and (folder / CLEAN).is_dir():
        return _of_sides(where, option, str(folder / NOISY), str(folder / CLEAN))
    pictures = find_pictures([where], option) if any(folder.iterdir()) else []
    noisies, cleans = sides_by_marker(pictures)
    pairs, alone = most_alike(noisies, cleans)
    if not pairs:
        raise UsageError(
            f"{option} {where}: holds neither noisy/ and clean/ nor metadata.jsonl, nor pictures "
            "with noisy and clean in their names or folders that match; name two folders, files or "
            "patterns as NOISY:CLEAN"
        )
    return PairFolder(where, _named_by_cleans(pairs), tuple(alone))


def _planes(pair: PairFile) -> Iterator[PairFile]:
    """The pair itself, or one for each plane of a stack."""
    try:
        header = read_volume_header(pair.noisy)
    except ImageError:
        header = None  # whoever reads it says why
    if header is None or len(header.planes) == 1:
        yield pair
        return
    for number, plane in enumerate(header.planes):
        channel = header.channels.index(plane.channel)
        yield replace(pair, plane=number, channel=channel)


def _two_sides(where: str, option: str) -> tuple[str, str]:
    """Splits at the colon that has something on either side: a drive's letter has one too."""
    for place, letter in enumerate(where):
        sides = where[:place], where[place + 1 :]
        if letter == ":" and all(sides) and all(map(_is_there, sides)):
            return sides
    noisy, _, clean = where.partition(":")
    wrong = f"{clean} is no picture, folder or match" if clean and _is_there(noisy) else None
    wrong = wrong or ("a file" if Path(where).exists() else "no such folder")
    raise UsageError(
        f"{option} {where}: {wrong}; name a dataset's folder, or two folders, files or "
        "patterns as NOISY:CLEAN"
    )


def _is_there(side: str) -> bool:
    return Path(side).exists() or bool(matching(side))


def _of_sides(where: str, option: str, noisy: str, clean: str) -> PairFolder:
    """Pairs of equal relative paths in two folders; else those that are alike by other means."""
    equal, alone = _of_equal_paths(noisy, clean, option)
    if equal and not alone:
        return PairFolder(where, equal)
    pairs, others = most_alike(*(find_pictures([side], option) for side in (noisy, clean)))
    if equal and len(equal) >= len(pairs):
        return PairFolder(where, equal, alone)
    if not pairs:
        raise UsageError(
            f"{option} {where}: no picture of {noisy} has the name or number of one of {clean}; "
            "give both the same relative path"
        )
    return PairFolder(where, _named_by_cleans(pairs), tuple(others))


def _of_equal_paths(
    noisy: str, clean: str, option: str
) -> tuple[tuple[PairFile, ...], tuple[Path, ...]]:
    """Pairs of one relative path in two folders, and the files that have none; none of files."""
    if not (Path(noisy).is_dir() and Path(clean).is_dir()):
        return (), ()
    noisies, cleans = (_by_name(Path(side), option) for side in (noisy, clean))
    both = sorted(set(noisies) & set(cleans))
    alone = [side[name] for side in (noisies, cleans) for name in sorted(set(side) - set(both))]
    return tuple(PairFile(name, name, noisies[name], cleans[name]) for name in both), tuple(alone)


def _named_by_cleans(pairs: Pairs) -> tuple[PairFile, ...]:
    """Pairs whose sides have other names, by their cleans': so are those that are made of them."""
    names = (PurePosixPath(name) for name in told_apart([clean for _, clean in pairs]))
    named = [unicodedata.normalize("NFC", name.with_suffix("").as_posix()) for name in names]
    return tuple(
        PairFile(name, name, noisy, clean)
        for name, (noisy, clean) in sorted(zip(named, pairs, strict=True))
    )


def _by_name(folder: Path, option: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in find_pictures([str(folder)], option):
        name = pair_name(PurePosixPath(path.relative_to(folder).as_posix()))
        if name in found:
            raise UsageError(f"{path}: has the name of {found[name]}; take one of them away")
        found[name] = path
    return found


def _listed(folder: Path) -> Iterator[PairFile]:
    """Pairs of ``metadata.jsonl``, of noisegen or not."""
    manifest = folder / f"{METADATA}.jsonl"
    found = []
    for number, values in enumerate(read_json_lines(manifest), 1):
        line = values if isinstance(values, dict) else {}
        noisy, clean = (
            safe_relative(line.get(f"{side}_file_name"), f"{manifest}:{number}")
            for side in (NOISY, CLEAN)
        )
        found.append((noisy, clean, line.get("seed_key")))
    if not found:
        raise UsageError(f"{manifest}: names no pair; use a dataset that has one")
    names = pair_names([noisy for noisy, _, _ in found])
    for name, (noisy, clean, key) in zip(names, found, strict=True):
        yield PairFile(name, name if key is None else str(key), folder / noisy, folder / clean)


def pair_name(relative: PurePosixPath) -> str:
    """Name of the pair whose noisy picture has this relative path."""
    parts = relative.parts[1:] if relative.parts[0] == NOISY and len(relative.parts) > 1 else None
    bare = (PurePosixPath(*parts) if parts else relative).with_suffix("")
    return unicodedata.normalize("NFC", bare.as_posix())


def pair_names(relatives: Sequence[PurePosixPath]) -> list[str]:
    """Names of a dataset's pairs, as of :func:`pair_name`; with the ending where it alone differs.

    Args:
        relatives: paths of their noisy pictures.
    """
    bare = [pair_name(relative) for relative in relatives]
    count = Counter(bare)
    return [
        name if count[name] == 1 else f"{name}{relative.suffix}"
        for name, relative in zip(bare, relatives, strict=True)
    ]


def _is_packed(folder: Path) -> bool:
    return (folder / RECIPE).is_file() and read_recipe(folder / RECIPE).options.layout in PACKED


def _unpacked(folder: Path, scratch: Path) -> Iterator[PairFile]:
    """Pairs of an archive, each copied before the next one takes its place."""
    layout = read_recipe(folder / RECIPE).options.layout
    lines = list(read_lines(folder / f"{METADATA}.jsonl"))
    names = pair_names([PurePosixPath(line.relative) for line in lines])
    named = {
        stored_name(line, layout): (name, line.seed_key, line.relative)
        for name, line in zip(names, lines, strict=True)
    }
    passing = scratch / "passing"
    passing.mkdir()
    for number, pair in enumerate(stored_pairs(folder, layout, lines, passing)):
        noisy, clean = scratch / f"{number}-noisy", scratch / f"{number}-clean"
        shutil.copyfile(pair.noisy, noisy)
        shutil.copyfile(pair.clean, clean)
        bare = pair_name(PurePosixPath(pair.relative))
        name, scene, relative = named.get(pair.relative, (bare, bare, pair.relative))
        packed = folder / NOISY / relative, folder / CLEAN / relative
        yield PairFile(name, scene, noisy, clean, packed=packed)
