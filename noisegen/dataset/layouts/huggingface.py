"""The card (``README.md``) that makes a folder of pairs a dataset of Hugging Face's.

Its front matter names the files, so that ``load_dataset(FOLDER)`` needs no option and folders that
are called ``train`` or ``test`` are not taken for splits.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
)


def dataset_card(recipe: dict[str, Any], pairs: int) -> str:
    """The dataset's card: YAML front matter, what made it, how to load it.

    Args:
        recipe: as in the dataset's ``noisegen.json``.
        pairs: number of pairs.

    Returns:
        Markdown, the same for the same arguments.
    """
    template = Path(__file__).with_name("card.md").read_text(encoding="utf-8")
    return template.format(
        size=next((name for limit, name in _SIZES if pairs < limit), _SIZES[-1][1]),
        pairs=pairs,
        version=recipe["versions"]["noisegen"],
        weights=_named(recipe["weights"]),
        licence=recipe["licence"],
        profiles=", ".join(map(_named, recipe["profiles"])),
        recipe=json.dumps(recipe, sort_keys=True, indent=2),
    )


def _named(entry: dict[str, Any]) -> str:
    return f"`{entry['name']}` (SHA-256 `{entry['sha256'][:16]}…`)"
