"""Checking a dataset against its own manifest."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from noisegen.dataset.folder import CLEAN, NOISY, PROFILES, RECIPE, WORK, Folder
from noisegen.dataset.manifest import PairLine, read_lines
from noisegen.dataset.plan import PACKED, Layout
from noisegen.dataset.recipe import Recipe, load_profiles, read_recipe
from noisegen.dataset.stored import StoredPair, stored_name, stored_pairs
from noisegen.errors import ImageError, ManifestError
from noisegen.files import file_hash


@dataclass(frozen=True)
class Fault:
    """Something that is not as the manifest says.

    Attributes:
        file: relative path in the dataset.
        reason: missing, altered or extra, in words.
    """

    file: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}"


@dataclass(frozen=True)
class Checked:
    """One pair that was looked at, with its faults."""

    pixels: int
    faults: tuple[Fault, ...]


def read_manifest(out: Path) -> tuple[Recipe, list[PairLine]]:
    """Recipe, profiles and manifest of a finished dataset, checked.

    Raises:
        ManifestError: one is missing or damaged, or the dataset is not finished.
        ProfileError: a profile is damaged.
    """
    recipe = read_recipe(out / RECIPE)
    load_profiles(recipe, out)
    metadata = Folder(out).metadata
    if not metadata.exists():
        way_out = "run its command again, or noisegen merge where it is of shards"
        raise ManifestError(f"{out}: is not complete: it has no {metadata.name}; {way_out}")
    return recipe, list(read_lines(metadata))


def verify(out: Path, fast: bool = False, workers: int = 2) -> Iterator[Checked]:
    """Checks every pair of the manifest, then looks for files that it does not name.

    Args:
        out: a dataset's folder.
        fast: by the files' sizes; else by the pixels. Sizes in LMDB are not known: its pairs are
            only looked for.
        workers: pictures that are read at once.

    Raises:
        ManifestError: recipe or manifest is missing, damaged or hostile.
        ProfileError: a profile is damaged.
        LayoutError: an archive is damaged.
    """
    recipe, lines = read_manifest(out)
    layout = recipe.options.layout
    by_name: dict[str, PairLine] = {}
    for line in lines:
        if by_name.setdefault(stored_name(line, layout), line) is not line:
            yield Checked(0, (Fault(line.noisy_file_name, "is named twice by the manifest"),))
    by = "size" if fast else "pixels"
    by = "presence" if fast and layout is Layout.LMDB else by
    with tempfile.TemporaryDirectory() as scratch:
        stored = stored_pairs(out, layout, list(by_name.values()), Path(scratch))
        # Of an archive's pairs each takes the place of the one before.
        at_once = 0 if layout in PACKED else 2 * workers
        yield from _looked_at(stored, by_name, by, at_once)
    in_place = () if layout in PACKED else lines
    yield from (Checked(0, (fault,)) for fault in _extra(out, recipe, in_place))


def _looked_at(
    stored: Iterable[StoredPair], by_name: Mapping[str, PairLine], by: str, at_once: int
) -> Iterator[Checked]:
    """Every stored pair and every named one that is not there, some at once, in their order."""
    unseen = dict(by_name)
    with ThreadPoolExecutor(max(1, at_once // 2)) as pool:
        checking: deque[Future[Checked]] = deque()
        for pair in stored:
            named = unseen.pop(pair.relative, None)
            if named is None:
                yield Checked(0, (Fault(pair.relative, "is not in the manifest, or there twice"),))
                continue
            checking.append(pool.submit(_check_pair, pair, named, by))
            while len(checking) > at_once:
                yield checking.popleft().result()
        while checking:
            yield checking.popleft().result()
    for line in unseen.values():
        yield Checked(0, (Fault(line.noisy_file_name, "is missing"),))


def _check_pair(pair: StoredPair, line: PairLine, by: str) -> Checked:
    sides = (
        (line.noisy_file_name, pair.noisy, line.noisy_bytes, line.noisy_sha256),
        (line.clean_file_name, pair.clean, line.clean_bytes, line.clean_sha256),
    )
    reasons = [(name, _wrong(path, by, size, sha256)) for name, path, size, sha256 in sides]
    faults = tuple(Fault(name, reason) for name, reason in reasons if reason is not None)
    return Checked(line.width * line.height * line.planes, faults)


def _wrong(path: Path, by: str, size: int, sha256: str) -> str | None:
    """What is wrong with a file, told by its ``presence``, ``size`` or ``pixels``."""
    if not path.is_file():
        return "is missing"
    if by == "size" and (found := path.stat().st_size) != size:
        return f"is altered: {found} bytes, not {size}"
    if by != "pixels":
        return None
    try:
        same = file_hash(path) == sha256
    except ImageError as error:
        return f"is altered: {error.reason}"
    return None if same else "is altered: its pixels are not the manifest's"


def _extra(out: Path, recipe: Recipe, lines: Sequence[PairLine]) -> Iterator[Fault]:
    """Files in the dataset's own folders that nothing names."""
    known = {name for line in lines for name in (line.noisy_file_name, line.clean_file_name)}
    known |= {entry.file for entry in recipe.profiles}
    for folder in (NOISY, CLEAN, PROFILES):
        for path in sorted((out / folder).rglob("*")):
            name = path.relative_to(out).as_posix()
            if name not in known and (path.is_symlink() or not path.is_dir()):
                yield Fault(name, "is extra: the manifest does not name it")
    for path in sorted(out.glob(f"{WORK}*")):
        yield Fault(path.name, "is of a run that has not finished")
