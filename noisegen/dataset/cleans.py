"""The clean pictures of a folder, each with the name of its output; what is left out, and why."""

from __future__ import annotations

import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from noisegen.dataset.folder import RECIPE
from noisegen.dataset.plan import CleanFile, Skipped
from noisegen.errors import UsageError
from noisegen.files import Container
from noisegen.files.search import fixed_part, matches, search, unreadable
from noisegen.references.discover import SUFFIXES

_LOSSLESS = {
    ".png": Container.PNG,
    ".tif": Container.TIFF,
    ".tiff": Container.TIFF,
    ".bmp": Container.BMP,
}

_NO_PICTURE = "passed over: its ending is no picture's here; rename or convert it if it is one"


@dataclass(frozen=True)
class Cleans:
    """What a file or folder holds.

    Attributes:
        files: its pictures, by the order of their keys.
        skipped: those that cannot be used, by their names or places alone.
        others: files that are not taken for pictures, by their endings.
    """

    files: tuple[CleanFile, ...]
    skipped: tuple[Skipped, ...]
    others: tuple[Skipped, ...] = ()

    @property
    def passed_over(self) -> dict[str, int]:
        """How many files are not taken for pictures, by ending, the most frequent first."""
        return dict(Counter(one.path.suffix.lower() for one in self.others).most_common())


def find_cleans(
    clean: Path, out: Path, outputs: Mapping[str, PurePosixPath] | None = None
) -> Cleans:
    """The clean pictures of a file, a folder or a glob pattern, sorted by relative path.

    Links are followed. Hidden files, other endings, the output folder and other datasets of
    noisegen are passed over.

    Args:
        clean: to be searched.
        out: folder of the dataset.
        outputs: of a dataset that is made again, the output of each key: other files are left out,
            whose names would change these.

    Raises:
        UsageError: there is none.
        ImageError: a folder cannot be searched.
    """
    given, pattern = clean, tuple[str, ...]()
    if not (clean.exists() or clean.is_symlink()):
        clean, pattern = fixed_part(given)
        if not (pattern and clean.is_dir()):
            raise UsageError(f"--clean {given}: no such file or folder; check the path")
    if (clean / RECIPE).exists():
        raise UsageError(f"--clean {clean}: a dataset of noisegen; name the folder clean/ in it")
    if not clean.is_dir():
        return Cleans(tuple(_named([(clean.name, clean)], [], outputs)), ())
    searched = search(clean, lambda below: _is_dataset(below, out.resolve()))
    skipped = [_skipped(one.path, clean, one.reason) for one in searched.unreadable]
    found = []
    others = []
    for path in _matched(searched.files, clean, pattern) if pattern else searched.files:
        if path.suffix.lower() not in SUFFIXES:
            others.append(_skipped(path, clean, _NO_PICTURE))
        elif reason := unreadable(path) or _misread(path.relative_to(clean).as_posix()):
            skipped.append(_skipped(path, clean, reason))
        else:
            found.append((path.relative_to(clean).as_posix(), path))
    if not found and not skipped:
        endings = ", ".join(sorted(SUFFIXES))
        raise UsageError(f"--clean {given}: holds no picture ({endings})")
    twins: list[Skipped] = []
    files = _named(found, twins, outputs)
    return Cleans(tuple(files), tuple(skipped + twins), tuple(others))


def _matched(files: Sequence[Path], root: Path, pattern: Sequence[str]) -> list[Path]:
    """Files that a glob pattern names, or what the folders hold that it names where none is."""
    parts = {path: path.relative_to(root).parts for path in files}
    named = [path for path, its in parts.items() if matches(its, pattern)]
    return named or [
        path
        for path, its in parts.items()
        if any(matches(its[:depth], pattern) for depth in range(1, len(its)))
    ]


def _is_dataset(folder: Path, out: Path) -> bool:
    return folder.resolve() == out or (folder / RECIPE).exists()


def _misread(name: str) -> str | None:
    """Why a name is not what it is on other machines, where its noise would be another."""
    encoding = sys.getfilesystemencoding()
    if encoding == "utf-8" or name.isascii():
        return None
    return f"its name is read as {encoding}, and as another elsewhere; set PYTHONUTF8=1 and go on"


def _skipped(path: Path, clean: Path, reason: str) -> Skipped:
    return Skipped(path, path.relative_to(clean).as_posix(), reason)


def _named(
    relative: Sequence[tuple[str, Path]],
    twins: list[Skipped],
    outputs: Mapping[str, PurePosixPath] | None,
) -> list[CleanFile]:
    """Lossless files keep their names; others become PNG, by full name where that is taken.

    Files whose outputs would still be one, on some file system, are put to ``twins``.
    """
    ordered = sorted(relative, key=lambda pair: (_key(pair[0]), pair[0]))
    if outputs is not None:
        # Of two names that are one key the first is taken, as below.
        known = {_key(name): path for name, path in reversed(ordered)}
        return [
            CleanFile(known[key], key, output, _output(PurePosixPath(key))[1])
            for key, output in sorted(outputs.items())
            if key in known
        ]
    wanted = [_output(PurePosixPath(name)) for name, _ in ordered]
    taken: dict[str, int] = defaultdict(int)
    for output, _ in wanted:
        taken[_folded(output)] += 1
    folders = {_folded(PurePosixPath(parent)) for name, _ in ordered
               for parent in PurePosixPath(name).parents}  # fmt: skip
    files: dict[str, CleanFile] = {}
    for (name, path), (output, container) in zip(ordered, wanted, strict=True):
        source = PurePosixPath(name)
        if taken[_folded(output)] > 1 and output != source:
            output = source.with_name(f"{source.name}.png")
        first = files.get(_folded(output))
        if _folded(output) in folders:
            twins.append(Skipped(path, name, f"a folder has its pair's name, {output}; rename one"))
        elif first is None:
            files[_folded(output)] = CleanFile(path, _key(name), output, container)
        else:
            reason = f"its pair would have the name of {first.key}'s, {first.output}; rename one"
            twins.append(Skipped(path, name, reason))
    return list(files.values())


def _output(source: PurePosixPath) -> tuple[PurePosixPath, Container]:
    container = _LOSSLESS.get(source.suffix.lower())
    if container is not None:
        return source, container
    return source.with_suffix(".png"), Container.PNG


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _folded(path: PurePosixPath) -> str:
    return _key(path.as_posix()).casefold()
