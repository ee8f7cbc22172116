"""The end of a run: what was left out, the pairs in their layout, and last the manifest."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from noisegen.dataset.folder import CARD, Folder, writing
from noisegen.dataset.journal import Record, sorted_lines
from noisegen.dataset.layouts.huggingface import dataset_card
from noisegen.dataset.layouts.lmdb import CLEAN as CLEAN_DATABASE
from noisegen.dataset.layouts.lmdb import NOISY as NOISY_DATABASE
from noisegen.dataset.layouts.lmdb import write_lmdb
from noisegen.dataset.layouts.sample import Sample
from noisegen.dataset.layouts.webdataset import write_shard
from noisegen.dataset.manifest import PairLine, json_lines
from noisegen.dataset.plan import Layout, Skipped
from noisegen.dataset.recipe import Recipe
from noisegen.files import write_together

PAIRS_A_TAR = 1000
"""Pairs of one tar shard of WebDataset's layout."""


def finish(
    folder: Folder, recipe: Recipe, records: Sequence[Record], skipped: Sequence[Skipped]
) -> None:
    """Makes the dataset, or its shard, complete, in the same bytes whatever way it was made.

    Raises:
        LayoutError: a pair does not fit the layout.
        OutputError: something cannot be written.
    """
    write_skipped(folder, ((one.file, one.reason) for one in skipped))
    lines = sorted_lines(records)
    pairs = folder.pairs(recipe.options.layout)
    if pairs == folder.root or not folder.metadata.exists():
        _pack(folder, recipe, [sample_of(line, pairs) for line in lines])
    write_manifest(folder, lines)
    with writing(folder.work):
        folder.journal.unlink(missing_ok=True)
        # LMDB holds all shards together, so their pairs are kept for the merge.
        if pairs != folder.root and not _for_the_merge(folder, recipe):
            shutil.rmtree(pairs, ignore_errors=True)


def archives(folder: Folder, recipe: Recipe, pairs: int) -> list[Path]:
    """The files that a finished dataset, or its shard, of so many pairs is packed in."""
    layout = recipe.options.layout
    if layout is Layout.WEBDATASET:
        return [_tar(folder, number) for number in range(-(-pairs // PAIRS_A_TAR))]
    if layout is Layout.LMDB and folder.shard.whole:
        return [folder.root / NOISY_DATABASE, folder.root / CLEAN_DATABASE]
    return []


def _tar(folder: Folder, number: int) -> Path:
    return folder.root / f"pairs{folder.shard.suffix}-{number:06d}.tar"


def sample_of(line: PairLine, pairs: Path) -> Sample:
    """A pair as the layouts take it."""
    noisy, clean = pairs / line.noisy_file_name, pairs / line.clean_file_name
    return Sample(line.relative, noisy, clean, line.to_json())


def write_skipped(folder: Folder, left_out: Iterable[tuple[str, str]]) -> None:
    """The list of files that were left out, with the reason of each; none where there are none.

    Raises:
        OutputError: it cannot be written.
    """
    entries = [{"file": file, "reason": reason} for file, reason in sorted(set(left_out))]
    if entries:
        write_together([(folder.skipped, b"".join(json_lines(entries)))], folder.temporary)
    else:
        with writing(folder.skipped):
            folder.skipped.unlink(missing_ok=True)


def write_manifest(folder: Folder, lines: Iterable[PairLine]) -> None:
    """The manifest, written line by line: of a million pairs it has a gigabyte.

    Raises:
        OutputError: it cannot be written.
    """

    def write(file: BinaryIO) -> None:
        file.writelines(json_lines(line.to_json() for line in lines))

    write_together([(folder.metadata, write)], folder.temporary)


def write_card(folder: Folder, recipe: Recipe, pairs: int) -> None:
    """Hugging Face's card.

    Raises:
        OutputError: it cannot be written.
    """
    card = dataset_card(recipe.to_json(), pairs).encode()
    write_together([(folder.root / CARD, card)], folder.temporary)


def write_databases(folder: Folder, samples: Sequence[Sample]) -> None:
    """LMDB's two databases.

    Raises:
        LayoutError: a pair does not fit them.
        OutputError: they cannot be written.
    """
    write_lmdb(folder.temporary, samples)
    with writing(folder.root):
        for name in (NOISY_DATABASE, CLEAN_DATABASE):
            shutil.rmtree(folder.root / name, ignore_errors=True)
            (folder.temporary / name).rename(folder.root / name)


def _for_the_merge(folder: Folder, recipe: Recipe) -> bool:
    return recipe.options.layout is Layout.LMDB and not folder.shard.whole


def _pack(folder: Folder, recipe: Recipe, samples: Sequence[Sample]) -> None:
    layout = recipe.options.layout
    if layout is Layout.WEBDATASET:
        for number, start in enumerate(range(0, len(samples), PAIRS_A_TAR)):
            tar = _tar(folder, number)
            write_shard(folder.temporary / tar.name, samples[start : start + PAIRS_A_TAR])
            with writing(folder.root):
                (folder.temporary / tar.name).replace(tar)
    elif folder.shard.whole and layout is Layout.LMDB:
        write_databases(folder, samples)
    elif folder.shard.whole and layout is Layout.HF:
        write_card(folder, recipe, len(samples))
