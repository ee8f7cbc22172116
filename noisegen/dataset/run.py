"""A folder of clean pictures → a dataset of matched pairs, whole at any moment.

A run takes the folder for itself, checks what is there against its recipe, makes what is missing
(:mod:`.pairs` has the way of one pair), keeps a journal of what is done, and writes the manifest
when nothing is missing any more. The same run again goes on from the journal.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from noisegen.dataset.export import (
    TARS_OF_SHARDS,
    archives,
    pack,
    refuse_anothers_card,
    take_pairs_away,
)
from noisegen.dataset.folder import (
    CLEAN,
    NOISY,
    PROFILES,
    Folder,
    empty_output,
    finished_shards,
    make_folder,
    writing,
)
from noisegen.dataset.journal import Done, Record, open_journal, read_records, sorted_lines
from noisegen.dataset.manifest import read_skipped, write_manifest, write_skipped
from noisegen.dataset.plan import PACKED, CleanFile, Item, ItemName, Layout, Skipped
from noisegen.dataset.recipe import Recipe, read_recipe
from noisegen.dataset.survey import first_of
from noisegen.errors import InterruptedRunError, NoisegenError, OutputError
from noisegen.files import write_together
from noisegen.files.safe_path import refuse_links
from noisegen.profiles.profile import NoiseProfile

Engine = Callable[[Sequence[Item], threading.Event], Iterator[Done]]
"""Makes items, in any order, until the event is set."""


@dataclass(frozen=True)
class Run:
    """One run's part of a dataset.

    Attributes:
        recipe: of the dataset.
        profiles: its noise.
        files: clean pictures, as :func:`noisegen.dataset.survey.survey` left them.
        skipped: those that it left out.
        folder: of the dataset, for the shard that is to be made.
        overwrite: take away a dataset that is there.
        prune: take away pairs whose clean files are gone.
        passed_over: files that are no pictures by their endings: listed, but not a fault.
    """

    recipe: Recipe
    profiles: Sequence[NoiseProfile]
    files: Sequence[CleanFile]
    skipped: Sequence[Skipped]
    folder: Folder
    overwrite: bool = False
    prune: bool = False
    passed_over: Sequence[Skipped] = ()

    @cached_property
    def items(self) -> list[Item]:
        """What the shard is to hold."""
        shard, variants = self.folder.shard, self.recipe.options.variants
        files = [file for file in self.files if shard.holds(file.key)]
        return [Item(file, variant) for file in files for variant in range(variants)]


def write_dataset(
    run: Run,
    engine: Engine,
    asked_to_stop: threading.Event | None = None,
    note_gone: Callable[[int], None] = lambda pairs: None,
) -> Iterator[Done]:
    """Writes the dataset, yielding each item's outcome: first those that are there already.

    Args:
        run: what is to be made.
        engine: that makes items, as :func:`noisegen.dataset.threads.made_by_threads`.
        asked_to_stop: set to have it stop with everything whole.
        note_gone: told how many pairs were taken away whose cleans are gone.

    Raises:
        OutputError: the folder is another's, holds pairs of cleans that are gone, or cannot be
            written; finished pairs stay whole.
        ManifestError: what is there is damaged or hostile.
        InterruptedRunError: asked to stop before all was made.
        NoisegenError: not one file could be used; the folder is taken away again.
    """
    layout = run.recipe.options.layout
    with run.folder.locked():
        refuse_anothers_card(run.folder.root, layout)
        if run.overwrite:
            empty_output(run.folder)
        records = _prepare(run)
        kept, missing, gone = _sorted_out(run, records)
        note_gone(gone)
        yield from kept
        if layout in PACKED and run.folder.joined:
            # Nothing is missing, and a shard by itself is no more.
            return
        skipped = [*run.skipped, *(done.skipped for done in kept if done.skipped)]
        if missing or not run.folder.metadata.exists():
            for done in _journaled(run, engine, missing, asked_to_stop or threading.Event()):
                if done.record is not None:
                    records[done.item.name] = done.record
                skipped += [done.skipped] if done.skipped else []
                yield done
        if not records and run.folder.shard.whole:
            empty_output(run.folder)
            raise NoisegenError(first_of(skipped))
        _finish(run.folder, run.recipe, records.values(), [*skipped, *run.passed_over])


def _prepare(run: Run) -> dict[ItemName, Record]:
    """Puts recipe and profiles in place, and reads what an earlier run made."""
    folder = run.folder
    parents = {PurePosixPath(side) / file.output.parent for file in run.files
               for side in (NOISY, CLEAN)}  # fmt: skip
    for parent in [*parents, PurePosixPath(PROFILES)]:
        refuse_links(folder.root, parent)
    folder.clear_temporary()
    if folder.recipe.exists():
        check_recipe(run.recipe, folder)
        _refuse_shards(folder)
        _write_profiles(run, lost_alone=True)
        records = read_records(folder)
        if folder.joined:
            there = read_records(folder.joined)
            held = {name: one for name, one in there.items() if folder.shard.holds(name[0])}
            records = held | records
        lines = [line for record in records.values() for line in record.lines]
        if not all(path.exists() for path in archives(folder, run.recipe.options.layout, lines)):
            # What the manifest names is not there: all of it is made again.
            with writing(folder.metadata):
                folder.metadata.unlink(missing_ok=True)
                for tar in folder.root.glob(TARS_OF_SHARDS) if folder.shard.whole else ():
                    tar.unlink()
        return records
    _write_profiles(run, lost_alone=False)
    write_together([(folder.recipe, run.recipe.to_bytes())], folder.temporary)
    return {}


def _write_profiles(run: Run, lost_alone: bool) -> None:
    """Writes all profiles, or those alone that are not there."""
    folder = run.folder
    make_folder(folder.root / PROFILES)
    pairs = zip(run.recipe.profiles, run.profiles, strict=True)
    files = [(folder.root / entry.file, profile) for entry, profile in pairs]
    wanted = [(file, one) for file, one in files if not (lost_alone and file.exists())]
    write_together([(file, one.to_bytes()) for file, one in wanted], folder.temporary)


def _refuse_shards(folder: Folder) -> None:
    """Refuses to make what shards of another number have made: pairs would be there twice."""
    for one in finished_shards(folder.root):
        if one.shard.count != folder.shard.count:
            way_out = f"give --shard K/{one.shard.count}, or name another folder"
            if folder.shard.whole:
                way_out = "join them with noisegen merge, or replace all with --overwrite"
            shown = f"{folder.root}: is made in shards, as {one.metadata.name} shows"
            raise OutputError(f"{shown}; {way_out}")


def check_recipe(recipe: Recipe, folder: Folder) -> None:
    """Refuses a folder whose dataset is made by another recipe.

    Raises:
        OutputError: with what differs.
        ManifestError: its recipe is damaged.
    """
    differences = recipe.differences(read_recipe(folder.recipe))
    if differences:
        raise OutputError(
            f"{folder.root}: holds a dataset made otherwise ({'; '.join(differences)}); name "
            "another folder, or replace it with --overwrite"
        )


def _sorted_out(run: Run, records: dict[ItemName, Record]) -> tuple[list[Done], list[Item], int]:
    """Items that are there or were left out, those to be made, and how many pairs are gone.

    Records are dropped, with their files, of clean files that cannot be used any more or have
    changed; of those that are gone, where the run prunes.
    """
    kept, missing, gone = [], [], 0
    options = run.recipe.options
    told = run.folder.joined or run.folder
    complete = told.metadata.exists() and options.layout in PACKED
    before = dict(read_skipped(told.skipped)) if told.skipped.exists() else {}
    for item in run.items:
        record, key = records.get(item.name), item.file.key
        if record is not None and (complete or record.holds(item, options, run.folder.root)):
            kept.append(Done(item, record, kept=True))
        elif complete and key in before:
            kept.append(Done(item, skipped=Skipped(item.file.path, key, before[key]), kept=True))
        else:
            missing.append(item)
    if complete and missing:
        raise OutputError(
            f"{run.folder.root}: is complete, and its layout takes no more images, as "
            f"{missing[0].file.path}; name another folder, or replace it with --overwrite"
        )
    if not complete:
        wanted = {done.item.name for done in kept}
        stale = {name: record for name, record in records.items() if name not in wanted}
        if not run.prune:
            _refuse_gone(run, stale)
        items = {item.name for item in run.items}
        gone = sum(len(record.lines) for name, record in stale.items() if name not in items)
        for name in stale:
            del records[name]
        _take_away(run, list(stale.values()), kept)
    return kept, missing, gone


def _refuse_gone(run: Run, stale: Iterable[ItemName]) -> None:
    """Refuses to drop pairs of cleans that are gone or unfit.

    Neither a mistyped folder nor links into a disk that is not there must cost them.
    """
    gone = sorted({key for key, _ in stale}.difference(file.key for file in run.files))
    if gone:
        unfit = {unicodedata.normalize("NFC", one.file): one.reason for one in run.skipped}
        reason = unfit.get(gone[0], "which the clean images have no more")
        others = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        raise OutputError(
            f"{run.folder.root}: holds pairs of {gone[0]}{others} ({reason}); name the right "
            "folder, mend the clean images, or take these pairs away with --prune"
        )


def _take_away(run: Run, stale: Sequence[Record], kept: Sequence[Done]) -> None:
    """Removes pairs whose clean files are gone, cannot be used any more, or have other names."""
    used = {name for done in kept if done.record for name in _files(done.record)}
    for name in {name for record in stale for name in _files(record)} - used:
        with writing(run.folder.root / name):
            (run.folder.root / name).unlink(missing_ok=True)


def _files(record: Record) -> list[str]:
    return [name for line in record.lines for name in (line.noisy_file_name, line.clean_file_name)]


def _journaled(
    run: Run, engine: Engine, missing: Sequence[Item], asked_to_stop: threading.Event
) -> Iterator[Done]:
    """Has the missing items made; each is in the journal before it is handed out."""
    made = 0
    with open_journal(run.folder) as journal:
        for done in engine(missing, asked_to_stop):
            made += 1
            if done.record is not None:
                journal.add(done.record)
            yield done
    if made < len(missing):
        total = len(run.items)
        raise InterruptedRunError(
            f"interrupted: {total - len(missing) + made} of {total} noisy images are done; run the "
            "same command again to go on"
        )


def _finish(
    folder: Folder, recipe: Recipe, records: Iterable[Record], skipped: Iterable[Skipped]
) -> None:
    """Makes the dataset, or its shard, complete, in the same bytes whatever way it was made.

    Raises:
        LayoutError: a pair does not fit the layout.
        OutputError: something cannot be written.
    """
    write_skipped(folder, ((one.file, one.reason) for one in skipped))
    lines = sorted_lines(records)
    layout = recipe.options.layout
    if layout not in PACKED or not folder.metadata.exists():
        pack(folder, recipe, lines)
    if not folder.shard.whole:
        write_together([(folder.made_by, recipe.to_bytes())], folder.temporary)
    write_manifest(folder, lines)
    with writing(folder.work):
        folder.journal.unlink(missing_ok=True)
    # LMDB holds all shards together, so their pairs are kept for the merge.
    if layout is Layout.WEBDATASET or (layout is Layout.LMDB and folder.shard.whole):
        take_pairs_away(folder, lines)
