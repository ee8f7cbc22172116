"""The end of a run: what was left out, the pairs in their layout, and last the manifest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import BinaryIO

from noisegen.dataset.export import pack, take_pairs_away
from noisegen.dataset.folder import Folder, writing
from noisegen.dataset.journal import Record, sorted_lines
from noisegen.dataset.manifest import PairLine, json_lines
from noisegen.dataset.plan import PACKED, Layout, Skipped
from noisegen.dataset.recipe import Recipe
from noisegen.files import write_together


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
    layout = recipe.options.layout
    if layout not in PACKED or not folder.metadata.exists():
        pack(folder, recipe, lines)
    write_manifest(folder, lines)
    with writing(folder.work):
        folder.journal.unlink(missing_ok=True)
    # LMDB holds all shards together, so their pairs are kept for the merge.
    if layout is Layout.WEBDATASET or (layout is Layout.LMDB and folder.shard.whole):
        take_pairs_away(folder, lines)


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
