"""Items and their outcomes as what goes between the driver and its actors: small rows of JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

from noisegen.dataset.journal import Done, Record, Spent
from noisegen.dataset.manifest import PairLine
from noisegen.dataset.plan import CleanFile, Item, ItemName, Skipped
from noisegen.files import Container

WHERE = "an actor's answer"
"""What an answer that is damaged is called."""


def item_row(item: Item) -> str:
    """An item, with the absolute path of its clean."""
    file = item.file
    # ASCII: Arrow takes no name that is not UTF-8, and JSON escapes it.
    return json.dumps(
        {
            "path": str(file.path.absolute()),
            "key": file.key,
            "output": file.output.as_posix(),
            "container": file.container.value,
            "variant": item.variant,
        }
    )


def parse_item(row: str) -> Item:
    """The item of :func:`item_row`."""
    values = json.loads(row)
    file = CleanFile(
        Path(values["path"]),
        values["key"],
        PurePosixPath(values["output"]),
        Container(values["container"]),
    )
    return Item(file, values["variant"])


def done_row(done: Done, node: str) -> str:
    """An outcome.

    Args:
        done: the outcome.
        node: name of the machine that it comes from.
    """
    record = done.record
    return json.dumps(
        {
            "name": done.item.name,
            "source": record and record.source,
            "lines": record and [line.to_json() for line in record.lines],
            "skipped": done.skipped and done.skipped.reason,
            "unseen": node if done.skipped and not done.item.file.path.exists() else None,
            "spent": asdict(done.spent),
        }
    )


def failure_row(error: Exception) -> str:
    """What ended an actor's work: the kind of error, and its one line."""
    return json.dumps({"failed": str(error), "kind": type(error).__name__})


def parse_done(values: dict[str, Any], item: Item) -> Done:
    """The outcome of :func:`done_row`, of the driver's item.

    Raises:
        ManifestError: a line is not a pair's.
    """
    if values["lines"] is None:
        return Done(item, skipped=Skipped(item.file.path, item.file.key, values["skipped"]))
    lines = tuple(PairLine.from_json(line, WHERE) for line in values["lines"])
    source = values["source"] and (values["source"][0], values["source"][1])
    return Done(item, Record(lines, source), spent=Spent(**values["spent"]))


def name_of(values: dict[str, Any]) -> ItemName:
    """The item that an outcome is of."""
    key, variant = values["name"]
    return key, variant
