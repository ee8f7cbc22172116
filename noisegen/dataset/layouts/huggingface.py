"""The card (``README.md``) that makes a folder of pairs a dataset of Hugging Face's.

Its front matter names the files, so that ``load_dataset(FOLDER)`` needs no option and folders that
are called ``train`` or ``test`` are not taken for splits.
"""

from __future__ import annotations

import json
from typing import Any

CARD = "README.md"
"""Name of the card in the dataset's folder."""

_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
    (10**9, "100M<n<1B"),
)

_CARD = """\
---
pretty_name: {title}
task_categories:
- image-to-image
tags:
- image-denoising
- synthetic
- noisegen
size_categories:
- {size}
configs:
- config_name: default
  data_files:
  - split: train
    path:
    - metadata.jsonl
    - noisy/**
    - clean/**
---

# {heading}

{pairs} matched pairs of a noisy and a clean picture. The clean pictures are somebody's; the noise
is made by noisegen {version} and is that of a camera or microscope, as its profiles describe it.

- Weights: {weights}
- Profiles: {profiles}

```python
import datasets

pairs = datasets.load_dataset("FOLDER OR NAME OF THIS DATASET", split="train")
noisy, clean = pairs[0]["noisy"], pairs[0]["clean"]
```

`noisy/REL` and `clean/REL` have one relative path and size; `metadata.jsonl` has a line a pair,
with the profile, the strength and the SHA-256 of both pictures' pixels. Hugging Face decodes
pictures with Pillow, which reads 16-bit RGB at 8 bits: read such files yourself.

The licence is that of the clean pictures, and of the weights where theirs says something about
what is made with them; whoever shares this dataset has to state it.

## Recipe

Every pixel of the noisy pictures follows from this, the profiles and the clean pictures:

```json
{recipe}
```
"""


def dataset_card(recipe: dict[str, Any], pairs: int, title: str = "Noisy/clean pairs") -> str:
    """The dataset's card: YAML front matter, what made it, how to load it.

    Args:
        recipe: as in the dataset's ``noisegen.json``.
        pairs: number of pairs.
        title: of the dataset, for people; one line.

    Returns:
        Markdown, the same for the same arguments.
    """
    return _CARD.format(
        title=json.dumps(title),
        heading=" ".join(title.split()),
        size=next((name for limit, name in _SIZES if pairs < limit), _SIZES[-1][1]),
        pairs=pairs,
        version=recipe["versions"]["noisegen"],
        weights=_named(recipe["weights"]),
        profiles=", ".join(map(_named, recipe["profiles"])),
        recipe=json.dumps(recipe, sort_keys=True, indent=2),
    )


def _named(entry: dict[str, Any]) -> str:
    return f"`{entry['name']}` (SHA-256 `{entry['sha256'][:16]}…`)"
