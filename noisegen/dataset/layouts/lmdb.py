"""LMDB as BasicSR and NAFNet read it: ``input_crops.lmdb`` (noisy) and ``gt_crops.lmdb`` (clean).

Each is a folder with ``data.mdb`` and ``meta_info.txt``. The loaders list keys from the latter's
lines, ``KEY.png (H,W,C) 1``; a key's value is the picture's file, which they decode with OpenCV to
three channels of 8 bits.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from noisegen.dataset.layouts.sample import LayoutError, Sample, safe_key
from noisegen.errors import ImageError, from_checkout
from noisegen.files import Container, Header, encode, read_header, read_picture

if TYPE_CHECKING:
    import lmdb

NOISY, CLEAN = "input_crops.lmdb", "gt_crops.lmdb"
META_INFO = "meta_info.txt"

COMPRESSION = 1
"""What BasicSR's tool writes for PNG's compression level; no loader reads it."""

BATCH = 2**26
"""Bytes of pictures that are held in memory before they are committed."""

PAGES_OF_A_COMMIT = 64
"""More than a commit copies of the tree's inner nodes, its free pages' list and its root."""


def write_lmdb(folder: Path, samples: Sequence[Sample]) -> None:
    """Writes both databases into a folder, which holds none of these names yet.

    Equal pairs make equal bytes. PNG files go in byte for byte, others as PNG of equal pixels.
    What is cut off, or fails, leaves parts: let the folder be a temporary one.

    Args:
        folder: where to; it must exist.
        samples: of 8 bits.

    Raises:
        LayoutError: a picture is one that the loaders would spoil (:func:`unfit_for_lmdb`), or
            the package is missing.
        ImageError: a pair's file cannot be read.
        OSError: the databases cannot be written.
    """
    require_lmdb()
    ordered = sorted(samples, key=lambda sample: safe_key(sample.relative))
    sides = {
        NOISY: [(safe_key(sample.relative), sample.noisy) for sample in ordered],
        CLEAN: [(safe_key(sample.relative), sample.clean) for sample in ordered],
    }
    headers = {name: [_checked(path) for _, path in side] for name, side in sides.items()}
    for name, side in sides.items():
        _write(folder / name, side, headers[name])


def unfit_for_lmdb(header: Header) -> str | None:
    """Why a picture cannot go into LMDB, as a clause that follows its path; None if it can."""
    if header.dtype != np.uint8:
        what = f"{header.dtype} samples, which BasicSR and NAFNet would cut to 8 bits"
    elif header.channels not in (1, 3):
        what = f"{header.channels} channels, which BasicSR and NAFNet do not read"
    else:
        return None
    return f"has {what}; use another --layout"


def _checked(path: Path) -> Header:
    header = read_header(path)
    reason = unfit_for_lmdb(header)
    if reason is not None:
        raise LayoutError(f"{path}: {reason}")
    return header


def _write(database: Path, side: Sequence[tuple[str, Path]], headers: Sequence[Header]) -> None:
    lmdb = require_lmdb()
    database.mkdir()
    meta = [
        f"{key}.png ({header.height},{header.width},{header.channels + header.has_alpha}) "
        f"{COMPRESSION}\n"
        for (key, _), header in zip(side, headers, strict=True)
    ]
    try:
        # No lock file: it would hold this process's number.
        with lmdb.open(
            str(database), map_size=mmap.PAGESIZE * PAGES_OF_A_COMMIT, lock=False
        ) as env:
            _put(env, side, headers)
    except lmdb.Error as error:
        raise OSError(0, str(error)) from error
    with (database / META_INFO).open("x", encoding="ascii", newline="\n") as file:
        file.writelines(meta)
        file.flush()
        os.fsync(file.fileno())


def _put(
    env: lmdb.Environment, side: Sequence[tuple[str, Path]], headers: Sequence[Header]
) -> None:
    """Puts the pictures in their order, so that each page is written once.

    The map grows with what is put in, by at most what a batch can need.
    """
    batch: list[tuple[bytes, bytes]] = []
    held = 0
    for (key, path), header in zip(side, headers, strict=True):
        batch.append((key.encode("ascii"), _as_png(path, header)))
        held += len(batch[-1][1])
        if held >= BATCH:
            _commit(env, batch)
            batch, held = [], 0
    _commit(env, batch)


def _commit(env: lmdb.Environment, batch: Sequence[tuple[bytes, bytes]]) -> None:
    page = env.stat()["psize"]
    # A picture takes whole pages after its header, a key at most one more among the leaves.
    pages = sum(-(-(len(value) + 16) // page) + 1 for _, value in batch)
    used = env.info()["last_pgno"] + 1
    env.set_mapsize((used + pages + PAGES_OF_A_COMMIT) * page)
    with env.begin(write=True) as transaction:
        for key, value in batch:
            transaction.put(key, value, append=True)


def _as_png(path: Path, header: Header) -> bytes:
    if header.container is not Container.PNG:
        return encode(replace(read_picture(path), container=Container.PNG))
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImageError(path, f"cannot be copied: {error.strerror or error}") from error


def read_lmdb(folder: Path) -> Iterator[tuple[str, bytes, bytes]]:
    """The pairs that :func:`write_lmdb` wrote, in the order of their keys.

    Args:
        folder: what holds both databases. LMDB itself trusts what a database holds, so read only
            those that you made.

    Yields:
        Of each pair the key and the PNG files of noisy and clean.

    Raises:
        LayoutError: a database is missing, damaged or holds other keys than it says; or the package
            is missing.
    """
    lmdb = require_lmdb()
    listed = [_listed(folder / name) for name in (NOISY, CLEAN)]
    if listed[0] != listed[1]:
        raise LayoutError(f"{folder}: {NOISY} and {CLEAN} hold different keys; write them again")
    try:
        with (
            lmdb.open(str(folder / NOISY), readonly=True, lock=False, create=False) as noisy,
            lmdb.open(str(folder / CLEAN), readonly=True, lock=False, create=False) as clean,
            noisy.begin() as from_noisy,
            clean.begin() as from_clean,
        ):
            for key in listed[0]:
                pair = from_noisy.get(key.encode()), from_clean.get(key.encode())
                if pair[0] is None or pair[1] is None:
                    raise LayoutError(f"{folder}: {key} is missing; write the databases again")
                yield key, pair[0], pair[1]
    except lmdb.Error as error:
        raise LayoutError(f"{folder}: not a dataset in LMDB ({error})") from error


def _listed(database: Path) -> list[str]:
    try:
        lines = (database / META_INFO).read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeError) as error:
        raise LayoutError(f"{database}: no {META_INFO} can be read ({error})") from error
    return [line.split(".")[0] for line in lines]


def require_lmdb() -> ModuleType:
    """The package ``lmdb``.

    Raises:
        LayoutError: it is not installed.
    """
    try:
        return import_module("lmdb")
    except ImportError:
        raise LayoutError(
            f"--layout lmdb: needs the package lmdb; {from_checkout('lmdb')}"
        ) from None
