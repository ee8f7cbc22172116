"""Shards of one dataset → one manifest."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from noisegen.dataset.export import archives, pack, require_packages, sample_of, take_pairs_away
from noisegen.dataset.folder import RECIPE, Folder, finished_shards, writing
from noisegen.dataset.manifest import (
    PairLine,
    read_lines,
    read_skipped,
    write_manifest,
    write_skipped,
)
from noisegen.dataset.plan import PACKED, Layout, Shard
from noisegen.dataset.recipe import Recipe, read_recipe
from noisegen.errors import ManifestError


def merge_shards(out: Path) -> int:
    """Joins the shards' manifests and lists of what was left out, and removes them.

    Args:
        out: the folder that all shards were written into, or were copied together in.

    Returns:
        Pairs of the whole.

    Raises:
        ManifestError: a shard is missing, not finished, not of this dataset, or there twice; or a
            file of a pair is missing.
        LayoutError: a package that the layout needs is not installed.
        OutputError: another run is writing, or the folder cannot be written.
    """
    recipe = read_recipe(out / RECIPE)
    layout = recipe.options.layout
    require_packages(layout)
    whole = Folder(out)
    merged = set(read_lines(whole.metadata)) if whole.metadata.exists() else set()
    if merged and not finished_shards(out):
        # One shard of one is the whole, and a merge that is run again has none left.
        return len(merged)
    found = _shards(out)
    shards = [Folder(out, shard) for shard in found]
    # A merge may have been cut off while it took the shards' own files away.
    done = merged and all(
        set(read_lines(one.metadata)) == {m for m in merged if one.shard.holds(m.seed_key)}
        for one in shards
    )
    if not done:
        _refuse_missing(out, found)
    lines = list(merged) if done else _joined(shards, recipe)
    with whole.locked():
        whole.clear_temporary()
        if not done:
            if layout is not Layout.WEBDATASET:
                pack(whole, recipe, lines)
            lists = [one.skipped for one in shards if one.skipped.exists()]
            write_skipped(whole, (entry for path in lists for entry in read_skipped(path)))
            write_manifest(whole, lines)
        if layout in PACKED:
            take_pairs_away(whole, lines)
        _remove(shards)
    return len(lines)


def _joined(shards: Sequence[Folder], recipe: Recipe) -> list[PairLine]:
    """Every shard's lines in the order of one manifest; each pair is there, and there once."""
    lines: dict[str, PairLine] = {}
    for shard in shards:
        # Those of earlier versions have no copy of their recipe.
        if shard.made_by.exists():
            _refuse_others(recipe, shard)
        own = list(read_lines(shard.metadata))
        for line in own:
            if not shard.shard.holds(line.seed_key) or line.relative in lines:
                raise ManifestError(
                    f"{shard.metadata}: {line.relative} is another shard's or is there twice; make "
                    "the shard again"
                )
            lines[line.relative] = line
        for path in _files_of(shard, recipe.options.layout, own):
            if not path.is_file():
                raise ManifestError(f"{path}: is missing; copy it here, or make the shard again")
    # Stable: an item's crops stay in the order of its shard.
    return sorted(lines.values(), key=lambda line: line.item)


def _refuse_others(recipe: Recipe, shard: Folder) -> None:
    differences = recipe.differences(read_recipe(shard.made_by))
    if differences:
        raise ManifestError(
            f"{shard.made_by}: the shard is of another dataset than {RECIPE} "
            f"({'; '.join(differences)}); make it again"
        )


def _files_of(shard: Folder, layout: Layout, lines: Sequence[PairLine]) -> Iterator[Path]:
    """All files that a finished shard's pairs lie in."""
    if layout is Layout.WEBDATASET:
        # Tars are packed shard by shard.
        yield from archives(shard, layout, lines)
        return
    for line in lines:
        sample = sample_of(line, shard.root)
        yield from (sample.noisy, sample.clean)


def _shards(out: Path) -> list[Shard]:
    """The finished shards of the dataset, at least one."""
    shards = [one.shard for one in finished_shards(out)]
    if not shards:
        raise ManifestError(f"{out}: holds no finished shards; run noisegen synth --shard K/N")
    counts = {shard.count for shard in shards}
    if len(counts) > 1:
        named = ", ".join(sorted(Folder(out, shard).metadata.name for shard in shards))
        raise ManifestError(
            f"{out}: shards of different numbers ({named}); keep those of one, and take the "
            "others' metadata-*.jsonl and noisegen-*.json away"
        )
    return sorted(shards, key=lambda shard: shard.index)


def _refuse_missing(out: Path, found: Sequence[Shard]) -> None:
    count = found[0].count
    missing = sorted(set(range(1, count + 1)) - {shard.index for shard in found})
    if missing:
        named = ", ".join(f"{index}/{count}" for index in missing[:8])
        raise ManifestError(
            f"{out}: missing or not finished: shard {named}; run noisegen synth --shard for it"
        )


def _remove(shards: Sequence[Folder]) -> None:
    for shard in shards:
        with writing(shard.root):
            # The manifest last: it tells a merge that was cut off here.
            shutil.rmtree(shard.work, ignore_errors=True)
            shard.skipped.unlink(missing_ok=True)
            shard.made_by.unlink(missing_ok=True)
            shard.metadata.unlink()
