"""What is to be made: options, clean files, and the names of their outputs."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from noisegen.errors import ImageError, UsageError
from noisegen.images import Container
from noisegen.references.discover import SUFFIXES

DEEPEST = 65535
"""The largest value of a sample."""

RECIPE = "noisegen.json"
"""Name of the recipe in a dataset's folder, and so the mark of such a folder."""

_LOSSLESS = {
    ".png": Container.PNG,
    ".tif": Container.TIFF,
    ".tiff": Container.TIFF,
    ".bmp": Container.BMP,
}


@dataclass(frozen=True)
class SynthesisOptions:
    """Everything beside weights, profiles and cleans that decides a dataset's pixels.

    Attributes:
        seed: of every draw.
        variants: noisy versions of each image.
        strength: lowest and highest factor on the noise.
        patch: side of the crops, None for whole images.
        per_image: crops of an image.
        white_level: of 16-bit cleans, None for the profile's or the type's.
    """

    seed: int = 0
    variants: int = 1
    strength: tuple[float, float] = (1.0, 1.0)
    patch: int | None = None
    per_image: int = 1
    white_level: float | None = None

    def __post_init__(self) -> None:
        low, high = self.strength
        if self.variants < 1 or self.per_image < 1:
            raise UsageError("--variants and --per-image: give 1 or more")
        if not 0 < low <= high < float("inf"):
            raise UsageError(f"--strength {low:g}:{high:g}: give a factor above 0, or low:high")
        if self.patch is not None and self.patch < 1:
            raise UsageError(f"--patch {self.patch}: give a side of 1 pixel or more")
        if self.white_level is not None and not 0 < self.white_level <= DEEPEST:
            raise UsageError(f"--white-level {self.white_level:g}: give a number up to {DEEPEST}")


@dataclass(frozen=True)
class CleanFile:
    """A clean picture to put noise on.

    Attributes:
        path: where it is.
        key: its relative path, with ``/``, in Unicode's NFC: what its noise is drawn from.
        output: relative path of its outputs, before the number of a variant or crop.
        container: the lossless format of its outputs.
    """

    path: Path
    key: str
    output: PurePosixPath
    container: Container

    def numbered(self, crop: int | None, variant: int | None) -> PurePosixPath:
        """Relative path of one pair."""
        suffix = ("" if crop is None else f"_p{crop}") + ("" if variant is None else f"_v{variant}")
        return self.output.with_name(f"{self.output.stem}{suffix}{self.output.suffix}")


def find_cleans(clean: Path, out: Path) -> list[CleanFile]:
    """The clean pictures of a file or folder, sorted by relative path.

    Hidden files, other endings, the output folder and other datasets of noisegen are passed over;
    links to folders are not followed.

    Raises:
        UsageError: there is none, or two would be written to one path.
        ImageError: a folder cannot be searched.
    """
    if not clean.exists():
        raise UsageError(f"--clean {clean}: no such file or folder; check the path")
    if (clean / RECIPE).exists():
        raise UsageError(f"--clean {clean}: a dataset of noisegen; name the folder clean/ in it")
    root = clean if clean.is_dir() else clean.parent
    paths = filter(_is_picture, _walk(clean, out)) if clean.is_dir() else [clean]
    relative = sorted((path.relative_to(root).as_posix(), path) for path in paths)
    if not relative:
        endings = ", ".join(sorted(SUFFIXES))
        raise UsageError(f"--clean {clean}: holds no picture ({endings})")
    return _name_outputs(relative)


def passed_over(clean: Path, out: Path) -> dict[str, int]:
    """How many files of a folder are not taken for pictures, by ending, the most frequent first."""
    others = (path for path in _walk(clean, out) if not _is_picture(path))
    return dict(Counter(path.suffix.lower() for path in others).most_common())


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def _walk(folder: Path, out: Path) -> Iterator[Path]:
    skipped = out.resolve()
    for parent, folders, files in os.walk(folder, onerror=_refuse_folder):
        here = Path(parent)
        folders[:] = [
            name
            for name in sorted(folders)
            if not name.startswith(".")
            and (here / name).resolve() != skipped
            and not (here / name / RECIPE).exists()
        ]
        yield from (here / name for name in sorted(files) if not name.startswith("."))


def _refuse_folder(error: OSError) -> None:
    """A folder left out without a word would be pictures lost."""
    raise ImageError(
        error.filename, f"cannot be searched ({error.strerror}): let it be read, or move it away"
    )


def _name_outputs(relative: Sequence[tuple[str, Path]]) -> list[CleanFile]:
    """Lossless files keep their names; others become PNG, by full name where that is taken."""
    wanted = [_output(PurePosixPath(name)) for name, _ in relative]
    taken: dict[str, int] = defaultdict(int)
    for output, _ in wanted:
        taken[_folded(output)] += 1
    files = []
    for (name, path), (output, container) in zip(relative, wanted, strict=True):
        source = PurePosixPath(name)
        if taken[_folded(output)] > 1 and output != source:
            output = source.with_name(f"{source.name}.png")
        files.append(CleanFile(path, unicodedata.normalize("NFC", name), output, container))
    _refuse_collisions(files)
    return files


def _output(source: PurePosixPath) -> tuple[PurePosixPath, Container]:
    container = _LOSSLESS.get(source.suffix.lower())
    if container is None:
        return source.with_suffix(".png"), Container.PNG
    return source, container


def _refuse_collisions(files: Iterable[CleanFile]) -> None:
    """Names that only differ in case or Unicode form are one file on some systems."""
    seen: dict[str, CleanFile] = {}
    for file in files:
        twin = seen.setdefault(_folded(file.output), file)
        if twin is not file:
            raise UsageError(
                f"{twin.path} and {file.path}: would be written to one path ({file.output}); "
                "rename one"
            )


def _folded(path: PurePosixPath) -> str:
    return unicodedata.normalize("NFC", path.as_posix()).casefold()
