"""Reading a finished dataset's pairs back, whatever their layout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from noisegen.dataset.folder import CLEAN, NOISY
from noisegen.dataset.layouts.lmdb import read_lmdb
from noisegen.dataset.layouts.sample import safe_key
from noisegen.dataset.layouts.webdataset import read_shard
from noisegen.dataset.manifest import PairLine
from noisegen.dataset.plan import Layout
from noisegen.files.safe_path import refuse_links, safe_relative

TARS = "pairs*-[0-9]*.tar"


@dataclass(frozen=True)
class StoredPair:
    """One pair as it lies there.

    Attributes:
        relative: its path below ``noisy/`` and ``clean/``; of LMDB its key.
        noisy: file of the noisy picture; it may be missing.
        clean: the same of the clean.
    """

    relative: str
    noisy: Path
    clean: Path


def stored_pairs(
    out: Path, layout: Layout, lines: Sequence[PairLine], scratch: Path
) -> Iterator[StoredPair]:
    """Every pair that the dataset holds, of folders every one that the manifest names.

    Args:
        out: the dataset's folder.
        layout: of the dataset.
        lines: its manifest.
        scratch: an empty folder for pictures out of archives; each is gone with the next pair.

    Raises:
        ManifestError: a folder of the pairs is a link.
        LayoutError: an archive is damaged.
    """
    if layout is Layout.WEBDATASET:
        for shard in sorted(out.glob(TARS)):
            for values, noisy, clean in read_shard(shard):
                name = str(values.get("noisy_file_name", "")).removeprefix("noisy/")
                yield _unpacked(name, noisy, clean, scratch)
    elif layout is Layout.LMDB:
        for key, noisy, clean in read_lmdb(out):
            yield _unpacked(key, noisy, clean, scratch)
    else:
        for parent in {safe_relative(line.relative, "manifest").parent for line in lines}:
            for side in (NOISY, CLEAN):
                refuse_links(out, PurePosixPath(side) / parent)
        for line in lines:
            yield StoredPair(line.relative, out / line.noisy_file_name, out / line.clean_file_name)


def stored_name(line: PairLine, layout: Layout) -> str:
    """What :class:`StoredPair` calls a line's pair."""
    return safe_key(line.relative) if layout is Layout.LMDB else line.relative


def _unpacked(relative: str, noisy: bytes, clean: bytes, scratch: Path) -> StoredPair:
    paths = scratch / "noisy", scratch / "clean"
    for path, data in zip(paths, (noisy, clean), strict=True):
        path.write_bytes(data)
    return StoredPair(relative, *paths)
