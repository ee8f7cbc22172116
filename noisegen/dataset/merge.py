"""Shards of one dataset → one manifest."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from noisegen.dataset.finish import (
    sample_of,
    write_card,
    write_databases,
    write_manifest,
    write_skipped,
)
from noisegen.dataset.folder import METADATA, RECIPE, Folder, writing
from noisegen.dataset.manifest import PairLine, read_lines, read_skipped
from noisegen.dataset.plan import Layout, Shard
from noisegen.dataset.recipe import read_recipe
from noisegen.errors import ManifestError

_NAME = re.compile(METADATA + r"-(\d{1,9})-of-(\d{1,9})\.jsonl")


def merge_shards(out: Path) -> int:
    """Joins the shards' manifests and lists of what was left out, and removes them.

    Args:
        out: the folder that all shards were written into, or were copied together in.

    Returns:
        Pairs of the whole.

    Raises:
        ManifestError: a shard is missing, not finished, not of this dataset, or there twice; or a
            file of a pair is missing.
        OutputError: another run is writing, or the folder cannot be written.
    """
    recipe = read_recipe(out / RECIPE)
    whole = Folder(out)
    found = _shards(out)
    merged = set(read_lines(whole.metadata)) if whole.metadata.exists() else set()
    leftover = [Folder(out, shard) for shard in found]
    if merged and all(line in merged for one in leftover for line in read_lines(one.metadata)):
        # A merge was cut off while it took the shards' own files away.
        _remove(leftover)
        return len(merged)
    if _missing(found):
        named = ", ".join(f"{index}/{found[0].count}" for index in _missing(found)[:8])
        raise ManifestError(
            f"{out}: missing or not finished: shard {named}; run noisegen synth --shard for it"
        )
    shards = [Folder(out, shard) for shard in found]
    lines: dict[str, PairLine] = {}
    samples = []
    for shard in shards:
        pairs = shard.pairs(recipe.options.layout)
        packed = recipe.options.layout is Layout.WEBDATASET
        for line in read_lines(shard.metadata):
            if not shard.shard.holds(line.seed_key) or line.relative in lines:
                raise ManifestError(
                    f"{shard.metadata}: {line.relative} is another shard's or is there twice; make "
                    "the shard again"
                )
            sample = sample_of(line, pairs)
            for path in () if packed else (sample.noisy, sample.clean):
                if not path.is_file():
                    raise ManifestError(
                        f"{path}: is missing; copy it here, or make the shard again"
                    )
            lines[line.relative] = line
            samples.append(sample)
    left_out = [
        entry for shard in shards if shard.skipped.exists() for entry in read_skipped(shard.skipped)
    ]
    with whole.locked():
        whole.clear_temporary()
        if recipe.options.layout is Layout.LMDB:
            write_databases(whole, samples)
        if recipe.options.layout is Layout.HF:
            write_card(whole, recipe, len(lines))
        write_skipped(whole, left_out)
        # Stable: an item's crops stay in the order of its shard.
        ordered = sorted(lines.values(), key=lambda line: line.item)
        write_manifest(whole, ordered)
        _remove(shards)
    return len(lines)


def _shards(out: Path) -> list[Shard]:
    """The finished shards of the dataset, at least one."""
    found = [_NAME.fullmatch(path.name) for path in sorted(out.glob(f"{METADATA}-*-of-*.jsonl"))]
    shards = [Shard(int(name[1]), int(name[2])) for name in found if name]
    if not shards:
        raise ManifestError(f"{out}: holds no finished shards; run noisegen synth --shard K/N")
    counts = {shard.count for shard in shards}
    if len(counts) > 1:
        raise ManifestError(
            f"{out}: shards of different numbers ({', '.join(map(str, sorted(counts)))}); keep "
            "those of one"
        )
    return sorted(shards, key=lambda shard: shard.index)


def _missing(shards: Sequence[Shard]) -> list[int]:
    return sorted(set(range(1, shards[0].count + 1)) - {shard.index for shard in shards})


def _remove(shards: Sequence[Folder]) -> None:
    for shard in shards:
        with writing(shard.root):
            # The manifest last: it tells a merge that was cut off here.
            shutil.rmtree(shard.work, ignore_errors=True)
            shard.skipped.unlink(missing_ok=True)
            shard.metadata.unlink()
