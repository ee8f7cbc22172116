"""A dataset's folder: what lies where, who may write into it, what an overwrite takes away.

::

    OUT/noisegen.json      the recipe, and so the mark of a dataset
    OUT/profiles/          its noise profiles
    OUT/noisy/ OUT/clean/  the pairs, until they are packed
    OUT/metadata.jsonl     the manifest: there when the dataset is complete
    OUT/skipped.jsonl      cleans that were left out, and why
    OUT/.noisegen/         of a run that has not finished: lock, journal, temporary files

A shard has manifest, list, ``.noisegen`` and a copy of its recipe, told by ``-K-of-N``.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import filelock

from noisegen.dataset.plan import WHOLE, Shard
from noisegen.errors import OutputError, UsageError
from noisegen.files.safe_path import refuse_links

RECIPE = "noisegen.json"
NOISY, CLEAN, PROFILES = "noisy", "clean", "profiles"
METADATA, SKIPPED = "metadata", "skipped"
WORK = ".noisegen"
LOCK = "lock"
CARD = "README.md"
SHARD_MANIFESTS = f"{METADATA}-*-of-*.jsonl"
_MANIFEST = re.compile(METADATA + r"-(\d{1,9})-of-(\d{1,9})\.jsonl")

_OURS = (
    NOISY,
    CLEAN,
    PROFILES,
    f"{METADATA}.jsonl",
    f"{SKIPPED}.jsonl",
    SHARD_MANIFESTS,
    f"{SKIPPED}-*-of-*.jsonl",
    "noisegen-*-of-*.json",
    WORK,
    f"{WORK}-*-of-*",
    "pairs*-[0-9]*.tar",
    "input_crops.lmdb",
    "gt_crops.lmdb",
)


@dataclass(frozen=True)
class Folder:
    """One shard's places in a dataset's folder."""

    root: Path
    shard: Shard = WHOLE

    @property
    def recipe(self) -> Path:
        """The recipe."""
        return self.root / RECIPE

    @property
    def made_by(self) -> Path:
        """The recipe; of a finished shard its copy, which goes where the shard is copied to."""
        return self.root / f"noisegen{self.shard.suffix}.json"

    @property
    def metadata(self) -> Path:
        """The manifest."""
        return self.root / f"{METADATA}{self.shard.suffix}.jsonl"

    @property
    def joined(self) -> Folder | None:
        """The whole that a shard without a manifest of its own is joined into; None elsewhere."""
        whole = Folder(self.root)
        own = self.shard.whole or self.metadata.exists()
        return whole if not own and whole.metadata.exists() else None

    @property
    def skipped(self) -> Path:
        """What was left out."""
        return self.root / f"{SKIPPED}{self.shard.suffix}.jsonl"

    @property
    def work(self) -> Path:
        """What a run that has not finished needs."""
        return self.root / f"{WORK}{self.shard.suffix}"

    @property
    def journal(self) -> Path:
        """What it has finished so far."""
        return self.work / "journal.jsonl"

    @property
    def temporary(self) -> Path:
        """Files that are being written."""
        return self.work / "temporary"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Makes the folder, and keeps other runs of the shard out until the block is left.

        Raises:
            OutputError: another run is in, or the folder cannot be made.
        """
        made = not self.root.exists()
        refuse_links(self.root, PurePosixPath(self.work.name) / "temporary")
        make_folder(self.work)
        lock = _acquired(self.work, self.root)
        # The whole and its shards keep out each other; one shard does not mind another.
        for other in self.root.glob(f"{WORK}*"):
            if other != self.work and (self.shard.whole or other.name == WORK):
                try:
                    _acquired(other, self.root).release()
                except OutputError:
                    lock.release()
                    raise
        try:
            yield
        finally:
            # Without a journal there is nothing to go on with.
            done = not self.journal.exists()
            if done:
                _empty_work(self.work)
            # First: a file that is open cannot be taken away everywhere.
            lock.release()
            if done:
                _remove_work(self.work)
            if made and not any(self.root.iterdir()):
                self.root.rmdir()

    def clear_temporary(self) -> None:
        """Takes away what a killed run was writing.

        Raises:
            OutputError: it cannot be taken away.
        """
        with writing(self.temporary):
            if self.temporary.exists():
                shutil.rmtree(self.temporary)
            self.temporary.mkdir()


def _empty_work(work: Path) -> None:
    """Takes away all but the lock."""
    for path in work.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)


def _remove_work(work: Path) -> None:
    """Takes away a folder that holds nothing but its lock; another run's stays."""
    with suppress(OSError):
        if not any(path.name != LOCK for path in work.iterdir()):
            (work / LOCK).unlink(missing_ok=True)
            work.rmdir()


def _acquired(work: Path, root: Path) -> filelock.BaseFileLock:
    lock = filelock.FileLock(work / LOCK, blocking=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise OutputError(
            f"{root}: another run is writing into it; wait for it, or stop it first"
        ) from None
    except OSError as error:
        raise OutputError(f"{work}: {error.strerror}; choose another folder") from error
    return lock


def check_output(out: Path) -> bool:
    """Refuses a folder that holds anything but a dataset of ours.

    Returns:
        Whether it holds one, finished or not.

    Raises:
        OutputError: not empty, or not a folder.
    """
    try:
        if out.is_symlink() and not out.exists():
            raise OutputError(f"{out}: a link that leads nowhere; name a folder for --out")
        if out.exists() and not out.is_dir():
            raise OutputError(f"{out}: is a file; name a folder for --out")
        entries = list(out.iterdir()) if out.exists() else []
    except OSError as error:
        raise OutputError(f"{out}: {error.strerror}; name another folder for --out") from error
    if (out / RECIPE).is_file():
        return True
    # A run that was killed before it wrote its recipe leaves its lock, and perhaps profiles.
    if not all(entry.name.startswith(WORK) or _holds_profiles(entry) for entry in entries):
        raise OutputError(f"{out}: is not empty and not a noisegen dataset; name another folder")
    return False


def _holds_profiles(entry: Path) -> bool:
    return entry.name == PROFILES and all(p.suffix == ".safetensors" for p in entry.iterdir())


def check_inputs(out: Path, inputs: Iterable[Path]) -> None:
    """Refuses inputs that lie in the dataset's own files.

    Raises:
        UsageError: one does.
    """
    ours = [path.resolve() for path in _ours(out)]
    for path in inputs:
        real = path.resolve()
        if any(real.is_relative_to(folder) for folder in ours):
            raise UsageError(
                f"{path}: lies in what --out {out} is made of, which --overwrite would empty; "
                "name another folder"
            )


def empty_output(folder: Folder) -> None:
    """Takes a dataset away, all but the run's own lock; other files in the folder stay.

    Raises:
        OutputError: it cannot be emptied.
    """
    with writing(folder.root):
        # The recipe goes last: as long as it is there, the folder is known to be ours.
        for path in [*_ours(folder.root), folder.recipe]:
            if path == folder.work:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        folder.journal.unlink(missing_ok=True)


def _ours(out: Path) -> list[Path]:
    found = [path for pattern in _OURS for path in sorted(out.glob(pattern))]
    return [*found, *([out / CARD] if holds_our_card(out) else [])]


def holds_our_card(out: Path) -> bool:
    """Whether a folder's ``README.md`` is a dataset's card: people keep notes of this name."""
    if not (out / CARD).is_file():
        return False
    with (out / CARD).open("rb") as file:
        start = file.read(4096)
    return start.startswith(b"---\npretty_name: ") and b"is made by noisegen " in start


def finished_shards(out: Path) -> list[Folder]:
    """Shards that have a manifest, by their names."""
    found = [_MANIFEST.fullmatch(path.name) for path in sorted(out.glob(SHARD_MANIFESTS))]
    return [Folder(out, Shard(int(name[1]), int(name[2]))) for name in found if name]


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what the system refuses into one error.

    Raises:
        OutputError: with the path, the system's reason and the way out.
    """
    try:
        yield
    except OSError as error:
        where = error.filename or path
        if isinstance(error, FileExistsError | NotADirectoryError):
            raise OutputError(f"{where}: is a file, or lies in one; name a folder") from error
        reason = error.strerror or str(error)
        raise OutputError(f"{where}: {reason}; choose a folder you may write to") from error


def make_folder(path: Path) -> None:
    """Makes a folder and its parents.

    Raises:
        OutputError: it cannot be made.
    """
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
