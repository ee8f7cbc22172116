"""A shard that is run again after its dataset's shards were joined."""

from __future__ import annotations

from collections.abc import Sequence

from noisegen.dataset.folder import Folder
from noisegen.dataset.journal import Done, read_records
from noisegen.dataset.manifest import read_skipped
from noisegen.dataset.plan import PACKED, DatasetOptions, Item, Skipped
from noisegen.errors import OutputError


def is_joined(folder: Folder) -> bool:
    """Whether a shard is a part of a dataset that is whole already, and nothing by itself."""
    own = folder.metadata.exists() or folder.journal.exists()
    return not folder.shard.whole and Folder(folder.root).metadata.exists() and not own


def joined_outcomes(
    items: Sequence[Item], options: DatasetOptions, whole: Folder
) -> list[Done] | None:
    """Outcomes of a shard's items in the whole; None where something is to be made.

    Raises:
        OutputError: something is, and the whole is packed.
    """
    records, packed = read_records(whole), options.layout in PACKED
    before = dict(read_skipped(whole.skipped)) if whole.skipped.exists() else {}
    found = []
    for item in items:
        record, key = records.get(item.name), item.file.key
        if record and (packed or record.holds(item, options, whole.root)):
            found.append(Done(item, record, kept=True))
        elif key in before:
            found.append(Done(item, skipped=Skipped(item.file.path, key, before[key]), kept=True))
        elif packed:
            raise takes_no_more(whole, item)
        else:
            return None
    return found


def takes_no_more(folder: Folder, item: Item) -> OutputError:
    """What is said where a packed dataset has no pair of a clean picture."""
    return OutputError(
        f"{folder.root}: is complete, and its layout takes no more images, as {item.file.path}; "
        "name another folder, or replace it with --overwrite"
    )
