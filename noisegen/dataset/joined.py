"""A shard that is run again after its dataset's shards were joined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from noisegen.dataset.folder import Folder
from noisegen.dataset.journal import Done, read_records
from noisegen.dataset.manifest import read_skipped
from noisegen.dataset.plan import Item, Skipped
from noisegen.errors import OutputError


def is_joined(folder: Folder) -> bool:
    """Whether a shard has no manifest of its own, but lies in a dataset that is whole."""
    return (
        not folder.shard.whole
        and not folder.metadata.exists()
        and Folder(folder.root).metadata.exists()
    )


def packed_outcomes(items: Sequence[Item], whole: Folder) -> Iterator[Done]:
    """Outcomes of a shard's items in the whole that is packed; nothing is written.

    Raises:
        OutputError: one of them has none.
    """
    records = read_records(whole)
    before = dict(read_skipped(whole.skipped)) if whole.skipped.exists() else {}
    for item in items:
        record, key = records.get(item.name), item.file.key
        if record is not None:
            yield Done(item, record, kept=True)
        elif key in before:
            yield Done(item, skipped=Skipped(item.file.path, key, before[key]), kept=True)
        else:
            raise takes_no_more(whole, item)


def takes_no_more(folder: Folder, item: Item) -> OutputError:
    """What is said where a packed dataset has no pair of a clean picture."""
    return OutputError(
        f"{folder.root}: is complete, and its layout takes no more images, as {item.file.path}; "
        "name another folder, or replace it with --overwrite"
    )
