"""The clean pictures of a folder, each with the name of its output; what is left out, and why."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from noisegen.dataset.folder import RECIPE
from noisegen.dataset.plan import CleanFile, Skipped
from noisegen.errors import ImageError, UsageError
from noisegen.files import Container
from noisegen.references.discover import SUFFIXES

_LOSSLESS = {
    ".png": Container.PNG,
    ".tif": Container.TIFF,
    ".tiff": Container.TIFF,
    ".bmp": Container.BMP,
}


@dataclass(frozen=True)
class Cleans:
    """What a file or folder holds.

    Attributes:
        files: its pictures, by the order of their keys.
        skipped: those that cannot be used, by their names or places alone.
        passed_over: how many files are not taken for pictures, by ending, the most frequent first.
    """

    files: tuple[CleanFile, ...]
    skipped: tuple[Skipped, ...]
    passed_over: dict[str, int]


def find_cleans(clean: Path, out: Path) -> Cleans:
    """The clean pictures of a file or folder, sorted by relative path.

    Hidden files, other endings, the output folder and other datasets of noisegen are passed over;
    links to folders and out of the folder are not followed.

    Raises:
        UsageError: there is none.
        ImageError: a folder cannot be searched.
    """
    if not (clean.exists() or clean.is_symlink()):
        raise UsageError(f"--clean {clean}: no such file or folder; check the path")
    if (clean / RECIPE).exists():
        raise UsageError(f"--clean {clean}: a dataset of noisegen; name the folder clean/ in it")
    if not clean.is_dir():
        return Cleans(tuple(_named([(clean.name, clean)], [])), (), {})
    found, linked = [], []
    others: Counter[str] = Counter()
    for path in _walk(clean, out):
        name = path.relative_to(clean).as_posix()
        if path.is_symlink() and path.is_dir():
            reason = "a link to a folder, which is not followed; copy the folder here"
            linked.append(Skipped(path, name, reason))
        elif path.suffix.lower() in SUFFIXES:
            found.append((name, path))
        else:
            others[path.suffix.lower()] += 1
    if not found and not linked:
        endings = ", ".join(sorted(SUFFIXES))
        raise UsageError(f"--clean {clean}: holds no picture ({endings})")
    root = clean.resolve()
    leads_out = {path: _leads_out(path, root) for _, path in found}
    linked += [Skipped(path, name, why) for name, path in found if (why := leads_out[path])]
    twins: list[Skipped] = []
    files = _named([one for one in found if not leads_out[one[1]]], twins)
    return Cleans(tuple(files), tuple(linked + twins), dict(others.most_common()))


def _walk(folder: Path, out: Path) -> Iterator[Path]:
    """Files, and links to folders."""
    skipped = out.resolve()
    for parent, folders, files in os.walk(folder, onerror=_refuse_folder):
        here = Path(parent)
        shown = [name for name in sorted(folders) if not name.startswith(".")]
        links = [name for name in shown if (here / name).is_symlink()]
        folders[:] = [
            name
            for name in shown
            if name not in links
            and (here / name).resolve() != skipped
            and not (here / name / RECIPE).exists()
        ]
        yield from (here / name for name in links)
        yield from (here / name for name in sorted(files) if not name.startswith("."))


def _refuse_folder(error: OSError) -> None:
    """Refuses a folder that cannot be searched: its pictures would be lost without a word."""
    raise ImageError(
        error.filename, f"cannot be searched ({error.strerror}): let it be read, or move it away"
    )


def _leads_out(path: Path, root: Path) -> str | None:
    """Why a link cannot be followed; None for files and for links within the folder."""
    if not path.is_symlink():
        return None
    try:
        inside = path.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):
        return "a link that leads nowhere or round in a circle; remove it"
    return None if inside else "a link out of the folder; copy the file that it leads to"


def _named(relative: Sequence[tuple[str, Path]], twins: list[Skipped]) -> list[CleanFile]:
    """Lossless files keep their names; others become PNG, by full name where that is taken.

    Files whose outputs would still be one, on some file system, are put to ``twins``.
    """
    ordered = sorted(relative, key=lambda pair: (unicodedata.normalize("NFC", pair[0]), pair[0]))
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
            key = unicodedata.normalize("NFC", name)
            files[_folded(output)] = CleanFile(path, key, output, container)
        else:
            reason = f"its pair would have the name of {first.key}'s, {first.output}; rename one"
            twins.append(Skipped(path, name, reason))
    return list(files.values())


def _output(source: PurePosixPath) -> tuple[PurePosixPath, Container]:
    container = _LOSSLESS.get(source.suffix.lower())
    if container is not None:
        return source, container
    return source.with_suffix(".png"), Container.PNG


def _folded(path: PurePosixPath) -> str:
    return unicodedata.normalize("NFC", path.as_posix()).casefold()
