"""Packing a dataset's folders for the loaders that people train with, as a step of its own.

Runs write folders whatever the layout. They are packed when all pairs are there: by ``synth`` at
its end, by ``merge``, or by ``export`` at any time after.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from noisegen.dataset.folder import CARD, CLEAN, NOISY, Folder, holds_our_card, writing
from noisegen.dataset.layouts.huggingface import dataset_card
from noisegen.dataset.layouts.lmdb import CLEAN as CLEAN_DATABASE
from noisegen.dataset.layouts.lmdb import NOISY as NOISY_DATABASE
from noisegen.dataset.layouts.lmdb import require_lmdb, write_lmdb
from noisegen.dataset.layouts.sample import Sample
from noisegen.dataset.layouts.webdataset import write_shard
from noisegen.dataset.manifest import PairLine
from noisegen.dataset.plan import PACKED, Layout, Shard
from noisegen.dataset.recipe import Recipe
from noisegen.dataset.verify import read_manifest
from noisegen.errors import ImageError, OutputError, UsageError
from noisegen.files import write_together

PAIRS_A_TAR = 1000
"""Pairs of one tar shard of WebDataset's layout."""

TARS_OF_SHARDS = "pairs-*-of-*-*.tar"
"""Names of the archives that shards were packed in, each by itself."""

_OF_SHARD = re.compile(r"pairs-\d+-of-(\d{1,9})-\d+\.tar")


def require_packages(layout: Layout) -> None:
    """Finds out before anything is made whether a layout can be written here.

    Raises:
        LayoutError: a package that it needs is not installed.
    """
    if layout is Layout.LMDB:
        require_lmdb()


def export_dataset(out: Path, layout: Layout) -> int:
    """Packs a finished dataset of folders in place: what ``synth --layout`` would have made.

    The folders go when all is packed and the recipe says so. Cut off, it can be run again.

    Returns:
        The dataset's pairs.

    Raises:
        LayoutError: a pair does not fit the layout, or a package is missing.
        UsageError: it is packed otherwise already.
        ManifestError: it is not finished, or damaged.
        ImageError: a pair's file cannot be read.
        OutputError: another run is writing, or it cannot be written.
    """
    require_packages(layout)
    former, lines = read_manifest(out)
    there = former.options.layout
    if there in PACKED and there is not layout:
        raise UsageError(
            f"{out}: is packed as {there.value}, and only folders can be; make them again with "
            "noisegen synth or regenerate"
        )
    folder = Folder(out)
    recipe = replace(former, options=replace(former.options, layout=layout))
    with folder.locked():
        folder.clear_temporary()
        if there is not layout:
            pack(folder, recipe, lines)
            write_together([(folder.recipe, recipe.to_bytes())], folder.temporary)
        if layout in PACKED:
            take_pairs_away(folder, lines)
        if layout is not Layout.HF and holds_our_card(out):
            with writing(out):
                (out / CARD).unlink()
    return len(lines)


def refuse_anothers_card(out: Path, layout: Layout) -> None:
    """Refuses to write the card over a ``README.md`` that is no dataset's: somebody's notes.

    Raises:
        OutputError: there is one.
    """
    if layout is Layout.HF and (out / CARD).exists() and not holds_our_card(out):
        raise OutputError(f"{out / CARD}: is not noisegen's, and would be replaced; move it away")


def pack(folder: Folder, recipe: Recipe, lines: Sequence[PairLine]) -> None:
    """Writes what the recipe's layout has beside or instead of folders.

    Raises:
        LayoutError: a pair does not fit the layout, or a package is missing.
        ImageError: a pair's file cannot be read.
        OutputError: something cannot be written, or would be replaced that is not ours.
    """
    layout = recipe.options.layout
    refuse_anothers_card(folder.root, layout)
    samples = [sample_of(line, folder.root) for line in lines]
    if layout is Layout.WEBDATASET:
        for number, tar in enumerate(archives(folder, layout, lines)):
            start = number * PAIRS_A_TAR
            write_shard(tar, samples[start : start + PAIRS_A_TAR], folder.temporary)
    elif layout is Layout.LMDB and folder.shard.whole:
        with writing(folder.root):
            write_lmdb(folder.temporary, samples)
            for database in archives(folder, layout, lines):
                shutil.rmtree(database, ignore_errors=True)
                (folder.temporary / database.name).rename(database)
    elif layout is Layout.HF and folder.shard.whole:
        for sample in samples:
            for file in (sample.noisy, sample.clean):
                if not file.is_file():
                    raise ImageError(file, "is missing; make the dataset whole first")
        card = dataset_card(recipe.to_json(), len(lines)).encode()
        write_together([(folder.root / CARD, card)], folder.temporary)


def archives(folder: Folder, layout: Layout, lines: Sequence[PairLine]) -> list[Path]:
    """The files that a finished dataset, or its shard, of such pairs is packed in."""
    if layout is Layout.WEBDATASET:
        count = _joined_tars(folder)
        if not count:
            return _tars(folder.root, folder.shard, len(lines))
        pairs = Counter(Shard.index_of(line.seed_key, count) for line in lines)
        return [
            tar
            for index in sorted(pairs)
            for tar in _tars(folder.root, Shard(index, count), pairs[index])
        ]
    if layout is Layout.LMDB and folder.shard.whole:
        return [folder.root / NOISY_DATABASE, folder.root / CLEAN_DATABASE]
    return []


def _joined_tars(folder: Folder) -> int:
    """Of how many shards the tars of a whole dataset are; 0 where they are its own."""
    if not folder.shard.whole:
        return 0
    found = [_OF_SHARD.fullmatch(path.name) for path in folder.root.glob(TARS_OF_SHARDS)]
    return max((int(name[1]) for name in found if name), default=0)


def _tars(root: Path, shard: Shard, pairs: int) -> list[Path]:
    numbers = range(-(-pairs // PAIRS_A_TAR))
    return [root / f"pairs{shard.suffix}-{number:06d}.tar" for number in numbers]


def sample_of(line: PairLine, pairs: Path) -> Sample:
    """A pair as the layouts take it."""
    noisy, clean = pairs / line.noisy_file_name, pairs / line.clean_file_name
    return Sample(line.relative, noisy, clean, line.to_json())


def take_pairs_away(folder: Folder, lines: Iterable[PairLine]) -> None:
    """Removes the pairs that are packed, and folders that are empty then.

    A shard leaves the folders: another may be about to write into them.

    Raises:
        OutputError: one cannot be removed.
    """
    sides = [folder.root / side for side in (NOISY, CLEAN)]
    if not any(side.exists() for side in sides):
        return
    with writing(folder.root):
        for line in lines:
            for name in (line.noisy_file_name, line.clean_file_name):
                (folder.root / name).unlink(missing_ok=True)
        for side in sides if folder.shard.whole else ():
            below = [path for path in side.rglob("*") if path.is_dir() and not path.is_symlink()]
            for path in sorted([side, *below], reverse=True):
                if path.is_dir() and not any(path.iterdir()):
                    path.rmdir()
